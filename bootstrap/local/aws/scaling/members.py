"""The members of Auto Scaling groups: their lifecycle states, and which of them count for the size of their group.

Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html. A member is moto's InstanceState.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

PENDING, PENDING_WAIT, PENDING_PROCEED = "Pending", "Pending:Wait", "Pending:Proceed"
IN_SERVICE, STANDBY = "InService", "Standby"
TERMINATING, TERMINATING_WAIT, TERMINATING_PROCEED = "Terminating", "Terminating:Wait", "Terminating:Proceed"

COMING = frozenset({PENDING, PENDING_WAIT, PENDING_PROCEED})
COUNTED = COMING | {IN_SERVICE}
"""The states in which a member counts for the size of its group."""
LEAVING = frozenset({TERMINATING, TERMINATING_WAIT, TERMINATING_PROCEED})

HEALTHY, UNHEALTHY = "Healthy", "Unhealthy"
_DEAD = frozenset({"stopping", "stopped", "shutting-down", "terminated"})


def list_groups() -> Iterator[Any]:
    """All groups of all accounts and regions; none if no request has used Auto Scaling yet."""
    # While another thread loads the module, it has no backends yet.
    accounts = getattr(sys.modules.get("moto.autoscaling.models"), "autoscaling_backends", {})
    for regions in list(accounts.values()):
        for backend in list(dict.values(regions)):
            yield from list(backend.autoscaling_groups.values())


def list_counted(group: Any) -> list[Any]:
    """The members that count for the size of the group, oldest first."""
    return [member for member in group.instance_states if member.lifecycle_state in COUNTED]


def count_capacity(group: Any) -> int:
    """The capacity of the group now: the sum of the weights of its counted members (1, if no override says otherwise)."""
    return sum(get_weight(member) for member in list_counted(group))


def get_weight(member: Any) -> int:
    """How much a member counts: the WeightedCapacity of its instance type in the group's MixedInstancesPolicy, or 1."""
    return int(getattr(member, "weighted_capacity", None) or 1)


def find_member(group: Any, instance_id: str) -> Any | None:
    """The member of a group with this instance, or None."""
    return next((member for member in group.instance_states if member.instance.id == instance_id), None)


def find_membership(instance: Any) -> tuple[Any, Any] | None:
    """The group of an instance and its member; None for an instance of no group."""
    group = getattr(instance, "autoscaling_group", None)
    member = find_member(group, instance.id) if group is not None else None
    return None if member is None else (group, member)


def is_suspended(group: Any, process: str) -> bool:
    """Whether SuspendProcesses has suspended a process of the group."""
    return process in group._suspended_processes


def is_dead(member: Any) -> bool:
    """Whether the instance of a member is in none of the states in which an EC2 health check passes: pending and running."""
    return member.instance.state in _DEAD
