"""One operation on one stack: its resources are brought to what is wanted, and back when one fails.

It is written so that it can be run again from the stack's file alone: the stack's status tells how far it came.
"""

from __future__ import annotations

import time

from bootstrap.local.aws.cloudformation import nesting, triggers
from bootstrap.local.aws.cloudformation.adapters.stack_operations import StackOperations
from bootstrap.local.aws.cloudformation.deploy import Deployment
from bootstrap.local.aws.cloudformation.order import Failed
from bootstrap.local.aws.cloudformation.services import Services
from bootstrap.local.aws.cloudformation.store import Operation, Stack, Store


class Closing(Exception):
    """The server stops; the operation stays as it is on disk."""


class Run:
    """The stack's operation, which `go` carries out to its end."""

    def __init__(self, services: Services, stacks: StackOperations, stack: Stack) -> None:
        self._services = services
        self._stacks = stacks
        self._store = services.store
        self._stack = stack

    def go(self) -> None:
        """Carry the operation out, from wherever it is. Raises Closing."""
        stack, operation = self._stack, self._stack.operation
        assert operation is not None
        {
            "CREATE": self._create,
            "UPDATE": self._update,
            "DELETE": self._delete,
            "ROLLBACK": self._roll_back,
            "IMPORT": self._import,
        }[operation.kind](stack, operation)

    def _deployment(self, stack: Stack) -> Deployment:
        return Deployment(self._services, self._stacks, stack)

    def _create(self, stack: Stack, operation: Operation) -> None:
        deployment = self._deployment(stack)
        try:
            if stack.status == "CREATE_IN_PROGRESS":
                deployment.apply()
                deployment.publish()
                self._check_triggers(stack)
                return self._end(stack, "CREATE_COMPLETE")
        except Failed as failure:
            self._check_closing()
            if operation.on_failure == "DO_NOTHING":
                return self._end(stack, "CREATE_FAILED", failure.words("create"))
            stack.record("ROLLBACK_IN_PROGRESS", f"{failure.words('create')} Rollback requested by user.")
            self._store.save(stack)
        if operation.on_failure == "DELETE":
            stack.record("DELETE_IN_PROGRESS")
        return self._take_away(stack, operation)

    def _take_away(self, stack: Stack, operation: Operation) -> None:
        deployment = self._deployment(stack)
        prefix = "DELETE" if operation.on_failure == "DELETE" else "ROLLBACK"
        try:
            deployment.remove(set(stack.resources), is_rollback=True)
        except Failed as failure:
            self._check_closing()
            return self._end(stack, f"{prefix}_FAILED", failure.words("delete"))
        stack.outputs = {}
        if prefix == "DELETE":
            stack.deleted = time.time()
        return self._end(stack, f"{prefix}_COMPLETE")

    def _update(self, stack: Stack, operation: Operation) -> None:
        deployment = self._deployment(stack)
        try:
            if stack.status == "UPDATE_IN_PROGRESS":
                deployment.apply()
                deployment.publish()
                self._check_triggers(stack)
                self._be_made(stack, operation)
            if stack.is_held:
                return None
            if stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
                return self._clean_up(stack, deployment, "UPDATE_COMPLETE")
        except Failed as failure:
            self._check_closing()
            if operation.on_failure == "DO_NOTHING":
                stack.stable = operation.before
                return self._end(stack, "UPDATE_FAILED", failure.words("update", _unmade(stack)))
            stack.record("UPDATE_ROLLBACK_IN_PROGRESS", failure.words("update", _unmade(stack)))
            self._store.save(stack)
        return self._roll_back(stack, operation)

    def _be_made(self, stack: Stack, operation: Operation) -> None:
        """Let all be made, unless the update was cancelled meanwhile. Raises Failed."""
        with self._store.lock:
            if operation.cause:
                raise Failed([], operation.cause)
            stack.record("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._store.save(stack)

    def _roll_back(self, stack: Stack, operation: Operation) -> None:
        before = operation.before
        if before is not None and stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
            stack.wanted = before
        deployment = self._deployment(stack)
        try:
            if stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
                if not operation.is_restored:
                    deployment.restore_superseded()
                deployment.apply(is_rollback=True, skip=set(operation.retain))
                deployment.publish()
                stack.record("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
                self._store.save(stack)
        except Failed as failure:
            self._check_closing()
            return self._end(stack, "UPDATE_ROLLBACK_FAILED", failure.words("update"))
        return self._clean_up(stack, deployment, "UPDATE_ROLLBACK_COMPLETE", is_rollback=True)

    def _import(self, stack: Stack, operation: Operation) -> None:
        deployment = self._deployment(stack)
        try:
            if stack.status == "IMPORT_IN_PROGRESS":
                deployment.take_in()
                deployment.publish()
                return self._end(stack, "IMPORT_COMPLETE")
        except Failed as failure:
            self._check_closing()
            stack.record("IMPORT_ROLLBACK_IN_PROGRESS", failure.words("import"))
            self._store.save(stack)
        for logical in operation.imports:
            stack.resources.pop(logical, None)  # it was there before and stays there
        stack.wanted = operation.before or stack.wanted
        return self._end(stack, "IMPORT_ROLLBACK_COMPLETE")

    def _clean_up(self, stack: Stack, deployment: Deployment, ending: str, *, is_rollback: bool = False) -> None:
        deployment.clean_up(is_rollback=is_rollback)
        self._check_closing()
        stack.stable = None
        self._end(stack, ending)

    def _delete(self, stack: Stack, operation: Operation) -> None:
        deployment = self._deployment(stack)
        try:
            deployment.remove(set(stack.resources), retain=set(operation.retain))
        except Failed as failure:
            self._check_closing()
            return self._end(stack, "DELETE_FAILED", failure.words("delete"))
        stack.outputs = {}
        stack.deleted = time.time()
        return self._end(stack, "DELETE_COMPLETE")

    def _end(self, stack: Stack, status: str, reason: str = "") -> None:
        end_operation(self._store, stack, status, reason)

    def _check_closing(self) -> None:
        if self._services.is_closing:
            raise Closing

    def _check_triggers(self, stack: Stack) -> None:
        """Watch the rollback triggers for their time, once all is made. Raises Failed."""
        if not stack.wanted.rollback:
            return

        def ended() -> bool:
            return self._services.is_closing or bool(stack.operation and stack.operation.cause)

        said = triggers.monitored(stack.wanted, self._services.client("cloudwatch", stack.region), ended)
        if said or ended():
            raise Failed([], said or "User Initiated")


def end_operation(store: Store, stack: Stack, status: str, reason: str = "") -> None:
    """End the stack's operation with a status."""
    if stack.operation is not None and stack.operation.nested:  # before the next change set can make others
        nesting.forget_unmade(store, stack)
    with store.lock:
        stack.record(status, reason)
        stack.operation = None
    store.save(stack)


def _unmade(stack: Stack) -> list[str]:
    """The resources that failed to be created, and not in the place of others."""
    replacing = {old.logical_id for old in stack.superseded}
    failed = [name for name, resource in stack.resources.items() if resource.status == "CREATE_FAILED"]
    return [name for name in failed if name not in replacing]
