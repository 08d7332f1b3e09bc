"""Sets tags of resources whose tags CloudFormation never sets, or does not change after it created them.

A change of a stack's tags does not change the tags of

    launch templates        CloudFormation gives them no stack tags, and new tags in the template would replace the machine
    root volumes            they get their tags from the instance when they are created
    the bastion's instance  it gets its tags from its Auto Scaling group when it is created
    the data stack          one of its resources, the key pair, would be replaced (KeepsTags in its template)

The tags Commit and Run are not changed: they name the run that created the resource. A tag that is no longer in the environment
file is removed if a stack of the environment has it; all other tags belong to somebody else. So a launch calls `apply` twice:
before it changes the stacks, which still have the old tags, and afterwards, for new resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud.world import World
from bootstrap.environment.tags import OWN, VOLATILE
from bootstrap.values import Change, ChangeKind, Reporter, Stack

STACKS = ("data", "controller", "bastion")
"""The stacks with such resources."""
_OF_SECRETS = "AWS::SecretsManager::Secret"


@dataclass(frozen=True)
class _Resource:
    """A resource: its name for people, its type, its id (an ARN for a secret), and its tags."""

    name: str
    kind: str
    identity: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class _Difference:
    resource: _Resource
    values: Mapping[str, str]
    removed: tuple[str, ...]

    @property
    def change(self) -> Change:
        keys = ", ".join([*self.values, *(f"without {key}" for key in self.removed)])
        return Change("stack", ChangeKind.ALTER, self.resource.name, f"{self.resource.kind}: Tags ({keys})")


def plan(
    world: World, stacks: Mapping[str, Stack], names: Sequence[str], tags: Mapping[str, str]
) -> tuple[Change, ...]:
    """The changes that `apply` would make; none on the machine, because its jobs have no permission for them.

    `stacks` are the existing stacks by their short names, `names` are the stacks that the command changes, and `tags` are the
    tags of this launch.
    """
    return tuple(difference.change for difference in _find_differences(world, stacks, names, tags))


def apply(
    world: World,
    stacks: Mapping[str, Stack],
    names: Sequence[str],
    tags: Mapping[str, str],
    report: Reporter | None = None,
) -> None:
    """Set the tags of these resources to `tags`; a repeated call changes nothing. Without `report` nothing is reported."""
    for difference in list(_find_differences(world, stacks, names, tags)):
        identity, removed = difference.resource.identity, difference.removed
        new_tags = [{"Key": key, "Value": value} for key, value in difference.values.items()]
        if difference.resource.kind == _OF_SECRETS:
            client = world.aws("secretsmanager")
            if removed:
                client.untag_resource(SecretId=identity, TagKeys=list(removed))
            if new_tags:
                client.tag_resource(SecretId=identity, Tags=new_tags)
        else:
            client = world.aws("ec2")
            if removed:
                client.delete_tags(Resources=[identity], Tags=[{"Key": key} for key in removed])
            if new_tags:
                client.create_tags(Resources=[identity], Tags=new_tags)
        if report is not None:
            report.change(difference.change)


def _find_differences(
    world: World, stacks: Mapping[str, Stack], names: Sequence[str], tags: Mapping[str, str]
) -> Iterator[_Difference]:
    if world.is_on_machine:
        return
    desired = {key: value for key, value in tags.items() if key not in VOLATILE}
    dropped = {key for stack in stacks.values() for key in stack.tags} - {*tags, *OWN}
    for resource in _read_resources(world, [stacks[name] for name in STACKS if name in names and name in stacks]):
        values = {key: value for key, value in desired.items() if resource.tags.get(key) != value}
        removed = tuple(sorted(dropped & resource.tags.keys()))
        if values or removed:
            yield _Difference(resource, values, removed)


def _read_resources(world: World, stacks: Sequence[Stack]) -> Iterator[_Resource]:
    """The resources of these stacks that exist, with their tags."""
    ec2, ec2_resources = world.aws("ec2"), dict[str, tuple[str, str]]()  # by EC2's id: name and type
    for stack in stacks:
        pages = world.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
        for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
            name, kind, physical = (
                f"{stack.name}/{resource['LogicalResourceId']}",
                resource["ResourceType"],
                resource.get("PhysicalResourceId"),
            )
            if not physical or resource["ResourceStatus"].startswith("DELETE"):
                continue
            if kind == _OF_SECRETS:
                yield from _read_secret(world.aws("secretsmanager"), name, physical)
            ec2_resources |= {key: (name + suffix, kind) for key, suffix in _list_ec2_ids(ec2, stack, kind, physical)}
    if not ec2_resources:
        return
    pages = ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "resource-id", "Values": list(ec2_resources)}]
    )
    tags = [tag for page in pages for tag in page["Tags"]]
    for identity, (name, kind) in ec2_resources.items():
        yield _Resource(
            name, kind, identity, {tag["Key"]: tag["Value"] for tag in tags if tag["ResourceId"] == identity}
        )


def _read_secret(client: Any, name: str, arn: str) -> Iterator[_Resource]:
    """The secret; nothing if somebody deleted it (that is drift)."""
    try:
        described = client.describe_secret(SecretId=arn)
    except client.exceptions.ResourceNotFoundException:
        return
    if "DeletedDate" not in described:
        yield _Resource(name, _OF_SECRETS, arn, {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())})


def _list_ec2_ids(ec2: Any, stack: Stack, kind: str, physical: str) -> Iterator[tuple[str, str]]:
    """The EC2 ids of a resource, or of what it created, each with a suffix for the name of the resource."""
    match kind:
        case "AWS::EC2::Volume" | "AWS::EC2::LaunchTemplate":
            yield physical, ""
        case "AWS::EC2::KeyPair" if "KeyPairId" in stack.outputs:
            yield stack.outputs["KeyPairId"], ""
        case "AWS::EC2::Instance":
            # With a filter, the id of a terminated instance is no error.
            by_id = {"Name": "instance-id", "Values": [physical]}
            for reservation in ec2.describe_instances(Filters=[by_id])["Reservations"]:
                yield from (
                    (item, " (root volume)") for item in map(_find_root_volume, reservation["Instances"]) if item
                )
        case "AWS::AutoScaling::AutoScalingGroup":
            alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
            of_group = {"Name": "tag:aws:autoscaling:groupName", "Values": [physical]}
            for reservation in ec2.describe_instances(Filters=[of_group, alive])["Reservations"]:
                yield from ((item["InstanceId"], " (instance)") for item in reservation["Instances"])


def _find_root_volume(instance: Mapping[str, Any]) -> str | None:
    volumes = {mapping["DeviceName"]: mapping["Ebs"]["VolumeId"] for mapping in instance.get("BlockDeviceMappings", ())}
    return volumes.get(instance.get("RootDeviceName", ""))
