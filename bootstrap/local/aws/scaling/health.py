"""Notices members whose instance does not run any more, and what their groups do then; repeats launches that failed.

AWS looks about once a minute, here twice a second. What is seen becomes an event of the journal, so that a replay decides the
same. An instance that is not in the state running is replaced at once, also in its grace period: that is for status checks and
load balancers. Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html.
"""

from __future__ import annotations

import time
from typing import Any

from bootstrap.local.aws.persistence.journal import Record
from bootstrap.local.aws.scaling import activities, capacity, lifecycle, members
from bootstrap.local.aws.server.door import Door

NOT_REACHED = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "


class HealthChecks:
    """The health checks of all groups; `check` looks once, and records what it sees with `door`."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.event_handlers["member-failed"] = apply_failure
        door.event_handlers["launch-repeated"] = apply_retry

    def check(self) -> None:
        """Record each member that is dead, and let the groups whose launches failed try again."""
        for group in members.list_groups():
            for member in list(group.instance_states):
                if _is_to_be_judged(group, member):
                    self._door.record_event("member-failed", **_name_group(group), instance=member.instance.id)
            if capacity.needs_retry(group, time.time()):
                self._door.record_event("launch-repeated", **_name_group(group))


def apply_failure(record: Record) -> None:
    """Mark a dead member as unhealthy; its group terminates and replaces it, unless a process is suspended."""
    group = _find_group(record)
    member = members.find_member(group, record["instance"]) if group else None
    if member is None or member.lifecycle_state in members.LEAVING:
        return
    member.health_status, member.unhealthy_reason = members.UNHEALTHY, activities.DIED
    if member.lifecycle_state not in members.COMING:
        capacity.converge(group)
        return
    reason = member.instance.state_reason
    member.launch_activity.finish(activities.CANCELLED, NOT_REACHED + (reason.message if reason else "unknown"))
    lifecycle.notify(group, lifecycle.NOT_LAUNCHED, member)
    capacity.note_failure(group)
    capacity.end_unhealthy_member(group, member)  # its replacement comes after a pause, or it would fail as fast again


def apply_retry(record: Record) -> None:
    """Let a group launch what it lacks."""
    group = _find_group(record)
    if group is not None:
        capacity.converge(group)


def note_booted(instance: Any) -> None:
    """Put the member of an instance into service, because its machine has booted; nothing for an instance of no group."""
    membership = members.find_membership(instance)
    if membership is None:
        return
    group, member = membership
    member.is_booted = True
    capacity.note_success(group)
    lifecycle.admit(group, member)


def note_ended(instance: Any) -> None:
    """Remove the member of an instance whose machine has ended, if the group has terminated it."""
    instance.has_ended = True
    membership = members.find_membership(instance)
    if membership is not None and membership[1].lifecycle_state in {members.TERMINATING, members.TERMINATING_PROCEED}:
        lifecycle.remove(*membership)


def _is_to_be_judged(group: Any, member: Any) -> bool:
    is_watched = member.lifecycle_state in members.COUNTED and member.health_status == members.HEALTHY
    return is_watched and members.is_dead(member) and not members.is_suspended(group, "HealthCheck")


def _name_group(group: Any) -> dict[str, str]:
    return {"account": group.account_id, "region": group.region, "group": group.name}


def _find_group(record: Record) -> Any | None:
    from moto.autoscaling.models import autoscaling_backends

    return autoscaling_backends[record["account"]][record["region"]].autoscaling_groups.get(record["group"])
