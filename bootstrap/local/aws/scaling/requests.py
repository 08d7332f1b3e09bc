"""What requests do to a group: new sizes, terminations, health, protection, suspended processes, deletion.

Each function raises `checks.Refused`, and then changes nothing. The patches call them in the place of moto's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.scaling import activities, capacity, checks, lifecycle, members

DELETING = "Delete in progress"


def create_size(group: Any, desired: int | None) -> None:
    """Give a new group its first size: `desired`, or its MinSize."""
    group.desired_capacity = int((group.min_size if desired is None else desired) or 0)
    checks.check_sizes(group.min_size, group.max_size, group.desired_capacity)
    checks.check_policies(group.termination_policies)
    checks.check_source(group)
    change = f"changing the desired capacity from 0 to {group.desired_capacity}"
    capacity.converge(group, activities.say(f"a user request created an AutoScalingGroup {change}"))


def update(group: Any, settings: Mapping[str, Any]) -> None:
    """Change a group by the parameters of UpdateAutoScalingGroup; those that are None stay as they are.

    New bounds move the desired capacity. A change of the launch template is for later instances.
    """
    checks.check_changeable(group)
    least, most = _choose(settings["min_size"], group.min_size), _choose(settings["max_size"], group.max_size)
    desired = settings["desired_capacity"]
    checks.check_sizes(least, most, desired)
    checks.check_policies(settings.get("termination_policies") or ())
    before = int(group.desired_capacity or 0)
    group._set_azs_and_vpcs(settings["availability_zones"], settings["vpc_zone_identifier"], update=True)
    _set_source(group, settings)
    group.min_size, group.max_size = least, most
    group.desired_capacity = min(max(before, least), most) if desired is None else desired
    for name, attribute in _PLAIN.items():
        if settings.get(name) is not None:
            setattr(group, attribute, settings[name])
    bounds = f"constraints to min: {least}, max: {most}, desired: {group.desired_capacity}"
    change = f"changing the desired capacity from {before} to {group.desired_capacity}"
    capacity.converge(group, activities.say(f"a user request update of AutoScalingGroup {bounds} {change}"))


_PLAIN = {
    "health_check_period": "health_check_grace_period",
    "health_check_type": "health_check_type",
    "new_instances_protected_from_scale_in": "new_instances_protected_from_scale_in",
    "default_cooldown": "default_cooldown",
    "termination_policies": "termination_policies",
    "placement_group": "placement_group",
    "capacity_rebalance": "capacity_rebalance",
}


def _choose(new: int | None, old: int) -> int:
    return old if new is None else new


def _set_source(group: Any, settings: Mapping[str, Any]) -> None:
    """Give the group another source of its instances, if the request names one: then the other kinds are no longer there."""
    given = {name: settings[name] for name in ("launch_config_name", "launch_template", "mixed_instances_policy")}
    if not any(given.values()):
        return
    before = {name: vars(group)[name] for name in _SOURCES if name in vars(group)}
    for name in _SOURCES:
        vars(group).pop(name, None)
    group.mixed_instances_policy = given["mixed_instances_policy"] or None
    group.launch_config = group.ec2_launch_template = None
    try:
        group._set_launch_configuration(**given)
        checks.check_source(group)
    except Exception:
        for name in _SOURCES:
            vars(group).pop(name, None)
        vars(group).update(before)
        raise


_SOURCES = (
    "mixed_instances_policy",
    "launch_config",
    "launch_configuration_name",
    "ec2_launch_template",
    "launch_template_version",
    "provided_launch_template_version",
)


def set_desired(
    group: Any, desired: int, because: str = "a user request explicitly set group desired capacity"
) -> None:
    """Set the desired capacity (SetDesiredCapacity, policies); `because` begins the cause of the activities."""
    checks.check_changeable(group)
    before, group.desired_capacity = int(group.desired_capacity or 0), desired
    capacity.converge(group, activities.say(f"{because} changing the desired capacity from {before} to {desired}"))


def terminate(backend: Any, instance_id: str, *, decrement: bool) -> activities.Activity:
    """Terminate an instance, protected or not; without `decrement` it is replaced (TerminateInstanceInAutoScalingGroup)."""
    group, member = checks.find_managed(backend, instance_id)
    if member.lifecycle_state in members.LEAVING:
        if member.lifecycle_state == members.TERMINATING_WAIT:
            lifecycle.terminate(group, member)  # asked for again: its hooks delay it no longer
        return lifecycle.leave(group, member, "")
    before = int(group.desired_capacity or 0)
    change = ""
    if decrement and member.lifecycle_state != members.STANDBY:
        checks.check_decrement(group)
        group.desired_capacity = before - 1
        change = f", shrinking the capacity from {before} to {before - 1}"
    text = f"instance {instance_id} was taken out of service in response to a user request{change}"
    activity = lifecycle.leave(group, member, activities.say(text))
    capacity.converge(group)
    return activity


def set_health(backend: Any, instance_id: str, status: str, *, respects_grace: bool) -> None:
    """Judge an instance (SetInstanceHealth). In its grace period an unhealthy one stays, unless the request says otherwise."""
    if status not in {members.HEALTHY, members.UNHEALTHY}:
        raise checks.Refused("Valid instance health states are: [Healthy, Unhealthy].")
    group, member = checks.find_managed(backend, instance_id)
    if status == members.UNHEALTHY and respects_grace and _is_in_grace(group, member):
        return
    if member.lifecycle_state in members.LEAVING:
        return
    member.health_status, member.unhealthy_reason = status, activities.JUDGED
    capacity.converge(group)


def _is_in_grace(group: Any, member: Any) -> bool:
    seconds = int(group.health_check_grace_period or 0)
    since = getattr(member, "in_service_since", None)
    return seconds > 0 and (since is None or randomness.Clock.time() < since + seconds)


def protect(group: Any, instance_ids: Sequence[str], *, is_protected: bool) -> None:
    """Set or take off the protection from scale-in (SetInstanceProtection); what is free now may leave at once."""
    for member in checks.check_protection(group, instance_ids):
        member.protected_from_scale_in = is_protected
    capacity.converge(group)


def suspend(group: Any, processes: Sequence[str]) -> None:
    """Suspend processes of a group, or all of them."""
    checks.check_processes(processes)
    known = {*group._suspended_processes, *(processes or checks.PROCESSES)}
    group.suspended_processes = sorted(known)


def resume(group: Any, processes: Sequence[str]) -> None:
    """Resume processes of a group, or all of them; what they left undone is done now."""
    checks.check_processes(processes)
    group.suspended_processes = [name for name in group._suspended_processes if processes and name not in processes]
    capacity.converge(group)


def delete(group: Any, *, is_forced: bool) -> None:
    """Delete a group. With ForceDelete its instances are terminated, protected or not, without hooks; the group goes last."""
    if not is_forced:
        checks.check_deletion(group)
    group.is_being_deleted, group.status = True, DELETING
    before = int(group.desired_capacity or 0)
    group.min_size = group.max_size = group.desired_capacity = 0
    cause = activities.say(
        f"a user request force deleted AutoScalingGroup changing the desired capacity from {before} to 0"
    )
    for member in list(group.instance_states):
        if member.lifecycle_state == members.TERMINATING_WAIT:
            lifecycle.terminate(group, member)
        else:
            lifecycle.leave(group, member, cause)
    lifecycle.drop_if_empty(group)
