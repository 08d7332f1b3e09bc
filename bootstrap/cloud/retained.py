"""Finds the retained resources of deleted stacks, and deletes them if their data is to be deleted, too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from bootstrap.cloud import tags
from bootstrap.environment.models import Settings
from bootstrap.values import Change, ChangeKind, Reporter

_STACK = "aws:cloudformation:stack-name"
_KINDS = {"ec2 volume": "AWS::EC2::Volume", "secretsmanager secret": "AWS::SecretsManager::Secret"}
_NOT_FOUND = {"InvalidVolume.NotFound", "ResourceNotFoundException"}


def find(aws: Callable[[str], Any], settings: Settings, stacks: Collection[str]) -> tuple[str, ...]:
    """The retained resources of stacks with these names, found by their tags, as '<type> <physical id>'.

    The events of a deletion have them, too, but only for the run that waits for it; after a kill they are not available.
    """
    return tuple(
        f"{_KINDS[resource.kind]} {resource.identity if resource.kind == 'ec2 volume' else resource.arn}"
        for resource in tags.list_resources(aws, settings)
        if resource.kind in _KINDS and resource.tags.get(_STACK) in stacks
    )


def remove(aws: Callable[[str], Any], resource: str, report: Reporter) -> bool:
    """Delete one retained resource, named '<type> <physical id>'; False if its type is not known here.

    A secret is deleted at once, without the recovery window of Secrets Manager: the user confirmed it with the environment's
    name.
    """
    kind, _, identity = resource.partition(" ")
    try:
        match kind:
            case "AWS::EC2::Volume":
                aws("ec2").delete_volume(VolumeId=identity)
            case "AWS::SecretsManager::Secret":
                aws("secretsmanager").delete_secret(SecretId=identity, ForceDeleteWithoutRecovery=True)
            case _:
                return False
    except Exception as error:
        # botocore's errors have a response. A resource that an earlier run deleted is no error: its tags can still be listed.
        if getattr(error, "response", {}).get("Error", {}).get("Code") not in _NOT_FOUND:
            raise
        return True
    report.change(Change("stack", ChangeKind.REMOVE, identity.rpartition(":")[2], kind))
    return True
