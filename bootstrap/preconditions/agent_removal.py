"""Removes groups of agents: with their instances, and only when Jenkins uses them no more."""

from __future__ import annotations

from bootstrap.acts import stack
from bootstrap.cloud import agent_groups, refusals
from bootstrap.context import Context
from bootstrap.preconditions import stack_inputs
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition


def remove_unwanted(context: Context, run: Run) -> None:
    """Delete the stacks of groups that the settings no longer have. AwsRefused, StackFailed.

    A launch does this after Jenkins took settings without the groups: Jenkins would start instances again.
    """
    names = [name for name in stack_inputs.list_unwanted_stacks(context) if name.startswith(composition.AGENTS)]
    if not names:
        return
    with run.act("stack", f"deleting {', '.join(names)}"):
        for name in names:
            prepare(context, name, run)
            stack.destroy(context.world.aws("cloudformation"), context.stacks[name].name, run)
    context.forget()


def prepare(context: Context, name: str, run: Run) -> None:
    """Before a stack is deleted: let its group end its instances, if it is the stack of a group of agents. AwsRefused."""
    existing = context.stacks.get(name)
    if existing is None or not name.startswith(composition.AGENTS):
        return
    with refusals.convert_errors(f"ending the agents of {existing.name}"):
        count = agent_groups.unprotect(context.world.aws, existing.outputs.get("AgentsGroup", existing.name))
    if count:
        run.progress(f"{existing.name}: scale-in protection of {count} instances is off")
