"""What groups of agents cost: instances that always run by the month, all others by the hours that they run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bootstrap.environment.agents import AgentGroup
from bootstrap.environment.models import Settings
from bootstrap.stacks import composition
from bootstrap.values import Stack


def list_options(settings: Settings, stacks: Collection[str]) -> Iterator[tuple[str, str, str, int]]:
    """The instances of the groups in these stacks that always run, as `costs` lists options; Spot has no price by the month."""
    for label, group in _list_groups(settings, stacks):
        if not group.spot:
            kind = group.instance_types[0]
            yield f"agents '{label}' {kind}", "instances", kind, count_standing(group)


def count_standing_gib(settings: Settings, stacks: Collection[str]) -> int:
    """The GiB of the disks of the instances that always run."""
    return sum(count_standing(group) * group.disk_gib for _, group in _list_groups(settings, stacks))


def count_standing(group: AgentGroup) -> int:
    """How many instances run while nothing is built."""
    return max(group.minimum, group.spare)


def list_by_use(settings: Settings, prices: Mapping[str, Any]) -> Iterator[str]:
    """A text for each group that can grow. `prices` are those of the region."""
    for label, group in settings.agents.items():
        more = group.maximum - count_standing(group)
        price = prices.get("instances", {}).get(group.instance_types[0])
        if group.spot:
            yield f"{count_standing(group)} to {group.maximum} agents '{label}' at the price of Spot"
        elif more and price is not None:
            yield f"up to {more} more agents '{label}', each {price} an hour"


def read_standing_groups(settings: Settings, stacks: Mapping[str, Stack]) -> dict[str, AgentGroup]:
    """The groups that exist, as far as they affect the cost; idle instances that stand by are no parameter of a stack."""
    groups = {}
    for name, stack in stacks.items():
        if not name.startswith(composition.AGENTS) or "InstanceType1" not in stack.parameters:
            continue
        label, values = name.removeprefix(composition.AGENTS), stack.parameters
        wished = settings.agents.get(label)
        maximum = int(values.get("Maximum", 1))
        groups[label] = AgentGroup(
            instance_types=(values["InstanceType1"],),
            spot=values.get("Spot") == "yes",
            minimum=min(int(values.get("Minimum", 0)), maximum),
            maximum=maximum,
            spare=min(wished.spare, maximum) if wished else 0,
            disk_gib=int(values.get("DiskGib", 20)),
        )
    return groups


def _list_groups(settings: Settings, stacks: Collection[str]) -> Iterator[tuple[str, AgentGroup]]:
    for label, group in settings.agents.items():
        if composition.name_agents_stack(label) in stacks:
            yield label, group
