"""Which instance type and which purchase option the next instance of a group has.

Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html. All types are to be
had here at once, so each allocation strategy takes the first type of the list that can be launched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.scaling import members

SPOT = "spot"


class NotModelled(ValueError):
    """A MixedInstancesPolicy has what the local cloud does not model; the text says what."""


@dataclass(frozen=True)
class Choice:
    """An instance type of a group, with its weight, its purchase option, and the launch template that it is launched from."""

    instance_type: str
    weight: int = 1
    is_spot: bool = False
    template: Mapping[str, Any] = field(default_factory=dict)


def check(policy: Mapping[str, Any] | None) -> None:
    """Raises NotModelled for a policy that chooses its instance types by their attributes."""
    for override in list_overrides(policy):
        if override.get("InstanceRequirements"):
            raise NotModelled("The local cloud does not model InstanceRequirements; name the instance types.")
        if not override.get("InstanceType"):
            raise NotModelled("The local cloud does not model an override without InstanceType.")


def list_overrides(policy: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The overrides of a MixedInstancesPolicy, in their order."""
    return list(((policy or {}).get("LaunchTemplate") or {}).get("Overrides") or [])


def list_choices(group: Any) -> list[Choice]:
    """What the next instance of a group may be, in the order in which it is tried."""
    policy = group.mixed_instances_policy
    if not policy:
        return [Choice(group.instance_type)]
    is_spot = _is_next_spot(group, policy.get("InstancesDistribution") or {})
    return [
        Choice(
            override["InstanceType"],
            int(override.get("WeightedCapacity") or 1),
            is_spot,
            override.get("LaunchTemplateSpecification") or {},
        )
        for override in list_overrides(policy)
    ] or [Choice(group.instance_type, is_spot=is_spot)]


def _is_next_spot(group: Any, distribution: Mapping[str, Any]) -> bool:
    """Whether the next instance is a Spot Instance: the On-Demand capacity that the group needs is there already.

    Above the base, a share is On-Demand; a fraction of an instance is rounded up, in favour of On-Demand.
    """
    base = int(distribution.get("OnDemandBaseCapacity") or 0)
    share = distribution.get("OnDemandPercentageAboveBaseCapacity")
    percent = 100 if share is None else int(share)
    above = max(0, int(group.desired_capacity or 0) - base)
    needed = base + math.ceil(above * percent / 100)
    present = sum(
        members.get_weight(member) for member in members.list_counted(group) if member.instance.lifecycle != SPOT
    )
    return present >= needed
