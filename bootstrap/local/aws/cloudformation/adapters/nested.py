"""Nested stacks: each is a stack of its own, which is created, updated and deleted with its parent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.errors import Gone, Interrupted, Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.operations import nesting
from bootstrap.local.aws.cloudformation.store import Operation, Stack, Wanted

MADE = frozenset(
    ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")
)
PAUSE_SECONDS = 0.5


class NestedStack(Adapter):
    """AWS::CloudFormation::Stack; Ref is the child stack's id, and GetAtt Outputs.X returns its outputs."""

    type = nesting.TYPE
    always_looks = True  # the template at the same address may have changed

    def create(self, to: To) -> str:
        """Create the child and wait until it is complete; after a restart, wait for a child that was begun earlier."""
        engine, (parent, operation) = to.stacks, self._find_parent(to)
        reviewed = nesting.find_reviewed(engine.store, parent, to.logical_id)
        name = to.generate_name()
        child, change_set = reviewed or (engine.store.find(name, to.region), None)
        if child is None or child.status == "REVIEW_IN_PROGRESS":
            wanted = self._settle_wanted(to, None, change_set.wanted.template if change_set else "")
            limit = int(to.get("TimeoutInMinutes", 0))
            if child is None:
                root = parent.root or parent.id
                child = engine.make_stack(name, to.region, wanted, "CREATE_IN_PROGRESS", parent=parent.id, root=root)
            child.wanted, child.timeout = wanted, limit
            to.initiated(child.id)
            on_failure = "DO_NOTHING" if operation.on_failure == "DO_NOTHING" else "ROLLBACK"
            with _convert_refusals():
                engine.create(
                    child,
                    on_failure=on_failure,
                    retain_except_on_create=operation.retains_except_on_create,
                    change_set=change_set,
                )
        self._wait(to, child)
        if to.cancelled() and not child.is_living:
            raise ResourceFailed("Resource creation cancelled")
        if child.status != "CREATE_COMPLETE":
            failed = "CREATE_FAILED" if child.status == "CREATE_FAILED" else "ROLLBACK_IN_PROGRESS"
            reason = nesting.explain_status(child, failed)
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully created: {reason}")
        return str(child.id)

    def update(self, to: To) -> None:
        """Update the child, or roll it back with its parent, and wait; a child without changes is left alone."""
        parent, operation = self._find_parent(to)
        child = self._find_child(to)
        is_rollback = parent.status == "UPDATE_ROLLBACK_IN_PROGRESS"
        if is_rollback:
            self._roll_back(to, child, operation)
        elif child.led_by != operation.id:
            self._begin_update(to, child, parent, operation)
        self._wait(to, child)
        is_begun = child.led_by == operation.id and not is_rollback
        if not (child.is_held or (child.status in MADE and not is_begun)):
            status = "UPDATE_ROLLBACK_IN_PROGRESS" if is_begun and "ROLLBACK" in child.status else child.status
            raise ResourceFailed(
                f"Embedded stack {child.id} was not successfully updated. Currently in {status} with reason: "
                f"{nesting.explain_status(child, status)}"
            )

    def delete(self, to: To) -> None:
        """Delete the child and wait until it is deleted."""
        child = self._find_child(to)
        if child.status != "DELETE_IN_PROGRESS":
            self._wait(to, child)  # first let an operation end that was started on the child alone
            if not child.is_living:
                raise Gone(f"Stack {child.id} is deleted")
            with _convert_refusals():
                to.stacks.delete(child, [], led_by=to.operation)
        self._wait(to, child)
        if child.is_living:
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully deleted: {child.reason}")

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the child's outputs."""
        return {f"Outputs.{name}": output["OutputValue"] for name, output in self._find_child(to).outputs.items()}

    def tag(self, to: To, removed: Any) -> None:
        """Do nothing: the child got its tags when it was created or updated."""

    def _begin_update(self, to: To, child: Stack, parent: Stack, operation: Operation) -> None:
        engine = to.stacks
        reviewed = nesting.find_reviewed(engine.store, parent, to.logical_id)
        if operation.is_reviewed and not reviewed:
            return  # the child has no change set, because it does not change
        wanted = self._settle_wanted(to, child, reviewed[1].wanted.template if reviewed else "")
        if not engine.differs(child, wanted) and child.status in MADE:
            return
        with _convert_refusals():
            engine.update(
                child,
                wanted,
                disable_rollback=operation.on_failure == "DO_NOTHING",
                retain_except_on_create=operation.retains_except_on_create,
                change_set=reviewed[1] if reviewed else None,
                led_by=operation.id,
            )

    def _roll_back(self, to: To, child: Stack, operation: Operation) -> None:
        """Roll the child back. A rollback that already failed in this operation is not started again."""
        engine, mark = to.stacks, operation.id
        if child.is_held:
            engine.release(child, is_rollback=True)
        elif child.operation is not None or child.led_by == mark:
            return
        elif child.status == "UPDATE_ROLLBACK_FAILED":
            with _convert_refusals():
                engine.continue_rollback(child, nesting.list_skipped(operation.retain, child), led_by=mark)
        elif child.status == "UPDATE_FAILED":
            with _convert_refusals():
                engine.roll_back(child, led_by=mark)

    def _wait(self, to: To, child: Stack) -> None:
        while child.operation is not None and not child.is_held:
            if to.stacks.is_closing:
                raise Interrupted(to.logical_id)
            to.stacks.wait(child, PAUSE_SECONDS)

    def _find_parent(self, to: To) -> tuple[Stack, Operation]:
        parent = to.stacks.store.find(to.stack_id, to.region)
        assert parent is not None, "the resource belongs to a stack"
        assert parent.operation is not None, "the parent's operation is in progress"
        return parent, parent.operation

    def _find_child(self, to: To) -> Stack:
        child = to.stacks.store.find(to.physical_id, to.region)
        if child is None:
            raise Gone(f"Stack {to.physical_id} does not exist")
        return child

    def _settle_wanted(self, to: To, child: Stack | None, text: str) -> Wanted:
        parent, _ = self._find_parent(to)
        granted = parent.wanted.capabilities
        with _convert_refusals():
            return to.stacks.settle_nested(parent, granted, to.properties, to.tags, child=child, text=text)


@contextmanager
def _convert_refusals() -> Iterator[None]:
    """Turn the refusal of an operation on the child into ResourceFailed."""
    try:
        yield
    except Refused as refusal:
        raise ResourceFailed(refusal.message) from None


ADAPTERS = (NestedStack(),)
