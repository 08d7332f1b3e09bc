"""Sets the tags that CloudFormation does not bring to resources of the stacks, or not any more once they exist.

A change of a stack's tags does not reach

    launch templates        CloudFormation gives them no stack tags, and new ones in the template would replace the machine
    root volumes            they get their tags from the instance, when they are made
    the bastion's instance  it gets its tags from its Auto Scaling group, when it is made
    the data stack          one of its resources, the key pair, would be replaced (KeepsTags in its template)

The tags Commit and Run stay as they are: they name the run that made the resource. A tag that is no longer in the environment
file is removed if one of the environment's stacks has it; all other tags are somebody else's. So a launch calls `apply` before
it changes the stacks, which know the old tags, and after it, for what is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud.world import World
from bootstrap.environment.tags import OWN, VOLATILE
from bootstrap.values import Change, ChangeKind, Reporter, Stack

STACKS = ("data", "controller", "bastion")
"""The stacks that have such resources."""
_OF_SECRETS = "AWS::SecretsManager::Secret"


@dataclass(frozen=True)
class _Resource:
    """A resource as people know it, its type, its id (an ARN for a secret), and its tags."""

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
    """What `apply` would change; nothing on the machine, whose jobs have no rights for it.

    `stacks` are those that exist, by their short names; `names` are those that the command changes, and `tags` the tags of this
    launch.
    """
    return tuple(it.change for it in _differences(world, stacks, names, tags))


def apply(
    world: World,
    stacks: Mapping[str, Stack],
    names: Sequence[str],
    tags: Mapping[str, str],
    report: Reporter | None = None,
) -> None:
    """Bring the tags of these resources to `tags`; a repeated call changes nothing. Without `report` nothing is told."""
    for difference in list(_differences(world, stacks, names, tags)):
        identity, removed = difference.resource.identity, difference.removed
        listed = [{"Key": key, "Value": value} for key, value in difference.values.items()]
        if difference.resource.kind == _OF_SECRETS:
            client = world.aws("secretsmanager")
            if removed:
                client.untag_resource(SecretId=identity, TagKeys=list(removed))
            if listed:
                client.tag_resource(SecretId=identity, Tags=listed)
        else:
            client = world.aws("ec2")
            if removed:
                client.delete_tags(Resources=[identity], Tags=[{"Key": key} for key in removed])
            if listed:
                client.create_tags(Resources=[identity], Tags=listed)
        if report is not None:
            report.change(difference.change)


def _differences(
    world: World, stacks: Mapping[str, Stack], names: Sequence[str], tags: Mapping[str, str]
) -> Iterator[_Difference]:
    if world.is_on_machine:
        return
    wanted = {key: value for key, value in tags.items() if key not in VOLATILE}
    dropped = {key for it in stacks.values() for key in it.tags} - {*tags, *OWN}
    for resource in _read(world, [stacks[name] for name in STACKS if name in names and name in stacks]):
        values = {key: value for key, value in wanted.items() if resource.tags.get(key) != value}
        removed = tuple(sorted(dropped & resource.tags.keys()))
        if values or removed:
            yield _Difference(resource, values, removed)


def _read(world: World, stacks: Sequence[Stack]) -> Iterator[_Resource]:
    """The resources of these stacks that exist, with their tags."""
    ec2, in_ec2 = world.aws("ec2"), dict[str, tuple[str, str]]()  # by EC2's id: name and type
    for stack in stacks:
        pages = world.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
        for it in (it for page in pages for it in page["StackResourceSummaries"]):
            name, kind, physical = (
                f"{stack.name}/{it['LogicalResourceId']}",
                it["ResourceType"],
                it.get("PhysicalResourceId"),
            )
            if not physical or it["ResourceStatus"].startswith("DELETE"):
                continue
            if kind == _OF_SECRETS:
                yield from _read_secret(world.aws("secretsmanager"), name, physical)
            in_ec2 |= {key: (name + more, kind) for key, more in _ids_in_ec2(ec2, stack, kind, physical)}
    if not in_ec2:
        return
    pages = ec2.get_paginator("describe_tags").paginate(Filters=[{"Name": "resource-id", "Values": list(in_ec2)}])
    tags = [tag for page in pages for tag in page["Tags"]]
    for identity, (name, kind) in in_ec2.items():
        yield _Resource(name, kind, identity, {it["Key"]: it["Value"] for it in tags if it["ResourceId"] == identity})


def _read_secret(client: Any, name: str, arn: str) -> Iterator[_Resource]:
    """The secret; nothing if somebody deleted it, which is drift."""
    try:
        described = client.describe_secret(SecretId=arn)
    except client.exceptions.ResourceNotFoundException:
        return
    if "DeletedDate" not in described:
        yield _Resource(name, _OF_SECRETS, arn, {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())})


def _ids_in_ec2(ec2: Any, stack: Stack, kind: str, physical: str) -> Iterator[tuple[str, str]]:
    """EC2's ids of what a resource is, or made, each with what it is called beside the resource's own name."""
    match kind:
        case "AWS::EC2::Volume" | "AWS::EC2::LaunchTemplate":
            yield physical, ""
        case "AWS::EC2::KeyPair" if "KeyPairId" in stack.outputs:
            yield stack.outputs["KeyPairId"], ""
        case "AWS::EC2::Instance":
            # With a filter, an instance that is gone is no error.
            by_id = {"Name": "instance-id", "Values": [physical]}
            for reservation in ec2.describe_instances(Filters=[by_id])["Reservations"]:
                yield from ((it, " (root volume)") for it in map(_root_volume, reservation["Instances"]) if it)
        case "AWS::AutoScaling::AutoScalingGroup":
            alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
            own = {"Name": "tag:aws:autoscaling:groupName", "Values": [physical]}
            for reservation in ec2.describe_instances(Filters=[own, alive])["Reservations"]:
                yield from ((it["InstanceId"], " (instance)") for it in reservation["Instances"])


def _root_volume(instance: Mapping[str, Any]) -> str | None:
    mapped = {it["DeviceName"]: it["Ebs"]["VolumeId"] for it in instance.get("BlockDeviceMappings", ())}
    return mapped.get(instance.get("RootDeviceName", ""))
