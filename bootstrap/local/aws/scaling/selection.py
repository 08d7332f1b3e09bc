"""Chooses where a group launches its next instance, and which member it terminates when it shrinks.

Sources: https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html (zones are balanced) and
ec2-auto-scaling-termination-policies.html. Where AWS chooses at random, the first or the oldest one is chosen here, so that a
replay of the journal chooses the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.scaling import members

POLICIES = (
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)
HOUR_SECONDS = 3600.0


@dataclass(frozen=True)
class Place:
    """Where an instance is launched: a zone, and a subnet of it ('' without VPCZoneIdentifier)."""

    zone: str
    subnet_id: str


def list_places(group: Any) -> list[Place]:
    """The zones and subnets of a group, in the order in which it was given them."""
    if not group.vpc_zone_identifier:
        return [Place(zone, "") for zone in group.availability_zones]
    ids = [name.strip() for name in group.vpc_zone_identifier.split(",") if name.strip()]
    return [Place(group.ec2_backend.get_subnet(name).availability_zone, name) for name in ids]


def choose_place(group: Any) -> Place:
    """The place of the next instance: in the zone with the fewest members, and there in the subnet with the fewest."""
    counted = members.list_counted(group)
    zones = Counter(member.instance.availability_zone for member in counted)
    subnets = Counter(member.instance.subnet_id for member in counted)
    return min(list_places(group), key=lambda place: (zones[place.zone], subnets[place.subnet_id]))


def choose_leaving(group: Any) -> Any | None:
    """The member that leaves when the group shrinks by one; None if all are protected from scale-in.

    The zone with most members comes first, of those that have an unprotected one. Within it, the termination policies decide
    in their order, and then the age.
    """
    counted = members.list_counted(group)
    free = [member for member in counted if not member.protected_from_scale_in]
    if not free:
        return None
    zones = Counter(member.instance.availability_zone for member in counted)
    most = max(zones[member.instance.availability_zone] for member in free)
    candidates = [member for member in free if zones[member.instance.availability_zone] == most]
    for policy in group.termination_policies:
        candidates = _narrow(group, candidates, policy)
    return candidates[0]


def _narrow(group: Any, candidates: Sequence[Any], policy: str) -> list[Any]:
    """The candidates that a termination policy prefers, oldest first."""
    if policy == "Default":
        return _narrow(group, _narrow(group, candidates, "OldestLaunchTemplate"), "ClosestToNextInstanceHour")
    if policy in {"OldestLaunchTemplate", "OldestLaunchConfiguration"}:
        return _keep_least(candidates, lambda member: _rank_template(group, member))
    if policy == "NewestInstance":
        return [candidates[-1]]
    if policy == "OldestInstance":
        return [candidates[0]]
    if policy == "ClosestToNextInstanceHour":
        return _keep_least(candidates, lambda member: HOUR_SECONDS - _get_second_of_hour(member))
    return list(candidates)  # AllocationStrategy: all instance types are to be had here, so none is preferred


def _keep_least(candidates: Sequence[Any], rank: Callable[[Any], float]) -> list[Any]:
    ranks = [rank(member) for member in candidates]
    return [member for member, value in zip(candidates, ranks, strict=True) if value == min(ranks)]


def _rank_template(group: Any, member: Any) -> float:
    """The age of a member's launch template: another template or a launch configuration is older than any version."""
    source, template = getattr(member, "source_template", None), group.ec2_launch_template
    if template is None or source is None or source["LaunchTemplateId"] != template.id:
        return -1.0
    return float(source["Version"])


def _get_second_of_hour(member: Any) -> float:
    """How many seconds of its current hour an instance has run; the clock is that of the request, also in a replay."""
    return float((randomness.utcnow() - member.instance.launch_time).total_seconds() % HOUR_SECONDS)
