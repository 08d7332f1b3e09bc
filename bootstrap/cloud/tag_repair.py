"""Sets tags of resources whose tags CloudFormation never sets, or does not change after it created them.

A change of a stack's tags does not change the tags of

    launch templates        CloudFormation gives them no stack tags, and new tags in the template would replace the machine
    root volumes            they get their tags from the instance when they are created
    the bastion's instance  it gets its tags from its Auto Scaling group when it is created
    the data stack          one of its resources, the key pair, would be replaced (KeepsTags in its template)
    the stacks of agents    likewise

The tags Commit and Run are not changed: they name the run that created the resource. A tag that is no longer in the environment
file is removed if a stack of the environment has it; all other tags belong to somebody else. So a launch calls `apply` twice:
before it changes the stacks, which still have the old tags, and afterwards, for new resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud import tag_calls
from bootstrap.cloud.world import World
from bootstrap.environment.tags import OWN, VOLATILE
from bootstrap.stacks.composition import AGENTS
from bootstrap.values import Change, ChangeKind, Reporter, Stack

STACKS = ("data", "controller", "bastion")
"""The stacks with such resources, beside those of groups of agents."""
# In a stack that keeps its tags (KeepsTags in its template), these types need new ones, too.
_INSTANCE = "AWS::EC2::Instance"
_MOST_IN_A_FILTER = 200  # values of one filter, by the limits of EC2's API
_OF_KEPT = {tag_calls.SECRET, tag_calls.ROLE, tag_calls.GROUP}


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
        resource = difference.resource
        tag_calls.write_tags(world, resource.kind, resource.identity, difference.values, difference.removed)
        if report is not None:
            report.change(difference.change)


def _find_differences(
    world: World, stacks: Mapping[str, Stack], names: Sequence[str], tags: Mapping[str, str]
) -> Iterator[_Difference]:
    if world.is_on_machine:
        return
    desired = {key: value for key, value in tags.items() if key not in VOLATILE}
    dropped = {key for stack in stacks.values() for key in stack.tags} - {*tags, *OWN}
    for resource in _read_resources(world, [stacks[name] for name in names if _has_such(name) and name in stacks]):
        values = {key: value for key, value in desired.items() if resource.tags.get(key) != value}
        removed = tuple(sorted(dropped & resource.tags.keys()))
        if values or removed:
            yield _Difference(resource, values, removed)


def _has_such(name: str) -> bool:
    return name in STACKS or name.startswith(AGENTS)


def _keeps_tags(stack: Stack) -> bool:
    """Whether the template of a stack keeps its tags: those with key pairs do."""
    return any(output.endswith("KeyPairId") for output in stack.outputs)


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
            if kind in _OF_KEPT and _keeps_tags(stack):
                found = tag_calls.read_tags(world, kind, physical)
                if found is not None:
                    yield _Resource(name, kind, physical, found)
            tagged = _INSTANCE if kind == tag_calls.GROUP else kind
            ec2_resources |= {key: (name + suffix, tagged) for key, suffix in _list_ec2_ids(ec2, kind, physical)}
    if not ec2_resources:
        return
    ids = list(ec2_resources)
    pages = (
        page
        for begin in range(0, len(ids), _MOST_IN_A_FILTER)
        for page in ec2.get_paginator("describe_tags").paginate(
            Filters=[{"Name": "resource-id", "Values": ids[begin : begin + _MOST_IN_A_FILTER]}]
        )
    )
    tags = [tag for page in pages for tag in page["Tags"]]
    for identity, (name, kind) in ec2_resources.items():
        yield _Resource(
            name, kind, identity, {tag["Key"]: tag["Value"] for tag in tags if tag["ResourceId"] == identity}
        )


def _list_ec2_ids(ec2: Any, kind: str, physical: str) -> Iterator[tuple[str, str]]:
    """The EC2 ids of a resource, or of what it created, each with a suffix for the name of the resource."""
    match kind:
        case "AWS::EC2::Volume" | "AWS::EC2::LaunchTemplate":
            yield physical, ""
        case "AWS::EC2::KeyPair":  # its physical id is its name
            pairs = ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [physical]}])["KeyPairs"]
            yield from ((pair["KeyPairId"], "") for pair in pairs)
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
