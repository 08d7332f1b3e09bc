"""What a deleted stack kept on purpose, and its removal where the data is to go too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from bootstrap.cloud import tags
from bootstrap.environment.models import Settings
from bootstrap.values import Change, ChangeKind, Reporter

_STACK = "aws:cloudformation:stack-name"
_KINDS = {"ec2 volume": "AWS::EC2::Volume", "secretsmanager secret": "AWS::SecretsManager::Secret"}
_GONE = {"InvalidVolume.NotFound", "ResourceNotFoundException"}


def find(aws: Callable[[str], Any], settings: Settings, stacks: Collection[str]) -> tuple[str, ...]:
    """What stacks of these names kept, also those that are gone, by tag and as '<type> <physical id>'.

    The events of a deletion tell the same, but only to the run that follows it: one that is killed hears no more of them.
    """
    return tuple(
        f"{_KINDS[it.kind]} {it.identity if it.kind == 'ec2 volume' else it.arn}"
        for it in tags.resources(aws, settings)
        if it.kind in _KINDS and it.tags.get(_STACK) in stacks
    )


def remove(aws: Callable[[str], Any], thing: str, report: Reporter) -> bool:
    """Remove one kept resource, named '<type> <physical id>'; whether this knows how to.

    A secret goes at once, without Secrets Manager's days of grace: whoever repeated the environment's name meant it.
    """
    kind, _, identity = thing.partition(" ")
    try:
        match kind:
            case "AWS::EC2::Volume":
                aws("ec2").delete_volume(VolumeId=identity)
            case "AWS::SecretsManager::Secret":
                aws("secretsmanager").delete_secret(SecretId=identity, ForceDeleteWithoutRecovery=True)
            case _:
                return False
    except Exception as error:
        # botocore's errors carry a response; only what an earlier run removed is fine. A tag may outlive its resource.
        if getattr(error, "response", {}).get("Error", {}).get("Code") not in _GONE:
            raise
        return True
    report.change(Change("stack", ChangeKind.REMOVE, identity.rpartition(":")[2], kind))
    return True
