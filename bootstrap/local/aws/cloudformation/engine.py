"""Runs stack operations, each in a thread of its own: create, update, delete, and the way back when one fails.

An operation is written so that it can be run again from the stack's file alone: a resource that this operation has dealt with
says so (`applied_by`), and requests that were already made are answered from the journal. That is how an operation
that a kill interrupted is taken up again.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation import parameters, rules, triggers
from bootstrap.local.aws.cloudformation.deploy import Deployment
from bootstrap.local.aws.cloudformation.notify import Notifier
from bootstrap.local.aws.cloudformation.order import Failed
from bootstrap.local.aws.cloudformation.scope import Scopes
from bootstrap.local.aws.cloudformation.store import Operation, Stack, Store, Wanted
from bootstrap.local.aws.cloudformation.template import read
from bootstrap.local.aws.door import Door
from bootstrap.local.aws.faults import Faults
from bootstrap.local.aws.signals import Signals

log = logging.getLogger(__name__)

# What is over this soon is over when the answer comes: the waiters of clients look once, and then sleep for 30 s.
PROMPT_SECONDS = 1.0
ACCOUNT = "123456789012"  # the account of moto's default credentials


class Engine:
    """All stacks, and the operations on them."""

    def __init__(self, store: Store, door: Door, client: Any, faults: Faults, signals: Signals) -> None:
        self.store = store
        self.door = door
        self.client = client
        self.faults = faults
        self.signals = signals
        self.scopes = Scopes(store, client)
        store.saved = Notifier(door, client).saved
        self._threads: list[threading.Thread] = []
        self.is_closing = False
        self.prompt_seconds = PROMPT_SECONDS

    def new_stack(self, name: str, region: str, wanted: Wanted, status: str, **more: Any) -> Stack:
        """A stack that has no resources yet; it is kept once an operation on it begins, or the caller saves it."""
        stack_id = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(stack_id, name, region, ACCOUNT, wanted, status, time.time(), **more)
        stack.description = str(read(wanted.template, wanted.parameters).document.get("Description", ""))
        return stack

    def create(self, stack: Stack, *, on_failure: str = "ROLLBACK", token: str = "", strict: bool = False) -> None:
        """Start to create the stack's resources; `strict`: its rollback deletes also what is to be retained."""
        operation = Operation(_new_id(), "CREATE", token, on_failure=on_failure, retains_except_on_create=strict)
        self._begin(stack, operation, "CREATE_IN_PROGRESS")

    def update(
        self,
        stack: Stack,
        wanted: Wanted,
        *,
        disable_rollback: bool = False,
        token: str = "",
        policy: str = "",
        strict: bool = False,
    ) -> None:
        """Start to bring the stack to `wanted`; `strict`: its rollback deletes also what is new and to be retained."""
        on_failure = "DO_NOTHING" if disable_rollback else "ROLLBACK"
        before = stack.stable or stack.wanted
        operation = Operation(_new_id(), "UPDATE", token, before=before, on_failure=on_failure, policy=policy)
        operation.retains_except_on_create = strict
        stack.wanted = wanted
        stack.updated = time.time()
        self._begin(stack, operation, "UPDATE_IN_PROGRESS")

    def delete(self, stack: Stack, retain: list[str], token: str = "") -> None:
        """Start to delete the stack."""
        self._begin(stack, Operation(_new_id(), "DELETE", token, retain=retain), "DELETE_IN_PROGRESS")

    def take_in(self, stack: Stack, wanted: Wanted, imports: dict[str, str], token: str = "") -> None:
        """Start to make existing resources the stack's: logical id -> physical id."""
        operation = Operation(_new_id(), "IMPORT", token, before=stack.wanted, imports=imports)
        stack.wanted = wanted
        self._begin(stack, operation, "IMPORT_IN_PROGRESS")

    def continue_rollback(self, stack: Stack, skip: list[str], token: str = "") -> None:
        """Try again to go back to what was before the failed update."""
        operation = Operation(_new_id(), "ROLLBACK", token, before=None, retain=skip, is_restored=True)
        self._begin(stack, operation, "UPDATE_ROLLBACK_IN_PROGRESS")

    def roll_back(self, stack: Stack, token: str = "") -> None:
        """Go back from a creation or an update that failed and was left as it was."""
        if stack.status == "CREATE_FAILED":
            self._begin(stack, Operation(_new_id(), "CREATE", token), "ROLLBACK_IN_PROGRESS")
        else:
            operation = Operation(_new_id(), "ROLLBACK", token, before=stack.stable)
            self._begin(stack, operation, "UPDATE_ROLLBACK_IN_PROGRESS")

    def cancel(self, stack: Stack, token: str = "") -> None:
        """Let the update in progress fail at its next resource."""
        assert stack.operation is not None
        if token:
            stack.tokens[token] = "CANCEL"
        stack.operation.cause = "User Initiated"
        self.store.save(stack)

    def resume(self) -> None:
        """Take up the operations that were in progress when the process ended."""
        for stack in list(self.store.stacks.values()):
            if stack.operation is not None:
                log.info("taking up %s of %s again", stack.operation.kind, stack.name)
                self._start(stack)

    def close(self) -> None:
        """Stop taking new steps; what is in progress is taken up at the next start."""
        self.is_closing = True

    def wait(self, stack: Stack, seconds: float = 3600.0) -> None:
        """Wait until the stack's operation has ended."""
        end = time.monotonic() + seconds
        while stack.operation is not None and time.monotonic() < end:
            time.sleep(0.02)

    def is_late(self, stack: Stack) -> bool:
        """Whether a creation has taken longer than its TimeoutInMinutes."""
        is_new = stack.status == "CREATE_IN_PROGRESS" and stack.timeout
        return bool(is_new) and time.time() > stack.created + 60 * stack.timeout

    def breach(self, stack: Stack) -> str:
        """What a rollback trigger says against the operation, or ''."""
        if not stack.wanted.rollback:
            return ""
        return triggers.breach(stack.wanted, self.client("cloudwatch", stack.region))

    def _check_triggers(self, stack: Stack) -> None:
        """Watch the rollback triggers for their time, once all is made. Raises Failed."""
        if not stack.wanted.rollback:
            return

        def ended() -> bool:
            return self.is_closing or bool(stack.operation and stack.operation.cause)

        said = triggers.monitored(stack.wanted, self.client("cloudwatch", stack.region), ended)
        if said or ended():
            raise Failed([], said or "User Initiated")

    def _begin(self, stack: Stack, operation: Operation, status: str) -> None:
        with self.store.lock:
            stack.operation = operation
            if operation.token:
                stack.tokens[operation.token] = operation.kind
            stack.record(status, "User Initiated")
        self.store.save(stack)
        self._start(stack)

    def _start(self, stack: Stack) -> None:
        thread = threading.Thread(target=self._run, args=(stack,), name=f"stack-{stack.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, stack: Stack) -> None:
        operation = stack.operation
        assert operation is not None
        work = {
            "CREATE": self._create,
            "UPDATE": self._update,
            "DELETE": self._delete,
            "ROLLBACK": self._roll_back,
            "IMPORT": self._import,
        }
        try:
            work[operation.kind](stack, operation)
        except _Closing:
            return
        except Exception as failure:  # a fault of ours must not leave the stack in progress for ever
            log.exception("%s of %s", operation.kind, stack.name)
            endings = {"CREATE": "ROLLBACK_FAILED", "ROLLBACK": "UPDATE_ROLLBACK_FAILED"}
            ending = endings.get(operation.kind, f"{operation.kind}_FAILED")
            self._end(stack, ending, f"Internal Failure: {failure}")

    def _end(self, stack: Stack, status: str, reason: str = "") -> None:
        with self.store.lock:
            stack.record(status, reason)
            stack.operation = None
        self.store.save(stack)

    def _deployment(self, stack: Stack) -> Deployment:
        return Deployment(self, stack)

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
            self.store.save(stack)
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
                stack.record("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
                self.store.save(stack)
            if stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
                return self._clean_up(stack, deployment, "UPDATE_COMPLETE")
        except Failed as failure:
            self._check_closing()
            if operation.on_failure == "DO_NOTHING":
                stack.stable = operation.before
                return self._end(stack, "UPDATE_FAILED", failure.words("update", _unmade(stack)))
            stack.record("UPDATE_ROLLBACK_IN_PROGRESS", failure.words("update", _unmade(stack)))
            self.store.save(stack)
        return self._roll_back(stack, operation)

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
                self.store.save(stack)
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
            self.store.save(stack)
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

    def _check_closing(self) -> None:
        if self.is_closing:
            raise _Closing

    def settle(self, stack: Stack | None, wanted: Wanted, region: str, reuse: set[str]) -> Wanted:
        """Check parameters and rules of what is asked, and look SSM parameters up. Raises Refused."""
        template = read(wanted.template, wanted.parameters | _kept(stack, reuse))
        kept = stack.wanted.parameters if stack else {}
        wanted.parameters = parameters.settle(template, wanted.parameters, kept, reuse)
        _, wanted.looked_up = parameters.resolve(template, wanted.parameters, self.scopes.ssm(region))
        scope = self.scopes.of(stack, wanted, region)
        rules.check(scope, lambda: self.client("ec2", region))
        self.scopes.check_types(template, scope.present(), region)
        return wanted


class _Closing(Exception):
    """The server stops; the operation stays as it is on disk."""


def _kept(stack: Stack | None, reuse: set[str]) -> dict[str, str]:
    return {name: value for name, value in stack.wanted.parameters.items() if name in reuse} if stack else {}


def _unmade(stack: Stack) -> list[str]:
    """The resources that failed to be created, and not in the place of others."""
    replacing = {old.logical_id for old in stack.superseded}
    failed = [name for name, resource in stack.resources.items() if resource.status == "CREATE_FAILED"]
    return [name for name in failed if name not in replacing]


def _new_id() -> str:
    return str(uuid.uuid4())
