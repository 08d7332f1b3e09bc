"""What a stack kept is removed when the data is to go too."""

from typing import Any

import pytest

from bootstrap.cloud import retained
from bootstrap.environment.models import Settings
from tests.recorder import Recorder


class Aws:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str) -> "Aws":
        self.calls.append((service, {}))
        return self

    def delete_volume(self, **named: Any) -> None:
        self.calls.append(("delete_volume", named))

    def delete_secret(self, **named: Any) -> None:
        self.calls.append(("delete_secret", named))


def test_a_volume_is_deleted() -> None:
    aws, told = Aws(), Recorder()

    assert retained.remove(aws, "AWS::EC2::Volume vol-1", told)

    assert ("delete_volume", {"VolumeId": "vol-1"}) == aws.calls[-1]
    assert ["vol-1"] == [change.name for change in told.changes]


def test_a_secret_is_deleted_at_once() -> None:
    aws = Aws()

    assert retained.remove(aws, "AWS::SecretsManager::Secret arn:aws:secretsmanager:r:1:secret:x", Recorder())

    named = {"SecretId": "arn:aws:secretsmanager:r:1:secret:x", "ForceDeleteWithoutRecovery": True}
    assert ("delete_secret", named) == aws.calls[-1]


def test_what_is_not_known_is_left_alone_and_said() -> None:
    aws, told = Aws(), Recorder()

    assert not retained.remove(aws, "AWS::S3::Bucket logs", told)

    assert ([], []) == (aws.calls, told.changes)


ARN = "arn:aws:{}:r:1:{}"


class Tags:
    """A cloud with tagged things."""

    def __init__(self, *listed: tuple[str, str]) -> None:
        self.listed = [
            {"ResourceARN": arn, "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": stack}]}
            for arn, stack in listed
        ]

    def __call__(self, service: str) -> "Tags":
        assert "resourcegroupstaggingapi" == service
        return self

    def get_paginator(self, _: str) -> "Tags":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"ResourceTagMappingList": self.listed}]


def test_what_a_stack_that_is_gone_kept_is_found_by_its_tags() -> None:
    volume, secret = ARN.format("ec2", "volume/vol-1"), ARN.format("secretsmanager", "secret:x")
    other, queue = ARN.format("ec2", "volume/vol-2"), ARN.format("sqs", "it")
    cloud = Tags((volume, "data"), (secret, "data"), (other, "else"), (queue, "data"))
    settings = Settings.model_validate({"environment": "trial", "cloud": "local", "owner": "t", "cost_center": "n"})

    assert {"AWS::EC2::Volume vol-1", f"AWS::SecretsManager::Secret {secret}"} == set(
        retained.find(cloud, settings, ["data"])
    )


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Refusing(Aws):
    code = ""

    def delete_volume(self, **named: Any) -> None:
        raise Refused(self.code)


def test_what_an_earlier_run_removed_is_gone_and_not_told_again() -> None:
    aws, told = Refusing(), Recorder()
    aws.code = "InvalidVolume.NotFound"

    assert retained.remove(aws, "AWS::EC2::Volume vol-1", told)

    assert [] == told.changes


def test_a_volume_that_cannot_be_removed_is_a_failure() -> None:
    aws = Refusing()
    aws.code = "VolumeInUse"

    with pytest.raises(Refused):
        retained.remove(aws, "AWS::EC2::Volume vol-1", Recorder())
