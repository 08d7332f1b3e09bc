"""Mends groups of agents that somebody changed or deleted behind their stacks: CloudFormation sees no difference there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bootstrap.acts import stack
from bootstrap.cloud import agent_groups, refusals
from bootstrap.context import Context
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition, states
from bootstrap.values import Change, ChangeKind, Stack

_REPLACED = "the Auto Scaling group is gone; the stack is deleted and created again, with new keys"


def plan(context: Context, name: str) -> tuple[Change, ...]:
    """What `remove` and `resize` would change of one stack; nothing of other stacks than those of groups. AwsRefused."""
    existing = context.stacks.get(name)
    if existing is None or not _has_group(name, existing):
        return ()
    group = _describe(context, existing)
    if group is None:
        return (Change("stack", ChangeKind.REPLACE, f"{existing.name}/Group", _REPLACED),)
    return _list_changes(existing, group)


def remove(context: Context, name: str, stacks: dict[str, Stack], run: Run) -> None:
    """Delete the stack of a group that is gone, and take it out of `stacks`: it can be created again. AwsRefused, StackFailed.

    CloudFormation updates nothing whose template is the same, and fails where it is not: the group cannot be updated.
    """
    existing = stacks.get(name)
    if existing is None or not _has_group(name, existing) or _describe(context, existing) is not None:
        return
    run.notice(f"{existing.name}: {_REPLACED}")
    stack.destroy(context.world.aws("cloudformation"), existing.name, run)
    del stacks[name]


def resize(context: Context, name: str, existing: Stack, run: Run) -> None:
    """Give the group of a stack its limits and its protection again, if they were changed. AwsRefused."""
    group = _describe(context, existing) if _has_group(name, existing) else None
    if group is None or not (changes := _list_changes(existing, group)):
        return
    with refusals.convert_errors(f"setting the sizes of {existing.name}"):
        agent_groups.set_sizes(context.world.aws, existing.outputs["AgentsGroup"], *_read_sizes(existing))
    for change in changes:
        run.change(change)


def resize_all(context: Context, run: Run) -> None:
    """Do so with all groups: until Jenkins had its new clouds, it gave their groups the limits of the old ones. AwsRefused."""
    for label in context.settings.agents:
        name = composition.name_agents_stack(label)
        resize(context, name, context.stacks[name], run)


def _has_group(name: str, existing: Stack) -> bool:
    """Whether this is the stack of a group, whose last operation left it whole."""
    return name.startswith(composition.AGENTS) and states.has_outputs(existing.status)


def _describe(context: Context, existing: Stack) -> Mapping[str, Any] | None:
    name = existing.outputs["AgentsGroup"]
    with refusals.convert_errors(f"looking at the Auto Scaling group {name}"):
        return agent_groups.describe(context.world.aws, (name,)).get(name)


def _read_sizes(existing: Stack) -> tuple[int, int]:
    return int(existing.parameters["Minimum"]), int(existing.parameters["Maximum"])


def _list_changes(existing: Stack, group: Mapping[str, Any]) -> tuple[Change, ...]:
    wrong = agent_groups.find_wrong_sizes(group, *_read_sizes(existing))
    if not wrong:
        return ()
    listed = ", ".join(f"{key} is {found}, wished {wished}" for key, (found, wished) in wrong.items())
    return (Change("stack", ChangeKind.ALTER, f"{existing.name}/Group", listed),)
