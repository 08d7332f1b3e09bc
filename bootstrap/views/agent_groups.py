"""The groups of agents as they are: how many instances each has, and what Auto Scaling says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bootstrap.cloud import agent_groups
from bootstrap.context import Context
from bootstrap.stacks import composition


def list_rows(context: Context) -> list[tuple[str, str, str]]:
    """For each group of the environment file whose stack exists: 'agents', the label, and its state. Raises ClientError."""
    stacks = {label: context.stacks.get(composition.name_agents_stack(label)) for label in context.settings.agents}
    names = {label: stack.outputs.get("AgentsGroup", stack.name) for label, stack in stacks.items() if stack}
    groups = agent_groups.describe(context.world.aws, tuple(names.values()))
    if not names:
        return []
    scaling = context.world.aws("autoscaling")
    return [("agents", label, _describe(groups.get(name), scaling)) for label, name in names.items()]


def _describe(group: Mapping[str, Any] | None, scaling: Any) -> str:
    if group is None:
        return "the Auto Scaling group does not exist"
    states = Counter(member["LifecycleState"] for member in group["Instances"])
    running = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no instances"
    sizes = f"minimum {group['MinSize']}, desired {group['DesiredCapacity']}, maximum {group['MaxSize']}"
    return f"{running} ({sizes}){_explain_failure(group, scaling)}"


def _explain_failure(group: Mapping[str, Any], scaling: Any) -> str:
    """Why instances are missing: a quota, a key or missing capacity is told in the activities of the group alone."""
    if len(group["Instances"]) >= group["DesiredCapacity"]:
        return ""
    name = group["AutoScalingGroupName"]
    activities = scaling.describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=1)["Activities"]
    if not activities or activities[0]["StatusCode"] not in {"Failed", "Cancelled"}:
        return ""
    return f"; the last launch failed: {activities[0].get('StatusMessage', activities[0]['StatusCode'])}"
