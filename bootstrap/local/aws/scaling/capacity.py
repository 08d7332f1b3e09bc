"""Brings a group to its desired capacity: replaces unhealthy members, launches, terminates.

`converge` is called at the end of each request and event that changes the group. If a launch fails, the group tries again
after a pause that becomes longer with each failure (see `health`).
"""

from __future__ import annotations

import logging
from typing import Any

from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.scaling import activities, lifecycle, members, mixed, selection, targets

log = logging.getLogger(__name__)

GROUP_TAG = "aws:autoscaling:groupName"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 300.0


def converge(group: Any, request: str = "") -> None:
    """Replace the unhealthy members, and launch or terminate what the desired capacity demands.

    `request` is the sentence about what changed the group, the first of the cause of each activity.
    """
    replaced = _end_unhealthy(group)
    desired, present = int(group.desired_capacity or 0), members.count_capacity(group)
    if present < desired and not members.is_suspended(group, "Launch"):
        _grow(group, desired, request, replaced)
    elif present > desired and not members.is_suspended(group, "Terminate"):
        _shrink(group, desired, request)
    targets.register(group)


def note_failure(group: Any) -> None:
    """Let the group wait before its next own attempt to launch; the pause doubles with each failure."""
    failures = getattr(group, "launch_failures", 0)
    group.launch_failures = failures + 1
    group.retry_at = randomness.Clock.time() + min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**failures)


def note_success(group: Any) -> None:
    """Forget earlier failures: an instance of the group has booted. An attempt that is due still comes."""
    group.launch_failures = 0


def needs_retry(group: Any, now: float) -> bool:
    """Whether the group lacks instances, because launches failed, and its pause is over at `now`."""
    lacks = members.count_capacity(group) < int(group.desired_capacity or 0)
    return lacks and float(getattr(group, "retry_at", 0.0)) <= now and not members.is_suspended(group, "Launch")


def end_unhealthy_member(group: Any, member: Any) -> bool:
    """Terminate an unhealthy member, protected or not; False if a suspended process forbids it."""
    if members.is_suspended(group, "ReplaceUnhealthy") or members.is_suspended(group, "Terminate"):
        return False
    reason = getattr(member, "unhealthy_reason", activities.JUDGED)
    lifecycle.leave(group, member, activities.say(f"an instance was taken out of service in response to {reason}"))
    return True


def _end_unhealthy(group: Any) -> int:
    unhealthy = [member for member in members.list_counted(group) if member.health_status == members.UNHEALTHY]
    return sum(end_unhealthy_member(group, member) for member in unhealthy)


def _grow(group: Any, desired: int, request: str, replaced: int) -> None:
    before = members.count_capacity(group)
    change = f"increasing the capacity from {before} to {desired}"
    started = activities.say(f"an instance was started in response to {activities.DIFFERENCE}, {change}")
    replacing = activities.say("an instance was launched in response to an unhealthy instance needing to be replaced")
    while members.count_capacity(group) < desired:
        cause = replacing if replaced > 0 else activities.join(request, started)
        replaced -= 1
        if not _launch(group, cause):
            return


def _launch(group: Any, cause: str) -> bool:
    """Launch one instance; False if EC2 refuses it, which becomes a failed activity."""
    from moto.core.exceptions import ServiceException

    message = ""
    for choice in mixed.list_choices(group):
        try:
            instance = _run_instance(group, selection.choose_place(group), choice)
        except ServiceException as refusal:
            message = f"{refusal.message} Launching EC2 instance failed."
            continue
        member = _add_member(group, instance, choice)
        activity = activities.begin(group, f"Launching a new EC2 instance: {instance.id}", cause, instance)
        lifecycle.enter(group, member, activity)
        return True
    log.warning("group %s cannot launch: %s", group.name, message)
    activities.begin(group, "Launching a new EC2 instance", cause).finish(activities.FAILED, message)
    lifecycle.notify(group, lifecycle.NOT_LAUNCHED)
    note_failure(group)
    return False


def _run_instance(group: Any, place: selection.Place, choice: mixed.Choice) -> Any:
    """Call moto's RunInstances for one instance of the group. Raises EC2's errors."""
    source = find_source(group, choice)
    version = source or group.launch_config
    # As on AWS, a tag of the group takes precedence over one of the launch template.
    tags = {**(source.instance_tags if source else {}), **group.get_propagated_tags(), GROUP_TAG: group.name}
    reservation = group.ec2_backend.run_instances(
        version.image_id,
        1,
        version.user_data,
        version.security_groups,
        instance_type=choice.instance_type,
        tags={"instance": tags},
        placement=place.zone,
        region_name=group.region,
        launch_config=group.launch_config,
        launch_template={"LaunchTemplateId": source.template.id, "Version": str(source.number)} if source else None,
        is_instance_type_default=False,
        associate_public_ip=group.launch_config.associate_public_ip_address if group.launch_config else None,
        subnet_id=place.subnet_id or None,
        instance_market_options={"MarketType": mixed.SPOT} if choice.is_spot else None,
    )
    return reservation.instances[0]


def find_source(group: Any, choice: mixed.Choice) -> Any | None:
    """The version of the launch template that an instance is launched from; None if the group has a launch configuration."""
    if choice.template:
        given = {key: value for key, value in choice.template.items() if value}
        return group.ec2_backend._get_template_from_args(given)
    template = group.ec2_launch_template
    return None if template is None else template.get_version(group.launch_template_version)


def _add_member(group: Any, instance: Any, choice: mixed.Choice) -> Any:
    from moto.autoscaling.models import InstanceState

    instance.autoscaling_group = group
    member: Any = InstanceState(instance, protected_from_scale_in=group.new_instances_protected_from_scale_in)
    source = find_source(group, choice)
    if source is not None:  # moto would show the template that the group has at the time of the question
        template, number = source.template, str(source.number)
        named = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": number}
        member.source_template = named
    if choice.weight != 1:
        member.weighted_capacity = str(choice.weight)
    group.instance_states.append(member)
    return member


def _shrink(group: Any, desired: int, request: str) -> None:
    before = members.count_capacity(group)
    change = f"shrinking the capacity from {before} to {desired}"
    taken = activities.say(f"an instance was taken out of service in response to {activities.DIFFERENCE}, {change}")
    while members.count_capacity(group) > desired:
        member = selection.choose_leaving(group)
        if member is None:
            _note_all_protected(group, request)
            return
        if members.count_capacity(group) - members.get_weight(member) < desired:
            return  # a weighted instance stays if the group would be too small without it
        chosen = activities.say(f"instance {member.instance.id} was selected for termination")
        lifecycle.leave(group, member, activities.join(request, taken, chosen))


def _note_all_protected(group: Any, request: str) -> None:
    """Record that the group cannot shrink: one cancelled activity for each request, not for each later look."""
    if request:
        activities.begin(group, activities.ALL_PROTECTED, request).finish(activities.CANCELLED)
