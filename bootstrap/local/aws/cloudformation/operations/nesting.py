"""Nested stacks: their children and roots, their change sets and their skipped resources.

After its update, a nested stack keeps replaced and removed resources until the parent's update has succeeded; then it deletes
them together with its parent. If the parent's update fails, it rolls back together with its parent.
"""

from __future__ import annotations

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Store

TYPE = "AWS::CloudFormation::Stack"


def list_children(store: Store, stack: Stack) -> list[Stack]:
    """The nested stacks of a stack that are not deleted, also those in REVIEW_IN_PROGRESS."""
    return [
        candidate
        for candidate in store.list_stacks(stack.region)
        if candidate.parent == stack.id and candidate.is_living
    ]


def list_in_progress(store: Store, stack: Stack, status: str) -> list[Stack]:
    """The stacks nested in a stack, at any depth, whose own operation is in progress with this status."""
    direct = [
        candidate
        for candidate in list_children(store, stack)
        if candidate.status == status and candidate.operation is not None
    ]
    return direct + [inner for child in direct for inner in list_in_progress(store, child, status)]


def find_reviewed(store: Store, stack: Stack, logical: str) -> tuple[Stack, ChangeSet] | None:
    """The nested stack of a resource, and the change set of it that the parent's operation executes; None if there is none."""
    operation = stack.operation
    change_set_id = operation.nested.get(logical) if operation else None
    for child in list_children(store, stack) if change_set_id else ():
        for change_set in child.change_sets:
            if change_set.id == change_set_id:
                return child, change_set
    return None


def forget_reviewed(store: Store, stack: Stack) -> None:
    """Delete the nested stacks that stayed in REVIEW_IN_PROGRESS: their creation never began."""
    for child in list_children(store, stack):
        if child.status == "REVIEW_IN_PROGRESS":
            forget_reviewed(store, child)
            store.forget(child)


def explain_status(child: Stack, status: str) -> str:
    """The reason why a nested stack has a status, from its own last event with that status."""
    reasons = [event.reason for event in child.events if event.physical_id == child.id and event.status == status]
    return reasons[-1].removesuffix("Rollback requested by user.").strip() if reasons else child.reason


def find_root(store: Store, stack: Stack) -> Stack:
    """The root of a nested stack, or the stack itself."""
    return store.stacks.get(stack.root, stack)


def check_protection(store: Store, stack: Stack) -> None:
    """Raise Refused if the root of a stack has termination protection."""
    root = find_root(store, stack)
    if root.termination_protection:
        raise Refused(f"Stack [{root.name}] cannot be deleted while TerminationProtection is enabled")


def check_skipped(store: Store, root: Stack, names: list[str]) -> None:
    """Raise Refused for ResourcesToSkip that ContinueUpdateRollback does not allow.

    Allowed are resources that failed in the rollback. The name of one in a nested stack is 'stack name.logical id'. A nested
    stack itself is allowed only if it was deleted, or if its deletion was tried.
    """
    for skipped_name in names:
        name, _, logical = skipped_name.rpartition(".")
        owner = store.find(name, root.region) if name else root
        if owner is None or find_root(store, owner) is not root:
            raise Refused(f"Stack [{name}] does not exist")
        resource = owner.resources.get(logical)
        if resource is None:
            raise Refused(f"Resource [{logical}] does not belong to stack {owner.name}")
        if resource.type == TYPE:
            child = store.stacks.get(resource.physical_id)
            if child is not None and not child.status.startswith("DELETE_"):
                raise Refused("Nested stacks could not be skipped")
        elif logical not in _list_failed_in_rollback(owner):
            raise Refused("Only the resources failed during UpdateRollback are allowed to be skipped")


def list_skipped(names: list[str], child: Stack) -> list[str]:
    """The ResourcesToSkip inside of a nested stack: its own by logical id, those of deeper stacks unchanged."""
    return [name.removeprefix(f"{child.name}.") for name in names if "." in name]


def _list_failed_in_rollback(stack: Stack) -> set[str]:
    """The resources whose last event in the rollback of the last update is a failure."""
    failed: set[str] = set()
    is_rollback = False
    for event in stack.events:
        if event.physical_id == stack.id:
            is_rollback = event.status.startswith("UPDATE_ROLLBACK_") or (
                is_rollback and event.status != "UPDATE_IN_PROGRESS"
            )
            failed = failed if is_rollback else set()
        elif is_rollback and event.status.endswith("_FAILED"):
            failed.add(event.logical_id)
        elif event.status.endswith("_COMPLETE"):
            failed.discard(event.logical_id)
    return failed
