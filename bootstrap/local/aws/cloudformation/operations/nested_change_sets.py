"""Change sets of nested stacks: each is created, executed and deleted with the change set of the root stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html. A nested stack that does
not exist yet is in REVIEW_IN_PROGRESS meanwhile.
"""

from __future__ import annotations

import secrets
import string
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.cloudformation.comparison import changes
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import nesting
from bootstrap.local.aws.cloudformation.operations.engine import ACCOUNT, Engine
from bootstrap.local.aws.cloudformation.store import ChangeSet, Resource, Stack, Wanted

NAME_LENGTH = 128


def look(engine: Engine, stack: Stack, change_set: ChangeSet) -> changes.Look:
    """A function that compares nested stacks for a change set, and makes a nested change set for each that changes."""

    def compare(
        logical: str, resource: Resource | None, properties: dict[str, Any], tags: dict[str, str]
    ) -> changes.Nested:
        child = engine.store.find(resource.physical_id, stack.region) if resource else None
        granted = change_set.wanted.capabilities
        wanted = engine.settle_nested(stack, granted, properties, tags, child=child)
        is_new = child is None
        if child is None:
            root = stack.root or stack.id
            child = engine.make_stack(
                _make_name(stack.name, logical), stack.region, wanted, "REVIEW_IN_PROGRESS", parent=stack.id, root=root
            )
            child.record("REVIEW_IN_PROGRESS", "User Initiated")
        nested = _make_change_set(change_set, logical, child, wanted, is_new=is_new)
        try:
            nested.changes, outputs = changes.imagine(engine.scopes, child, wanted, look(engine, child, nested))
        except Refused as refusal:
            nested.status, nested.reason, nested.execution_status = "FAILED", refusal.message, "UNAVAILABLE"
            _attach(engine, change_set, logical, child, nested)
            raise Refused(f"Nested change set {nested.id} was not successfully created: Currently in FAILED.") from None
        outputs_by_attribute = {f"Outputs.{name}": output["OutputValue"] for name, output in outputs.items()}
        if not is_new and not nested.changes and outputs == child.outputs:
            return changes.Nested(False, "", outputs_by_attribute)
        _attach(engine, change_set, logical, child, nested)
        return changes.Nested(True, nested.id, outputs_by_attribute)

    return compare


def list_members(engine: Engine, stack: Stack, change_set: ChangeSet) -> Iterator[tuple[Stack, ChangeSet]]:
    """The nested change sets of a change set, each with its stack, innermost first."""
    change_set_ids = set(change_set.nested.values())
    for child in nesting.list_children(engine.store, stack) if change_set_ids else ():
        for nested in [candidate for candidate in child.change_sets if candidate.id in change_set_ids]:
            yield from list_members(engine, child, nested)
            yield child, nested


def drop(engine: Engine, stack: Stack, change_set: ChangeSet) -> None:
    """Delete the nested change sets of a change set, and the stacks that exist only for their review."""
    for child, nested in list(list_members(engine, stack, change_set)):
        child.change_sets.remove(nested)
        if child.status == "REVIEW_IN_PROGRESS" and not child.change_sets:
            engine.store.forget(child)
        else:
            engine.store.save(child)


def begin(engine: Engine, stack: Stack, change_set: ChangeSet) -> None:
    """Mark the nested change sets of a change set as executed; raises Refused if one of them is not available."""
    nested_change_sets = list(list_members(engine, stack, change_set))
    for _, nested in nested_change_sets:
        if nested.execution_status != "AVAILABLE":
            raise Refused(
                f"ChangeSet [{change_set.id}] cannot be executed: the nested change set [{nested.id}] is in status "
                f"[{nested.execution_status}]",
                "InvalidChangeSetStatus",
            )
    for child, nested in nested_change_sets:
        child.change_sets = [nested]
        nested.execution_status = "EXECUTE_COMPLETE"
        engine.store.save(child)


def check_root(change_set: ChangeSet, verb: str) -> None:
    """Raise Refused for a nested change set: only its root change set can be executed or deleted."""
    if change_set.root:
        raise Refused(
            f"ChangeSet [{change_set.id}] cannot be {verb}: it belongs to the root change set [{change_set.root}], which can",
            "InvalidChangeSetStatus",
        )


def _make_change_set(parent: ChangeSet, logical: str, child: Stack, wanted: Wanted, *, is_new: bool) -> ChangeSet:
    name = _make_name(parent.name, logical)
    arn = f"arn:aws:cloudformation:{child.region}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}"
    nested = ChangeSet(arn, name, "CREATE" if is_new else "UPDATE", wanted, time.time())
    nested.includes_nested, nested.parent, nested.root = True, parent.id, parent.root or parent.id
    return nested


def _attach(engine: Engine, parent: ChangeSet, logical: str, child: Stack, nested: ChangeSet) -> None:
    parent.nested[logical] = nested.id
    child.change_sets.append(nested)
    engine.store.save(child)


def _make_name(head: str, logical: str) -> str:
    """A name as CloudFormation generates it: the parent's name, the logical id, and twelve random characters."""
    tail = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
    return f"{f'{head}-{logical}'[: NAME_LENGTH - 13]}-{tail}"
