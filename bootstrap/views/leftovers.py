"""The resources of an environment that exist after a destroy, found by their tags.

Resources of a stack that still exists were retained on purpose. The Tagging API lists deleted resources for some time; those
that EC2 reports as deleted are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.cloud import deleted, tags
from bootstrap.cloud.tags import Tagged
from bootstrap.context import Context
from bootstrap.runs.journal import Run

_STACK = "aws:cloudformation:stack-name"


@dataclass(frozen=True)
class Leftovers:
    """The resources with the environment's tags: `kept` belong to retained stacks, `stray` to none."""

    kept: tuple[Tagged, ...]
    stray: tuple[Tagged, ...]


def find_leftovers(context: Context) -> Leftovers:
    """Find the leftovers; the stacks are read again."""
    context.forget()
    alive = {stack.name for stack in context.stacks.values()}
    # CloudFormation makes the parameter of a key pair outside of the stack; the key pair's id, an output, identifies it.
    output_values = {output for stack in context.stacks.values() for output in stack.outputs.values()}
    listed = tags.list_resources(context.world.aws, context.settings)
    deleted_arns = deleted.find_deleted(context.world.aws("ec2"), listed)
    existing = [it for it in listed if it.arn not in deleted_arns]
    kept = tuple(it for it in existing if it.tags.get(_STACK) in alive or it.identity in output_values)
    return Leftovers(kept, tuple(it for it in existing if it not in kept))


def report_leftovers(context: Context, run: Run) -> None:
    """Show the leftovers; a notice if they cannot be listed."""
    client = context.world.aws("resourcegroupstaggingapi")
    try:
        leftovers = find_leftovers(context)
    except client.exceptions.ClientError as error:
        run.notice(f"the leftovers cannot be listed: {error}")
        return
    run.event("leftovers", kept=[it.arn for it in leftovers.kept], stray=[it.arn for it in leftovers.stray])
    if not leftovers.kept and not leftovers.stray:
        run.say("no resource carries the environment's tags any more")
    for title, listed in (("retained resources", leftovers.kept), ("leftovers outside of the stacks", leftovers.stray)):
        _list(run, title, listed)
    if leftovers.stray:
        run.notice(
            "leftovers outside of the stacks can cost money, and no command of this toolkit deletes them: delete them by ARN"
        )


def _list(run: Run, title: str, listed: Sequence[Tagged]) -> None:
    if listed:
        run.say(f"{title}:")
    for resource in listed:
        run.say(f"  {resource.kind:<24} {resource.identity}")
