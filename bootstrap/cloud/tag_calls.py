"""How each service of AWS reads and writes the tags of one resource that CloudFormation does not tag again.

A resource is named by its type in CloudFormation and its physical id. EC2's are read many at a time, and are not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.cloud.world import World

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a type)
ROLE = "AWS::IAM::Role"
GROUP = "AWS::AutoScaling::AutoScalingGroup"
Tags = list[dict[str, Any]]


def read_tags(world: World, kind: str, physical: str) -> Mapping[str, str] | None:
    """The tags of a resource; None if it does not exist (that is drift), or if this module knows nothing of the type."""
    if kind == SECRET:
        return _read_of_secret(world.aws("secretsmanager"), physical)
    if kind == GROUP:
        return _read_of_group(world.aws("autoscaling"), physical)
    if kind == ROLE:
        return _read_of_role(world.aws("iam"), physical)
    return None


def write_tags(world: World, kind: str, physical: str, values: Mapping[str, str], removed: Sequence[str]) -> None:
    """Set these tags of a resource, and remove those with the keys `removed`; all types but those here are EC2's."""
    new: Tags = [{"Key": key, "Value": value} for key, value in values.items()]
    old: Tags = [{"Key": key} for key in removed]
    if kind == SECRET:
        secrets = world.aws("secretsmanager")
        _write(new, old, secrets.tag_resource, secrets.untag_resource, SecretId=physical)
    elif kind == ROLE:
        _write(new, old, world.aws("iam").tag_role, world.aws("iam").untag_role, RoleName=physical)
    elif kind == GROUP:
        _write_of_group(world.aws("autoscaling"), physical, new, old)
    else:
        if old:
            world.aws("ec2").delete_tags(Resources=[physical], Tags=old)
        if new:
            world.aws("ec2").create_tags(Resources=[physical], Tags=new)


def _write(new: Tags, old: Tags, tag: Any, untag: Any, **identity: str) -> None:
    if old:
        untag(**identity, TagKeys=[each["Key"] for each in old])
    if new:
        tag(**identity, Tags=new)


def _write_of_group(scaling: Any, name: str, new: Tags, old: Tags) -> None:
    """The tags of a group, which its new instances get, too."""
    place = {"ResourceId": name, "ResourceType": "auto-scaling-group"}
    if old:
        scaling.delete_tags(Tags=[{**place, **each} for each in old])
    if new:
        scaling.create_or_update_tags(Tags=[{**place, **each, "PropagateAtLaunch": True} for each in new])


def _read_of_secret(client: Any, arn: str) -> Mapping[str, str] | None:
    try:
        described = client.describe_secret(SecretId=arn)
    except client.exceptions.ResourceNotFoundException:
        return None
    return None if "DeletedDate" in described else _parse(described.get("Tags", ()))


def _read_of_group(scaling: Any, name: str) -> Mapping[str, str] | None:
    groups = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return _parse(groups[0].get("Tags", ())) if groups else None


def _read_of_role(iam: Any, name: str) -> Mapping[str, str] | None:
    try:
        return _parse(iam.list_role_tags(RoleName=name)["Tags"])
    except iam.exceptions.NoSuchEntityException:
        return None


def _parse(tags: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
