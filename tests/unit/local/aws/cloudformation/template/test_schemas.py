"""What the shipped schemas tell: known types, replacement, tags, faults."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.aws.cloudformation import adapters, stand_ins
from bootstrap.local.aws.cloudformation.template import schemas

REGION = "eu-central-1"


def schema(kind: str) -> dict[str, Any]:
    found = schemas.load(kind, REGION)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("AWS::EC2::VPC", "CidrBlock", "Always"),
        ("AWS::EC2::VPC", "EnableDnsSupport", "Never"),
        ("AWS::EC2::Instance", "SubnetId", "Always"),
        ("AWS::EC2::Instance", "UserData", "Conditionally"),
    ],
)
def test_replacement_comes_from_the_schema(kind: str, name: str, expected: str) -> None:
    assert expected == schemas.judge_recreation(schema(kind), name, "a", "b")


def test_unchanged_part_of_a_property_replaces_nothing() -> None:
    made = {"createOnlyProperties": ["/properties/P/Fixed"]}
    assert "Never" == schemas.judge_recreation(made, "P", {"Fixed": 1, "Free": 1}, {"Fixed": 1, "Free": 2})
    assert "Always" == schemas.judge_recreation(made, "P", {"Fixed": 1}, {"Fixed": 2})


def test_unknown_type_has_no_schema() -> None:
    assert schemas.load("AWS::No::Such", REGION) is None


@pytest.mark.parametrize(
    ("kind", "name"), [("AWS::EC2::VPC", "Tags"), ("AWS::EC2::Route", ""), ("AWS::KMS::Key", "Tags")]
)
def test_tag_property_is_known(kind: str, name: str) -> None:
    assert name == schemas.find_tag_property(schema(kind))


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        ({"GroupDescription": "d", "Nope": 1}, "#: extraneous key [Nope] is not permitted"),
        ({}, "#: required key [GroupDescription] not found"),
        ({"GroupDescription": "d", "GroupId": "sg-1"}, "#: extraneous key [GroupId] is not permitted"),
        (
            {"GroupDescription": "d", "SecurityGroupIngress": [{"IpProtocol": "tcp", "Port": 1}]},
            "#/SecurityGroupIngress/0: extraneous key [Port] is not permitted",
        ),
    ],
)
def test_faults_are_told_in_cloudformations_words(properties: dict[str, Any], fault: str) -> None:
    assert fault in schemas.list_faults(schema("AWS::EC2::SecurityGroup"), properties)


def test_every_adapter_and_stand_in_is_a_type_of_aws() -> None:
    kinds = adapters.list_known() | stand_ins.STAND_INS.keys()
    assert [] == [kind for kind in sorted(kinds) if schemas.load(kind, "us-east-1") is None]


def test_no_type_is_both_made_and_a_stand_in() -> None:
    assert set() == adapters.list_known() & stand_ins.STAND_INS.keys()
