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
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from bootstrap.local.aws.cloudformation import changes, nesting, settling
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.notify import Notifier
from bootstrap.local.aws.cloudformation.parsing import read
from bootstrap.local.aws.cloudformation.running import Closing, Run, end_operation
from bootstrap.local.aws.cloudformation.scope import Scopes
from bootstrap.local.aws.cloudformation.services import Services
from bootstrap.local.aws.cloudformation.store import ChangeSet, Operation, Stack, Store, Wanted
from bootstrap.local.aws.door import Door
from bootstrap.local.aws.faults import Faults
from bootstrap.local.aws.signals import Signals

log = logging.getLogger(__name__)

# What is over this soon is over when the answer comes: the waiters of clients look once, and then sleep for 30 s.
PROMPT_SECONDS = 1.0
ACCOUNT = "123456789012"  # the account of moto's default credentials
_DONE = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted", "IMPORT": "updated", "ROLLBACK": "rolled back"}


class Engine:
    """All stacks, and the operations on them."""

    def __init__(self, store: Store, door: Door, client: Any, faults: Faults, signals: Signals) -> None:
        self.store = store
        self.client = client
        self.signals = signals
        self.scopes = Scopes(store, client)
        self.services = Services(store, self.scopes, client, door, faults, signals)
        store.saved = Notifier(door, client).saved
        self._threads: list[threading.Thread] = []
        self._turns: dict[str, threading.Lock] = {}  # stack id -> held by the thread that works on the stack
        self.prompt_seconds = PROMPT_SECONDS

    def new_stack(self, name: str, region: str, wanted: Wanted, status: str, **more: Any) -> Stack:
        """A stack that has no resources yet; it is kept once an operation on it begins, or the caller saves it."""
        stack_id = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(stack_id, name, region, ACCOUNT, wanted, status, time.time(), **more)
        stack.description = str(read(wanted.template, wanted.parameters).document.get("Description", ""))
        return stack

    def create(
        self,
        stack: Stack,
        *,
        on_failure: str = "ROLLBACK",
        token: str = "",
        strict: bool = False,
        change_set: ChangeSet | None = None,
    ) -> None:
        """Start to create the stack's resources; `strict`: its rollback deletes also what is to be retained."""
        operation = Operation(_new_id(), "CREATE", token, on_failure=on_failure, retains_except_on_create=strict)
        _review(operation, change_set)
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
        change_set: ChangeSet | None = None,
        led_by: str = "",
    ) -> None:
        """Start to bring the stack to `wanted`; `strict`: its rollback deletes also what is new and to be retained.

        `led_by`: the operation of the parent of a nested stack, which cleans up when its parent does. What it goes back to is
        what was before the first of the updates that the parent has not got over. An update that the parent's is cancelled
        under is cancelled too. Raises Refused, as all that begins an operation, where one is in progress.
        """
        on_failure = "DO_NOTHING" if disable_rollback else "ROLLBACK"
        operation = Operation(_new_id(), "UPDATE", token, on_failure=on_failure, policy=policy)
        operation.retains_except_on_create = strict
        operation.is_held = bool(led_by)
        _review(operation, change_set)

        def change() -> None:
            held = stack.operation.before if stack.operation else None
            operation.before = held or stack.stable or stack.wanted
            stack.wanted, stack.updated = wanted, time.time()
            parent = self.store.stacks.get(stack.parent) if led_by else None
            if parent is not None and parent.operation is not None:
                operation.cause = parent.operation.cause

        self._begin(stack, operation, "UPDATE_IN_PROGRESS", change, led_by=led_by)

    def delete(self, stack: Stack, retain: list[str], token: str = "", led_by: str = "") -> None:
        """Start to delete the stack."""
        operation = Operation(_new_id(), "DELETE", token, retain=retain)
        self._begin(stack, operation, "DELETE_IN_PROGRESS", led_by=led_by)

    def take_in(self, stack: Stack, wanted: Wanted, imports: dict[str, str], token: str = "") -> None:
        """Start to make existing resources the stack's: logical id -> physical id."""
        operation = Operation(_new_id(), "IMPORT", token, imports=imports)

        def change() -> None:
            operation.before, stack.wanted = stack.wanted, wanted

        self._begin(stack, operation, "IMPORT_IN_PROGRESS", change)

    def continue_rollback(self, stack: Stack, skip: list[str], token: str = "", led_by: str = "") -> None:
        """Try again to go back to what was before the failed update."""
        operation = Operation(_new_id(), "ROLLBACK", token, before=None, retain=skip, is_restored=True)
        self._begin(stack, operation, "UPDATE_ROLLBACK_IN_PROGRESS", led_by=led_by)

    def roll_back(self, stack: Stack, token: str = "", led_by: str = "") -> None:
        """Go back from a creation or an update that failed and was left as it was."""
        if stack.status == "CREATE_FAILED":
            self._begin(stack, Operation(_new_id(), "CREATE", token), "ROLLBACK_IN_PROGRESS", led_by=led_by)
        else:
            operation = Operation(_new_id(), "ROLLBACK", token, before=stack.stable)
            self._begin(stack, operation, "UPDATE_ROLLBACK_IN_PROGRESS", led_by=led_by)

    def cancel(self, stack: Stack, token: str = "") -> None:
        """Let the update in progress, and those of nested stacks in it, fail at their next resource. Raises Refused."""
        with self.store.lock:  # in one piece, or an update that is through would be taken for one that goes on
            if stack.operation is None or stack.status != "UPDATE_IN_PROGRESS":
                raise Refused(f"CancelUpdateStack cannot be called from current stack status {stack.status}")
            if token:
                stack.tokens[token] = "CANCEL"
            cancelled = [stack, *nesting.updating(self.store, stack)]
            for one in cancelled:
                assert one.operation is not None
                one.operation.cause = "User Initiated"
        for one in cancelled:
            self.store.save(one)

    def release(self, stack: Stack, *, back: bool = False) -> None:
        """Let a nested stack that waits for its parent clean up, or go back to what was before."""
        with self._turn(stack), self.store.lock:  # the thread that brought it to wait is through with it
            assert stack.operation is not None
            if back:
                stack.record("UPDATE_ROLLBACK_IN_PROGRESS")
            stack.operation.is_held = False
        self.store.save(stack)
        self._start(stack)

    def resume(self) -> None:
        """Take up the operations that were in progress when the process ended."""
        for stack in list(self.store.stacks.values()):
            if stack.operation is not None:
                log.info("taking up %s of %s again", stack.operation.kind, stack.name)
                self._start(stack)

    def close(self) -> None:
        """Stop taking new steps; what is in progress is taken up at the next start."""
        self.services.closing.set()

    @property
    def is_closing(self) -> bool:
        """Whether no new steps are taken."""
        return self.services.is_closing

    def wait(self, stack: Stack, seconds: float = 3600.0) -> None:
        """Wait until the stack's operation has ended, or waits for its parent's."""
        end = time.monotonic() + seconds
        while stack.operation is not None and not stack.is_held and time.monotonic() < end:
            time.sleep(0.02)

    def settle_nested(
        self,
        parent: Stack,
        granted: list[str],
        properties: dict[str, Any],
        tags: dict[str, str],
        *,
        child: Stack | None = None,
        text: str = "",
    ) -> Wanted:
        """Check and return what the parent's resource asks of its nested stack; raises Refused."""
        return settling.settle_nested(self.services, parent, granted, properties, tags, child=child, text=text)

    def differs(self, stack: Stack, wanted: Wanted) -> bool:
        """Whether bringing the stack to `wanted` would change anything."""
        found = changes.compare(self.scopes, stack, wanted)
        return bool(found) or changes.differs_beyond_resources(self.scopes, stack, wanted)

    def _begin(
        self,
        stack: Stack,
        operation: Operation,
        status: str,
        change: Callable[[], None] = lambda: None,
        *,
        led_by: str = "",
    ) -> None:
        """Let an operation begin where none is in progress; one that the parent begins may take the place of one that waits
        for it. `change` is done in one piece with it. Raises Refused."""
        with self._turn(stack) if stack.is_held else nullcontext(), self.store.lock:
            self._check_free(stack, operation.kind, by_parent=bool(led_by))
            change()
            stack.operation = operation
            stack.led_by = led_by or stack.led_by
            if operation.token:
                stack.tokens[operation.token] = operation.kind
            stack.record(status, "User Initiated")
            self.store.stacks[stack.id] = stack
        self.store.save(stack)
        self._start(stack)

    def _check_free(self, stack: Stack, kind: str, *, by_parent: bool) -> None:
        if not (stack.operation is None or (by_parent and stack.is_held)):
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be {_DONE[kind]}.")
        namesake = self.store.find(stack.name, stack.region)
        if namesake is not None and namesake is not stack:
            raise Refused(f"Stack [{stack.name}] already exists", "AlreadyExistsException")

    def _turn(self, stack: Stack) -> threading.Lock:
        return self._turns.setdefault(stack.id, threading.Lock())

    def _start(self, stack: Stack) -> None:
        thread = threading.Thread(target=self._run, args=(stack,), name=f"stack-{stack.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, stack: Stack) -> None:
        """Carry out the stack's operation, unless the thread before has brought it to its end.

        A nested stack's may have two threads: one that was started when the server took it up again, and one that the parent
        started. What a parent changes of one that waits for it, it changes between their turns.
        """
        with self._turn(stack):
            if stack.operation is not None:
                self._carry_out(stack, stack.operation.kind)

    def _carry_out(self, stack: Stack, kind: str) -> None:
        try:
            Run(self.services, self, stack).go()
        except Closing:
            return
        except Exception as failure:  # a fault of ours must not leave the stack in progress for ever
            log.exception("%s of %s", kind, stack.name)
            endings = {"CREATE": "ROLLBACK_FAILED", "ROLLBACK": "UPDATE_ROLLBACK_FAILED"}
            end_operation(self.store, stack, endings.get(kind, f"{kind}_FAILED"), f"Internal Failure: {failure}")


def _review(operation: Operation, change_set: ChangeSet | None) -> None:
    """Note what a change set says of nested stacks."""
    if change_set is not None:
        operation.is_reviewed, operation.nested = change_set.includes_nested, dict(change_set.nested)


def _new_id() -> str:
    return str(uuid.uuid4())
