"""Lifecycle hooks and notifications of Auto Scaling groups, and the way of a member in and out; moto only stores the hooks.

Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html. An instance with a hook waits in the state
Pending:Wait after its launch, and in Terminating:Wait, still running, before its termination. It waits until
CompleteLifecycleAction was called for each hook, or until the HeartbeatTimeout is over (then `heartbeats` calls it with the
DefaultResult). If a launch is abandoned, the instance is terminated and replaced. A termination continues after both results.
A member is InService when no hook delays it and its machine has booted, and it leaves the group when its machine has ended.
The hooks' targets and the group's topics get the messages that Auto Scaling sends.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.scaling import activities, members, targets

log = logging.getLogger(__name__)

LAUNCHING, ENDING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
_WAITING = {LAUNCHING: members.PENDING_WAIT, ENDING: members.TERMINATING_WAIT}
LAUNCHED, ENDED = "autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE"
NOT_LAUNCHED = f"{LAUNCHED}_ERROR"
TEST = "autoscaling:TEST_NOTIFICATION"
TYPES = [LAUNCHED, NOT_LAUNCHED, ENDED, f"{ENDED}_ERROR", TEST]
_ORIGINS_AND_DESTINATIONS = {LAUNCHING: ("EC2", "AutoScalingGroup"), ENDING: ("AutoScalingGroup", "EC2")}


@dataclass
class Hold:
    """One hook delays one instance until `deadline` (seconds since the epoch)."""

    hook: str
    token: str
    deadline: float
    seconds: int
    result: str


def list_holds(member: Any) -> list[Hold]:
    """The holds of an instance of a group."""
    holds: list[Hold] = getattr(member, "holds", [])
    return holds


def hold_instance(group: Any, member: Any, transition: str) -> bool:
    """Delay an instance by the group's hooks; False if there are none."""
    from moto.moto_api._internal import mock_random

    hooks = [
        hook
        for hook in group.autoscaling_backend.lifecycle_hooks.values()
        if hook.auto_scaling_group_name == group.name and hook.lifecycle_transition == transition
    ]
    if not hooks or is_being_deleted(group):
        return False
    member.lifecycle_state = _WAITING[transition]
    member.holds = []
    for hook in hooks:
        token, seconds = str(mock_random.uuid4()), int(hook.heartbeat_timeout)
        deadline = randomness.Clock.time() + seconds
        member.holds.append(Hold(hook.name, token, deadline, seconds, hook.default_result))
        if getattr(hook, "notification_target_arn", None):
            _send(group, hook.notification_target_arn, *_make_action_message(group, member, hook, token))
    return True


def is_being_deleted(group: Any) -> bool:
    """Whether DeleteAutoScalingGroup was called with ForceDelete: the group goes when its last instance has ended."""
    return bool(getattr(group, "is_being_deleted", False))


def enter(group: Any, member: Any, activity: activities.Activity) -> None:
    """Begin the way of a new member into the group: its hooks delay it, and its machine boots."""
    member.launch_activity, member.lifecycle_state, member.is_booted = activity, members.PENDING, False
    activity.move_to(activities.WAITING if hold_instance(group, member, LAUNCHING) else activities.PRE_IN_SERVICE)


def admit(group: Any, member: Any) -> None:
    """Put a member into service, if nothing delays it any more and its machine has booted."""
    if member.lifecycle_state not in members.COMING or list_holds(member) or not member.is_booted:
        return
    member.lifecycle_state, member.in_service_since = members.IN_SERVICE, randomness.Clock.time()
    member.launch_activity.finish()
    notify(group, LAUNCHED, member)
    targets.register(group)


def leave(group: Any, member: Any, cause: str) -> activities.Activity:
    """Begin to remove a member from its group: its hooks delay it, or else its instance is terminated now.

    Returns the activity; a member that is leaving already goes on, with the activity that it has.
    """
    known: activities.Activity | None = getattr(member, "end_activity", None)
    if known is not None:
        return known
    begun = activities.begin(group, f"Terminating EC2 instance: {member.instance.id}", cause, member.instance)
    member.end_activity = begun
    was_coming = member.lifecycle_state in members.COMING
    member.holds = []
    # A hook is for an instance that still runs: on a dead one, nobody could act.
    if not members.is_dead(member) and hold_instance(group, member, ENDING):
        begun.move_to(activities.WAITING)
    else:
        terminate(group, member)
    if was_coming:
        member.launch_activity.finish(activities.CANCELLED)
    return begun


def terminate(group: Any, member: Any) -> None:
    """Terminate the instance of a leaving member; the member goes when its machine has ended, which may be now."""
    waited = member.lifecycle_state == members.TERMINATING_WAIT
    member.lifecycle_state = members.TERMINATING_PROCEED if waited else members.TERMINATING
    member.holds = []
    targets.deregister(group, member)
    member.instance.terminate()  # also with DisableApiTermination: that protects from EC2's TerminateInstances alone
    if getattr(member.instance, "has_ended", False):
        remove(group, member)


def remove(group: Any, member: Any) -> None:
    """Remove a leaving member whose machine has ended, and the group, if it is being deleted and this was its last one."""
    group.instance_states.remove(member)
    member.end_activity.finish()
    notify(group, ENDED, member)
    drop_if_empty(group)


def drop_if_empty(group: Any) -> None:
    """Remove a group that is being deleted, with its hooks and notifications, if it has no members."""
    backend = group.autoscaling_backend
    if group.instance_states or not is_being_deleted(group) or backend.autoscaling_groups.get(group.name) is not group:
        return
    del backend.autoscaling_groups[group.name]
    for key, hook in list(backend.lifecycle_hooks.items()):
        if hook.auto_scaling_group_name == group.name:
            del backend.lifecycle_hooks[key]
    get_notifications(backend).pop(group.name, None)


def complete_action(module: Any, backend: Any, parameters: dict[str, Any]) -> bool:
    """Answer CompleteLifecycleAction; moto's ValidationError if no instance has this hold. True if a launch was abandoned."""
    group, member, hold = _find_hold(module, backend, parameters)
    member.holds.remove(hold)
    is_abandoned = bool(parameters["LifecycleActionResult"] == "ABANDON")
    if member.lifecycle_state == members.TERMINATING_WAIT:
        if is_abandoned or not member.holds:
            terminate(group, member)
        return False
    if is_abandoned:
        leave(group, member, activities.say(f"a lifecycle action of instance {member.instance.id} was abandoned"))
        return True
    if not member.holds:
        member.lifecycle_state = members.PENDING_PROCEED
        member.launch_activity.move_to(activities.PRE_IN_SERVICE)
        admit(group, member)
    return False


def record_heartbeat(module: Any, backend: Any, parameters: dict[str, Any]) -> None:
    """Answer RecordLifecycleActionHeartbeat: restart the time-out; moto's ValidationError if no instance has this hold."""
    _, _, hold = _find_hold(module, backend, parameters)
    hold.deadline = randomness.Clock.time() + hold.seconds


def notify(group: Any, kind: str, member: Any = None) -> None:
    """Send an event to those of the group's topics that are configured for its kind."""
    for topic, kinds in get_notifications(group.autoscaling_backend).get(group.name, {}).items():
        if kind in kinds or kind == TEST:
            message = {"Service": "AWS Auto Scaling", "Event": kind, "AutoScalingGroupName": group.name}
            message |= {"AccountId": group.autoscaling_backend.account_id, "AutoScalingGroupARN": group.arn}
            message |= {"Time": randomness.utcnow().isoformat() + "Z"}
            if member is not None:
                message |= {"EC2InstanceId": member.instance.id, "StatusCode": "Complete", "Progress": 100}
            _send(group, topic, f"Auto Scaling: {kind.split('_')[-1].lower()} for group {group.name}", message)


def get_notifications(backend: Any) -> dict[str, dict[str, list[str]]]:
    """The notification configurations: the kinds of events by group and topic."""
    if not hasattr(backend, "notification_topics"):
        backend.notification_topics = {}
    topics: dict[str, dict[str, list[str]]] = backend.notification_topics
    return topics


def _find_hold(module: Any, backend: Any, parameters: dict[str, Any]) -> tuple[Any, Any, Hold]:
    group = backend.autoscaling_groups.get(parameters["AutoScalingGroupName"])
    name, token = parameters.get("InstanceId"), parameters.get("LifecycleActionToken")
    for member in group.instance_states if group is not None else ():
        for hold in list_holds(member):
            if hold.hook == parameters["LifecycleHookName"] and (token == hold.token or name == member.instance.id):
                return group, member, hold
    subject = f"instance ID {name}" if name else f"token {token}"
    raise module.ValidationError(f"No active Lifecycle Action found with {subject}")


def _make_action_message(group: Any, member: Any, hook: Any, token: str) -> tuple[str, dict[str, Any]]:
    transition = hook.lifecycle_transition
    origin, destination = _ORIGINS_AND_DESTINATIONS[transition]
    return f"Auto Scaling:  Lifecycle action '{transition.rpartition('_')[2]}' for instance {member.instance.id}", {
        "Service": "AWS Auto Scaling",
        "Time": randomness.utcnow().isoformat() + "Z",
        "AccountId": group.autoscaling_backend.account_id,
        "LifecycleActionToken": token,
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": group.name,
        "EC2InstanceId": member.instance.id,
        "LifecycleTransition": transition,
        "NotificationMetadata": getattr(hook, "notification_metadata", None),
        "Origin": origin,
        "Destination": destination,
    }


def _send(group: Any, arn: str, subject: str, message: dict[str, Any]) -> None:
    """Send a message to a topic or a queue; it is lost if the topic or queue does not exist, as on AWS."""
    from moto.sns.models import sns_backends
    from moto.sqs.models import sqs_backends

    _, _, service, region, account, name = arn.split(":", 5)
    body = json.dumps(message)
    try:
        if service == "sns":
            sns_backends[account][region].publish(body, arn=arn, subject=subject[:100])
        else:
            sqs_backends[account][region].send_message(name, body)
    except Exception as failure:  # moto's own, of several kinds
        log.warning("%s of %s: %s", subject, arn, failure)


def list_overdue_holds(now: float) -> list[tuple[str, str, str, Hold]]:
    """The holds whose deadline is over: region, group, instance id and hold."""
    holds = []
    for group in members.list_groups():
        for member in list(group.instance_states):
            overdue = [hold for hold in list(list_holds(member)) if hold.deadline <= now]
            holds += [(str(group.region), group.name, member.instance.id, hold) for hold in overdue]
    return holds
