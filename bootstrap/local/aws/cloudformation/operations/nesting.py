"""How stacks are nested in each other: children, roots, the change sets and skipped resources of nested stacks.

A nested stack that is updated keeps what the update replaced or removed until its parent's update has succeeded; then it
cleans up with its parent. Otherwise it rolls back with its parent.
"""

from __future__ import annotations

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Store

TYPE = "AWS::CloudFormation::Stack"


def children(store: Store, stack: Stack) -> list[Stack]:
    """The nested stacks of a stack that are not deleted, also those in REVIEW_IN_PROGRESS."""
    return [one for one in store.of(stack.region) if one.parent == stack.id and one.is_living]


def updating(store: Store, stack: Stack) -> list[Stack]:
    """The stacks nested in a stack, at any depth, whose own update is in progress."""
    direct = [one for one in children(store, stack) if one.status == "UPDATE_IN_PROGRESS" and one.operation is not None]
    return direct + [inner for child in direct for inner in updating(store, child)]


def reviewed(store: Store, stack: Stack, logical: str) -> tuple[Stack, ChangeSet] | None:
    """The nested stack of a resource, and its change set that the parent's operation executes; None without one."""
    operation = stack.operation
    wanted_id = operation.nested.get(logical) if operation else None
    for child in children(store, stack) if wanted_id else ():
        for one in child.change_sets:
            if one.id == wanted_id:
                return child, one
    return None


def forget_reviewed(store: Store, stack: Stack) -> None:
    """Delete the nested stacks that stayed in REVIEW_IN_PROGRESS: their creation never began."""
    for child in children(store, stack):
        if child.status == "REVIEW_IN_PROGRESS":
            forget_reviewed(store, child)
            store.forget(child)


def reason(child: Stack, status: str) -> str:
    """The reason why a nested stack has a status, from its own last event with that status."""
    said = [one.reason for one in child.events if one.physical_id == child.id and one.status == status]
    return said[-1].removesuffix("Rollback requested by user.").strip() if said else child.reason


def root_of(store: Store, stack: Stack) -> Stack:
    """The root of a nested stack, or the stack itself."""
    return store.stacks.get(stack.root, stack)


def check_protection(store: Store, stack: Stack) -> None:
    """Refuse to delete a stack whose root has termination protection; raises Refused."""
    root = root_of(store, stack)
    if root.termination_protection:
        raise Refused(f"Stack [{root.name}] cannot be deleted while TerminationProtection is enabled")


def check_skipped(store: Store, root: Stack, names: list[str]) -> None:
    """Refuse ResourcesToSkip that ContinueUpdateRollback does not allow; raises Refused.

    It allows resources that failed in the rollback. One in a nested stack is written 'stack name.logical id'. A nested stack
    itself is allowed only when it is deleted, or its deletion was tried.
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
        elif logical not in _failed_in_rollback(owner):
            raise Refused("Only the resources failed during UpdateRollback are allowed to be skipped")


def skipped(names: list[str], child: Stack) -> list[str]:
    """Those of ResourcesToSkip that are in a nested stack: its own by logical id, those of deeper stacks as given."""
    return [one.removeprefix(f"{child.name}.") for one in names if "." in one]


def _failed_in_rollback(stack: Stack) -> set[str]:
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
