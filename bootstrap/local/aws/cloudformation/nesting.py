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
    from bootstrap.local.aws.cloudformation.parsing import read

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


def updating(store: Store, stack: Stack) -> list[Stack]:
    """The stacks nested in it, at any depth, whose own update is in progress."""
    found = [one for one in children(store, stack) if one.status == "UPDATE_IN_PROGRESS" and one.operation is not None]
    return found + [inner for one in found for inner in updating(store, one)]


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
    found = children(engine.store, stack)
    for child in found:
        if child.is_held:
            engine.release(child)
    for child in found:
        engine.wait(child)


def reason(child: Stack, status: str) -> str:
    """Why a nested stack came into a state, by its own event."""
    said = [one.reason for one in child.events if one.physical_id == child.id and one.status == status]
    return said[-1].removesuffix("Rollback requested by user.").strip() if said else child.reason


def root_of(store: Store, stack: Stack) -> Stack:
    """The stack that it is nested in at last, or itself."""
    return store.stacks.get(stack.root, stack)


def check_protection(store: Store, stack: Stack) -> None:
    """Refuse to delete what its root protects; raises Refused."""
    root = root_of(store, stack)
    if root.termination_protection:
        raise Refused(f"Stack [{root.name}] cannot be deleted while TerminationProtection is enabled")


def check_skipped(store: Store, root: Stack, names: list[str]) -> None:
    """Refuse to skip in a rollback what may not be skipped. Raises Refused.

    API_ContinueUpdateRollback: those that failed in the rollback; of a nested stack as 'name of the stack.logical id'; a nested
    stack itself only where it is deleted, or was tried to be.
    """
    for one in names:
        name, _, logical = one.rpartition(".")
        owner = store.find(name, root.region) if name else root
        if owner is None or root_of(store, owner) is not root:
            raise Refused(f"Stack [{name}] does not exist")
        resource = owner.resources.get(logical)
        if resource is None:
            raise Refused(f"Resource [{logical}] does not belong to stack {owner.name}")
        if resource.type == TYPE:
            child = store.stacks.get(resource.physical_id)
            if child is not None and not child.status.startswith("DELETE_"):
                raise Refused("Nested stacks could not be skipped")
        elif logical not in _failed_on_the_way_back(owner):
            raise Refused("Only the resources failed during UpdateRollback are allowed to be skipped")


def skipped(names: list[str], child: Stack) -> list[str]:
    """What of the resources to skip is a nested stack's: its own by logical id, those of stacks nested in it as given."""
    return [one.removeprefix(f"{child.name}.") for one in names if "." in one]


def _failed_on_the_way_back(stack: Stack) -> set[str]:
    """The resources whose last word in the rollback of the last update is that they failed."""
    failed: set[str] = set()
    is_back = False
    for event in stack.events:
        if event.physical_id == stack.id:
            is_back = event.status.startswith("UPDATE_ROLLBACK_") or (is_back and event.status != "UPDATE_IN_PROGRESS")
            failed = failed if is_back else set()
        elif is_back and event.status.endswith("_FAILED"):
            failed.add(event.logical_id)
        elif event.status.endswith("_COMPLETE"):
            failed.discard(event.logical_id)
    return failed
