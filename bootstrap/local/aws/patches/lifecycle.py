"""Lifecycle hooks and notifications of Auto Scaling groups, of which moto keeps the hooks and does nothing with them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html. An instance that a hook holds is Pending:Wait, or
Terminating:Wait while it still runs, until CompleteLifecycleAction was called for each of its hooks, or its HeartbeatTimeout
is over (`heartbeats` then calls it with the DefaultResult). One that is abandoned on its way in is terminated, and another
made; on its way out either result lets it go on. A group's hooks and topics get the messages that Auto Scaling sends.
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
WAYS = {LAUNCHING: ("EC2", "AutoScalingGroup"), TERMINATING: ("AutoScalingGroup", "EC2")}


@dataclass
class Hold:
    """One hook's hold of one instance, until `deadline` (seconds since the epoch)."""

    hook: str
    token: str
    deadline: float
    seconds: int
    result: str


def holds_of(state: Any) -> list[Hold]:
    """What holds an instance of a group."""
    found: list[Hold] = getattr(state, "holds", [])
    return found


def hold(module: Any, group: Any, state: Any, transition: str) -> bool:
    """Let the group's hooks hold an instance; whether there are any."""
    hooks = [
        hook
        for hook in group.autoscaling_backend.lifecycle_hooks.values()
        if hook.auto_scaling_group_name == group.name and hook.lifecycle_transition == transition
    ]
    if not hooks or getattr(group, "is_going", False):
        return False
    state.lifecycle_state = WAITING[transition]
    state.holds = []
    for hook in hooks:
        token, seconds = str(module.random.uuid4()), int(hook.heartbeat_timeout)
        until = randomness.Clock.time() + seconds
        state.holds.append(Hold(hook.name, token, until, seconds, hook.default_result))
        if getattr(hook, "notification_target_arn", None):
            _send(group, hook.notification_target_arn, *_action(group, state, hook, token))
    return True


def let_go(module: Any, group: Any, state: Any) -> None:
    """Terminate an instance that is the group's no more, once its hooks let it."""
    if state.lifecycle_state != WAITING[TERMINATING] and not hold(module, group, state, TERMINATING):
        end(group, state)


def end(group: Any, state: Any) -> None:
    """Terminate an instance of a group, and let the group know nothing of it any more."""
    if state in group.instance_states:
        group.instance_states.remove(state)
    group.autoscaling_backend.ec2_backend.terminate_instances([state.instance.id])
    notify(group, TERMINATED, state)


def complete(module: Any, backend: Any, asked: dict[str, Any]) -> None:
    """CompleteLifecycleAction. Raises moto's ValidationError where nothing is held so."""
    group, state, held = _find(module, backend, asked)
    state.holds.remove(held)
    is_abandoned = asked["LifecycleActionResult"] == "ABANDON"
    if state.lifecycle_state == WAITING[TERMINATING]:
        if is_abandoned or not state.holds:
            end(group, state)
    elif is_abandoned:
        end(group, state)
        group.set_desired_capacity(group.desired_capacity)
    elif not state.holds:
        state.lifecycle_state = "InService"
        notify(group, LAUNCHED, state)
        backend.update_attached_elbs(group.name)
        backend.update_attached_target_groups(group.name)


def beat(module: Any, backend: Any, asked: dict[str, Any]) -> None:
    """RecordLifecycleActionHeartbeat: the time-out begins anew. Raises moto's ValidationError where nothing is held so."""
    _, _, held = _find(module, backend, asked)
    held.deadline = randomness.Clock.time() + held.seconds


def notify(group: Any, kind: str, state: Any = None) -> None:
    """Tell those of the group's topics that asked for a kind of event."""
    for topic, kinds in notifications(group.autoscaling_backend).get(group.name, {}).items():
        if kind in kinds or kind == TEST:
            said = {"Service": "AWS Auto Scaling", "Event": kind, "AutoScalingGroupName": group.name}
            said |= {"AccountId": group.autoscaling_backend.account_id, "AutoScalingGroupARN": group.arn}
            said |= {"Time": randomness.utcnow().isoformat() + "Z"}
            if state is not None:
                said |= {"EC2InstanceId": state.instance.id, "StatusCode": "Complete", "Progress": 100}
            _send(group, topic, f"Auto Scaling: {kind.split('_')[-1].lower()} for group {group.name}", said)


def notifications(backend: Any) -> dict[str, dict[str, list[str]]]:
    """The kinds of events by topic by group."""
    if not hasattr(backend, "topics_told"):
        backend.topics_told = {}
    found: dict[str, dict[str, list[str]]] = backend.topics_told
    return found


def _find(module: Any, backend: Any, asked: dict[str, Any]) -> tuple[Any, Any, Hold]:
    group = backend.autoscaling_groups.get(asked["AutoScalingGroupName"])
    name, token = asked.get("InstanceId"), asked.get("LifecycleActionToken")
    for state in group.instance_states if group is not None else ():
        for held in holds_of(state):
            if held.hook == asked["LifecycleHookName"] and (token == held.token or name == state.instance.id):
                return group, state, held
    what = f"instance ID {name}" if name else f"token {token}"
    raise module.ValidationError(f"No active Lifecycle Action found with {what}")


def _action(group: Any, state: Any, hook: Any, token: str) -> tuple[str, dict[str, Any]]:
    transition = hook.lifecycle_transition
    origin, destination = WAYS[transition]
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


def _send(group: Any, arn: str, subject: str, said: dict[str, Any]) -> None:
    """Send to a topic or a queue; one that is not there gets nothing, as on AWS."""
    from moto.sns.models import sns_backends
    from moto.sqs.models import sqs_backends

    _, _, service, region, account, name = arn.split(":", 5)
    text = json.dumps(said)
    try:
        if service == "sns":
            sns_backends[account][region].publish(text, arn=arn, subject=subject[:100])
        else:
            sqs_backends[account][region].send_message(name, text)
    except Exception as failure:  # moto's own, of several kinds
        log.warning("%s of %s: %s", subject, arn, failure)


def overdue(now: float) -> list[tuple[str, str, str, Hold]]:
    """What has been held too long: region, group, instance id and hold."""
    # While another thread loads the module, it has no backends yet.
    accounts = getattr(sys.modules.get("moto.autoscaling.models"), "autoscaling_backends", {})
    found = []
    for regions in list(accounts.values()):
        for region, backend in list(dict.items(regions)):
            for group in list(backend.autoscaling_groups.values()):
                for state in list(group.instance_states):
                    late = [held for held in list(holds_of(state)) if held.deadline <= now]
                    found += [(str(region), group.name, state.instance.id, held) for held in late]
    return found
