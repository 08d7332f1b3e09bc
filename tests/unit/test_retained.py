"""What a stack kept is removed when the data is to go too."""

from typing import Any

from bootstrap import retained
from bootstrap.values import Change


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


class Told:
    def __init__(self) -> None:
        self.changes: list[Change] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None: ...

    def notice(self, text: str) -> None: ...


def test_a_volume_is_deleted() -> None:
    aws, told = Aws(), Told()

    assert retained.remove(aws, "AWS::EC2::Volume vol-1", told)

    assert ("delete_volume", {"VolumeId": "vol-1"}) == aws.calls[-1]
    assert ["vol-1"] == [change.name for change in told.changes]


def test_a_secret_is_deleted_at_once() -> None:
    aws = Aws()

    assert retained.remove(aws, "AWS::SecretsManager::Secret arn:aws:secretsmanager:r:1:secret:x", Told())

    named = {"SecretId": "arn:aws:secretsmanager:r:1:secret:x", "ForceDeleteWithoutRecovery": True}
    assert ("delete_secret", named) == aws.calls[-1]


def test_what_is_not_known_is_left_alone_and_said() -> None:
    aws, told = Aws(), Told()

    assert not retained.remove(aws, "AWS::S3::Bucket logs", told)

    assert ([], []) == (aws.calls, told.changes)
