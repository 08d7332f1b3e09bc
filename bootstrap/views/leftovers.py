"""What is left of an environment after a destroy, asked of the cloud by tag: the proof of what the deletion said.

What belongs to a stack that still exists was kept on purpose. The Tagging API goes on listing some deleted things for
a while: what EC2 itself calls gone is left out.
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
    """What still carries the environment's tags: in stacks that are kept, and beside them."""

    kept: tuple[Tagged, ...]
    stray: tuple[Tagged, ...]


def look(context: Context) -> Leftovers:
    """What is left; the stacks are looked up afresh."""
    context.forget()
    alive = {stack.name for stack in context.stacks.values()}
    # A key pair's parameter is made by CloudFormation beside the stack: only the pair's id, an output, tells whose it is.
    theirs = {output for stack in context.stacks.values() for output in stack.outputs.values()}
    listed = tags.resources(context.world.aws, context.settings)
    over = deleted.among(context.world.aws("ec2"), listed)
    there = [it for it in listed if it.arn not in over]
    kept = tuple(it for it in there if it.tags.get(_STACK) in alive or it.identity in theirs)
    return Leftovers(kept, tuple(it for it in there if it not in kept))


def tell(context: Context, run: Run) -> None:
    """Show what is left; where the cloud does not answer that, say so."""
    client = context.world.aws("resourcegroupstaggingapi")
    try:
        found = look(context)
    except client.exceptions.ClientError as error:
        run.notice(f"the leftovers cannot be listed: {error}")
        return
    run.event("leftovers", kept=[it.arn for it in found.kept], stray=[it.arn for it in found.stray])
    if not found.kept and not found.stray:
        run.say("no resource carries the environment's tags any more")
    for title, listed in (("retained resources", found.kept), ("leftovers outside of the stacks", found.stray)):
        _list(run, title, listed)
    if found.stray:
        run.notice(
            "leftovers outside of the stacks can cost money, and no command of this toolkit deletes them: delete them by ARN"
        )


def _list(run: Run, title: str, listed: Sequence[Tagged]) -> None:
    if listed:
        run.say(f"{title}:")
    for it in listed:
        run.say(f"  {it.kind:<24} {it.identity}")
