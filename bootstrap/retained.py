"""What a deleted stack kept on purpose, and its removal where the data is to go too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.values import Change, ChangeKind, Reporter


def remove(aws: Callable[[str], Any], thing: str, report: Reporter) -> bool:
    """Remove one kept resource, named '<type> <physical id>'; whether this knows how to.

    A secret goes at once, without Secrets Manager's days of grace: whoever repeated the environment's name meant it.
    """
    kind, _, identity = thing.partition(" ")
    match kind:
        case "AWS::EC2::Volume":
            aws("ec2").delete_volume(VolumeId=identity)
        case "AWS::SecretsManager::Secret":
            aws("secretsmanager").delete_secret(SecretId=identity, ForceDeleteWithoutRecovery=True)
        case _:
            return False
    report.change(Change("stack", ChangeKind.REMOVE, identity.rpartition(":")[2], kind))
    return True
