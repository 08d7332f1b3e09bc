"""Lifecycle hooks and notifications of Auto Scaling groups; moto only stores the hooks.

Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html. An instance with a hook waits in the state
Pending:Wait after its launch, and in Terminating:Wait, still running, before its termination. It waits until
CompleteLifecycleAction was called for each hook, or until the HeartbeatTimeout is over (then `heartbeats` calls it with the
DefaultResult). If a launch is abandoned, the instance is terminated and replaced. A termination continues after both results.
The hooks' targets and the group's topics get the messages that Auto Scaling sends.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.persistence import randomness

log = logging.getLogger(__name__)

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
WAITING = {LAUNCHING: "Pending:Wait", TERMINATING: "Terminating:Wait"}
MEMBERS = frozenset({"InService", WAITING[LAUNCHING]})  # which count for the group's size
LAUNCHED, TERMINATED = "autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE"
TEST = "autoscaling:TEST_NOTIFICATION"
TYPES = [LAUNCHED, f"{LAUNCHED}_ERROR", TERMINATED, f"{TERMINATED}_ERROR", TEST]
_ORIGINS_AND_DESTINATIONS = {LAUNCHING: ("EC2", "AutoScalingGroup"), TERMINATING: ("AutoScalingGroup", "EC2")}


@dataclass
class Hold:
    """One hook delays one instance until `deadline` (seconds since the epoch)."""

    hook: str
    token: str
    deadline: float
    seconds: int
    result: str


def list_holds(state: Any) -> list[Hold]:
    """The holds of an instance of a group."""
    holds: list[Hold] = getattr(state, "holds", [])
    return holds


def hold_instance(module: Any, group: Any, state: Any, transition: str) -> bool:
    """Delay an instance by the group's hooks; False if there are none."""
    hooks = [
        hook
        for hook in group.autoscaling_backend.lifecycle_hooks.values()
        if hook.auto_scaling_group_name == group.name and hook.lifecycle_transition == transition
    ]
    if not hooks or getattr(group, "is_being_deleted", False):
        return False
    state.lifecycle_state = WAITING[transition]
    state.holds = []
    for hook in hooks:
        token, seconds = str(module.random.uuid4()), int(hook.heartbeat_timeout)
        deadline = randomness.Clock.time() + seconds
        state.holds.append(Hold(hook.name, token, deadline, seconds, hook.default_result))
        if getattr(hook, "notification_target_arn", None):
            _send(group, hook.notification_target_arn, *_make_action_message(group, state, hook, token))
    return True


def start_termination(module: Any, group: Any, state: Any) -> None:
    """Begin to remove an instance from its group: its hooks delay it, or else it is terminated now."""
    if state.lifecycle_state != WAITING[TERMINATING] and not hold_instance(module, group, state, TERMINATING):
        terminate(group, state)


def terminate(group: Any, state: Any) -> None:
    """Terminate an instance and remove it from its group."""
    if state in group.instance_states:
        group.instance_states.remove(state)
    group.autoscaling_backend.ec2_backend.terminate_instances([state.instance.id])
    notify(group, TERMINATED, state)


def complete_action(module: Any, backend: Any, parameters: dict[str, Any]) -> None:
    """Answer CompleteLifecycleAction; moto's ValidationError if no instance has this hold."""
    group, state, hold = _find_hold(module, backend, parameters)
    state.holds.remove(hold)
    is_abandoned = parameters["LifecycleActionResult"] == "ABANDON"
    if state.lifecycle_state == WAITING[TERMINATING]:
        if is_abandoned or not state.holds:
            terminate(group, state)
    elif is_abandoned:
        terminate(group, state)
        group.set_desired_capacity(group.desired_capacity)
    elif not state.holds:
        state.lifecycle_state = "InService"
        notify(group, LAUNCHED, state)
        backend.update_attached_elbs(group.name)
        backend.update_attached_target_groups(group.name)


def record_heartbeat(module: Any, backend: Any, parameters: dict[str, Any]) -> None:
    """Answer RecordLifecycleActionHeartbeat: restart the time-out; moto's ValidationError if no instance has this hold."""
    _, _, hold = _find_hold(module, backend, parameters)
    hold.deadline = randomness.Clock.time() + hold.seconds


def notify(group: Any, kind: str, state: Any = None) -> None:
    """Send an event to those of the group's topics that are configured for its kind."""
    for topic, kinds in get_notifications(group.autoscaling_backend).get(group.name, {}).items():
        if kind in kinds or kind == TEST:
            message = {"Service": "AWS Auto Scaling", "Event": kind, "AutoScalingGroupName": group.name}
            message |= {"AccountId": group.autoscaling_backend.account_id, "AutoScalingGroupARN": group.arn}
            message |= {"Time": randomness.utcnow().isoformat() + "Z"}
            if state is not None:
                message |= {"EC2InstanceId": state.instance.id, "StatusCode": "Complete", "Progress": 100}
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
    for state in group.instance_states if group is not None else ():
        for hold in list_holds(state):
            if hold.hook == parameters["LifecycleHookName"] and (token == hold.token or name == state.instance.id):
                return group, state, hold
    subject = f"instance ID {name}" if name else f"token {token}"
    raise module.ValidationError(f"No active Lifecycle Action found with {subject}")


def _make_action_message(group: Any, state: Any, hook: Any, token: str) -> tuple[str, dict[str, Any]]:
    transition = hook.lifecycle_transition
    origin, destination = _ORIGINS_AND_DESTINATIONS[transition]
    return f"Auto Scaling:  Lifecycle action '{transition.rpartition('_')[2]}' for instance {state.instance.id}", {
        "Service": "AWS Auto Scaling",
        "Time": randomness.utcnow().isoformat() + "Z",
        "AccountId": group.autoscaling_backend.account_id,
        "LifecycleActionToken": token,
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": group.name,
        "EC2InstanceId": state.instance.id,
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
    # While another thread loads the module, it has no backends yet.
    accounts = getattr(sys.modules.get("moto.autoscaling.models"), "autoscaling_backends", {})
    holds = []
    for regions in list(accounts.values()):
        for region, backend in list(dict.items(regions)):
            for group in list(backend.autoscaling_groups.values()):
                for state in list(group.instance_states):
                    overdue = [hold for hold in list(list_holds(state)) if hold.deadline <= now]
                    holds += [(str(region), group.name, state.instance.id, hold) for hold in overdue]
    return holds
