"""Nested stacks: what one is asked to be by its parent's resource, and how it lives with its parent.

A nested stack that is updated keeps what was replaced or dropped in it until its parent is through with all: it cleans up
with its parent, or goes back with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.intrinsics import text_of
from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Store, Wanted

if TYPE_CHECKING:
    from bootstrap.local.aws.cloudformation.engine import Engine

TYPE = "AWS::CloudFormation::Stack"


def wanted(
    engine: Engine,
    parent: Stack,
    granted: list[str],
    properties: dict[str, Any],
    tags: dict[str, str],
    *,
    child: Stack | None = None,
    text: str = "",
) -> Wanted:
    """What the parent's resource asks of its nested stack; `granted` are the parent's capabilities. Raises Refused.

    `text` is the template where it was read before, for a change set.
    """
    from bootstrap.local.aws.cloudformation import scope, sources, static_checks
    from bootstrap.local.aws.cloudformation.template import read

    text = text or sources.from_s3(engine.client("s3", parent.region), str(properties.get("TemplateURL")))
    given = {name: text_of(value) for name, value in (properties.get("Parameters") or {}).items()}
    template = read(text, given)
    static_checks.check(template, parent.region)
    scope.check_capabilities(template, granted, is_reviewed=False)
    own = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    made = Wanted(text, given, {}, own, granted, parent.wanted.role_arn)
    made.notification_arns = [str(arn) for arn in properties.get("NotificationARNs") or []]
    return engine.settle(child, made, parent.region, set())


def children(store: Store, stack: Stack) -> list[Stack]:
    """The stack's living nested stacks, those under review too."""
    return [one for one in store.of(stack.region) if one.parent == stack.id and one.is_living]


def reviewed(store: Store, stack: Stack, logical: str) -> tuple[Stack, ChangeSet] | None:
    """The nested stack and its change set that the stack's operation carries out for a resource, if there is one."""
    operation = stack.operation
    wanted_id = operation.nested.get(logical) if operation else None
    for child in children(store, stack) if wanted_id else ():
        for one in child.change_sets:
            if one.id == wanted_id:
                return child, one
    return None


def forget_unmade(store: Store, stack: Stack) -> None:
    """Drop the nested stacks that were under review, and whose creation was never begun."""
    for child in children(store, stack):
        if child.status == "REVIEW_IN_PROGRESS":
            forget_unmade(store, child)
            store.forget(child)


def clean_up(engine: Engine, stack: Stack) -> None:
    """Let the nested stacks that wait for this one clean up, and wait for them."""
    for child in children(engine.store, stack):
        if child.is_held:
            engine.release(child)
        engine.wait(child)


def reason(child: Stack, status: str) -> str:
    """Why a nested stack came into a state, by its own event."""
    said = [one.reason for one in child.events if one.physical_id == child.id and one.status == status]
    return said[-1].removesuffix("Rollback requested by user.").strip() if said else child.reason


def check_protection(store: Store, stack: Stack) -> None:
    """Refuse to delete what its root protects; raises Refused."""
    root = store.find(stack.root, stack.region) if stack.root else stack
    if root is not None and root.termination_protection:
        raise Refused(f"Stack [{root.name}] cannot be deleted while TerminationProtection is enabled")
