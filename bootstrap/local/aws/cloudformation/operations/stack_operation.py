"""One operation on one stack: brings the resources to the desired state, and rolls back if one fails.

It can be repeated from the stack's file alone: the status of the stack shows how far it came.
"""

from __future__ import annotations

import time

from bootstrap.local.aws.cloudformation.adapters.stack_operations import StackOperations
from bootstrap.local.aws.cloudformation.operations import nesting, triggers
from bootstrap.local.aws.cloudformation.operations.deploy import Deployment, ExportInUse
from bootstrap.local.aws.cloudformation.operations.order import Failed
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.store import Operation, Stack, Store


class Closing(Exception):
    """The server stops; the operation stays in the stack's file, and is resumed at the next start."""


class Run:
    """Carries out the operation of a stack."""

    def __init__(self, services: Services, stacks: StackOperations, stack: Stack) -> None:
        self._services = services
        self._stacks = stacks
        self._store = services.store
        self._stack = stack

    def go(self) -> None:
        """Carry out the operation to its end, from the step that it has reached. Raises Closing."""
        stack, operation = self._stack, self._stack.operation
        assert operation is not None
        {
            "CREATE": self._create,
            "UPDATE": self._update,
            "DELETE": self._delete,
            "ROLLBACK": self._roll_back,
            "IMPORT": self._import,
        }[operation.kind](stack, operation)

    def _make_deployment(self, stack: Stack) -> Deployment:
        return Deployment(self._services, self._stacks, stack)

    def _create(self, stack: Stack, operation: Operation) -> None:
        deployment = self._make_deployment(stack)
        try:
            if stack.status == "CREATE_IN_PROGRESS" or operation.deletion == "asked":
                deployment.apply()
                deployment.publish_outputs()
                self._check_triggers(stack)
                with self._store.lock:  # a deletion must not be asked for between the check and the end
                    if not operation.deletion:
                        return self._end(stack, "CREATE_COMPLETE")
        except Failed as failure:
            self._check_closing()
            with self._store.lock:
                if not operation.deletion and operation.on_failure == "DO_NOTHING":
                    return self._end(stack, "CREATE_FAILED", failure.explain("create"))
                if not operation.deletion:
                    stack.record("ROLLBACK_IN_PROGRESS", f"{failure.explain('create')} Rollback requested by user.")
            self._store.save(stack)
        if operation.deletion:
            operation.deletion, operation.status_before = "begun", "CREATE_COMPLETE"
            self._store.save(stack)
            return self._delete(stack, operation)
        if operation.on_failure == "DELETE":
            stack.record("DELETE_IN_PROGRESS")
        return self._roll_back_creation(stack, operation)

    def _roll_back_creation(self, stack: Stack, operation: Operation) -> None:
        deployment = self._make_deployment(stack)
        prefix = "DELETE" if operation.on_failure == "DELETE" else "ROLLBACK"
        ending, reason = f"{prefix}_COMPLETE", ""
        try:
            deployment.remove(set(stack.resources), is_rollback=True)
        except Failed as failure:
            self._check_closing()
            ending, reason = f"{prefix}_FAILED", failure.explain("delete")
        with self._store.lock:  # a deletion must not be asked for between the check and the end
            if not operation.deletion:
                if not reason:
                    stack.outputs = {}
                    stack.deleted = time.time() if prefix == "DELETE" else stack.deleted
                return self._end(stack, ending, reason)
        operation.status_before = "ROLLBACK_COMPLETE"
        return self._delete(stack, operation)

    def _update(self, stack: Stack, operation: Operation) -> None:
        deployment = self._make_deployment(stack)
        try:
            if stack.status == "UPDATE_IN_PROGRESS":
                deployment.apply()
                deployment.publish_outputs()
                self._check_triggers(stack)
                self._begin_cleanup(stack, operation)
            if stack.is_held:
                return None
            if stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
                return self._clean_up(stack, deployment, "UPDATE_COMPLETE")
        except Failed as failure:
            self._check_closing()
            if operation.on_failure == "DO_NOTHING":
                stack.stable = operation.before
                return self._end(stack, "UPDATE_FAILED", failure.explain("update", _list_failed_creations(stack)))
            stack.record("UPDATE_ROLLBACK_IN_PROGRESS", failure.explain("update", _list_failed_creations(stack)))
            self._store.save(stack)
        return self._roll_back(stack, operation)

    def _begin_cleanup(self, stack: Stack, operation: Operation) -> None:
        """Begin the cleanup after all resources are updated; raises Failed if the update was cancelled meanwhile."""
        with self._store.lock:
            if operation.cause:
                raise Failed([], operation.cause)
            stack.record("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._store.save(stack)

    def _roll_back(self, stack: Stack, operation: Operation) -> None:
        before = operation.before
        if before is not None and stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
            stack.wanted = before
        deployment = self._make_deployment(stack)
        try:
            if stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
                if not operation.is_restored:
                    deployment.restore_superseded()
                deployment.apply(is_rollback=True, skip=set(operation.retain))
                deployment.publish_outputs()
                stack.record("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
                self._store.save(stack)
        except Failed as failure:
            self._check_closing()
            return self._end(stack, "UPDATE_ROLLBACK_FAILED", failure.explain("update"))
        return self._clean_up(stack, deployment, "UPDATE_ROLLBACK_COMPLETE", is_rollback=True)

    def _import(self, stack: Stack, operation: Operation) -> None:
        deployment = self._make_deployment(stack)
        try:
            if stack.status == "IMPORT_IN_PROGRESS":
                deployment.import_resources()
                deployment.publish_outputs()
                return self._end(stack, "IMPORT_COMPLETE")
        except Failed as failure:
            self._check_closing()
            stack.record("IMPORT_ROLLBACK_IN_PROGRESS", failure.explain("import"))
            self._store.save(stack)
        for logical in operation.imports:
            stack.resources.pop(logical, None)  # it existed before the import, and is kept
        stack.wanted = operation.before or stack.wanted
        return self._end(stack, "IMPORT_ROLLBACK_COMPLETE")

    def _clean_up(self, stack: Stack, deployment: Deployment, ending: str, *, is_rollback: bool = False) -> None:
        deployment.clean_up(is_rollback=is_rollback)
        self._check_closing()
        stack.stable = None
        self._end(stack, ending)

    def _delete(self, stack: Stack, operation: Operation) -> None:
        deployment = self._make_deployment(stack)
        try:
            deployment.remove(set(stack.resources), retain=set(operation.retain))
        except ExportInUse as refusal:
            return self._end(stack, operation.status_before, refusal.reason)
        except Failed as failure:
            self._check_closing()
            return self._end(stack, "DELETE_FAILED", failure.explain("delete"))
        stack.outputs = {}
        stack.deleted = time.time()
        return self._end(stack, "DELETE_COMPLETE")

    def _end(self, stack: Stack, status: str, reason: str = "") -> None:
        end_operation(self._store, stack, status, reason)

    def _check_closing(self) -> None:
        if self._services.is_closing:
            raise Closing

    def _check_triggers(self, stack: Stack) -> None:
        """Watch the rollback triggers for the monitoring time, after all resources are ready. Raises Failed."""
        if not stack.wanted.rollback:
            return

        def has_ended() -> bool:
            operation = stack.operation
            return self._services.is_closing or bool(operation and (operation.cause or operation.deletion))

        breach = triggers.watch(stack.wanted, self._services.client("cloudwatch", stack.region), has_ended)
        if breach or has_ended():
            raise Failed([], breach or "User Initiated")


def end_operation(store: Store, stack: Stack, status: str, reason: str = "") -> None:
    """End the stack's operation with a status."""
    if stack.operation is not None and stack.operation.nested:  # before the next change set can create others
        nesting.forget_reviewed(store, stack)
    with store.lock:
        stack.record(status, reason)
        stack.operation = None
    store.save(stack)


def _list_failed_creations(stack: Stack) -> list[str]:
    """The resources that failed to be created, without those that replace others."""
    replacing = {old.logical_id for old in stack.superseded}
    failed = [name for name, resource in stack.resources.items() if resource.status == "CREATE_FAILED"]
    return [name for name in failed if name not in replacing]
