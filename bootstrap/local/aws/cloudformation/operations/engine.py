"""Begins stack operations and runs each in its own thread: create, update, delete, import, roll back.

An operation can be repeated from the stack's file alone: finished resources are marked (`applied_by`), and the journal has the
answers of requests that were made already. So an operation is resumed after a kill.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from bootstrap.local.aws.cloudformation.comparison import changes
from bootstrap.local.aws.cloudformation.errors import Refused, describe_failure
from bootstrap.local.aws.cloudformation.operations import desired_state, nesting
from bootstrap.local.aws.cloudformation.operations.notify import Notifier
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.operations.stack_operation import Closing, Run, end_operation
from bootstrap.local.aws.cloudformation.store import ChangeSet, Operation, Stack, Store, Wanted
from bootstrap.local.aws.cloudformation.template import known_values
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import Scopes
from bootstrap.local.aws.server.call_identity import Callers
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.faults import Faults
from bootstrap.local.aws.server.signals import Signals

log = logging.getLogger(__name__)

# If an operation ends within this time, the API answers after its end: waiters of clients ask once, then sleep for 30 s.
PROMPT_SECONDS = 1.0
ACCOUNT = known_values.ACCOUNT
_DONE = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted", "IMPORT": "updated", "ROLLBACK": "rolled back"}


class Engine:
    """All stacks, and their operations. Methods that begin an operation raise Refused if another one is in progress."""

    def __init__(self, store: Store, door: Door, client: Any, faults: Faults, signals: Signals) -> None:
        self.store = store
        self.client = client
        self.signals = signals
        self.scopes = Scopes(store, client)
        self.services = Services(store, self.scopes, client, door, faults, signals)
        store.saved = Notifier(door, client).publish_events
        self._callers = door.callers if door is not None else Callers()
        self._threads: list[threading.Thread] = []
        self._turns: dict[str, threading.Lock] = {}  # stack id -> held by the thread that works on the stack
        self.prompt_seconds = PROMPT_SECONDS

    def make_stack(self, name: str, region: str, wanted: Wanted, status: str, **more: Any) -> Stack:
        """Make a stack without resources; it is stored when an operation on it begins, or when the caller saves it."""
        stack_id = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(stack_id, name, region, ACCOUNT, wanted, status, time.time(), **more)
        if wanted.template:
            stack.description = str(read(wanted.template, wanted.parameters, region).document.get("Description", ""))
        return stack

    def create(
        self,
        stack: Stack,
        *,
        on_failure: str = "ROLLBACK",
        token: str = "",
        retain_except_on_create: bool = False,
        change_set: ChangeSet | None = None,
    ) -> None:
        """Begin to create the stack's resources; with `retain_except_on_create` a rollback also deletes retained ones."""
        operation = Operation(_make_id(), "CREATE", token, on_failure=on_failure)
        operation.retains_except_on_create = retain_except_on_create
        _note_nested(operation, change_set)
        self._begin(stack, operation, "CREATE_IN_PROGRESS")

    def update(
        self,
        stack: Stack,
        wanted: Wanted,
        *,
        disable_rollback: bool = False,
        token: str = "",
        policy: str = "",
        retain_except_on_create: bool = False,
        change_set: ChangeSet | None = None,
        led_by: str = "",
    ) -> None:
        """Begin to update the stack to `wanted`; with `retain_except_on_create` a rollback also deletes new retained resources.

        For a nested stack, `led_by` is the parent's operation. The nested stack cleans up when its parent does. Its rollback
        restores the state before the first update that its parent has not completed. A cancellation of the parent's update
        cancels it, too.
        """
        on_failure = "DO_NOTHING" if disable_rollback else "ROLLBACK"
        operation = Operation(_make_id(), "UPDATE", token, on_failure=on_failure, policy=policy)
        operation.retains_except_on_create = retain_except_on_create
        operation.is_held = bool(led_by)
        _note_nested(operation, change_set)

        def change() -> None:
            held = stack.operation.before if stack.operation else None
            operation.before = held or stack.stable or stack.wanted
            stack.wanted, stack.updated = wanted, time.time()
            parent = self.store.stacks.get(stack.parent) if led_by else None
            if parent is not None and parent.operation is not None:
                operation.cause = parent.operation.cause

        self._begin(stack, operation, "UPDATE_IN_PROGRESS", change, led_by=led_by)

    def delete(
        self, stack: Stack, retain: list[str], token: str = "", led_by: str = "", *, is_forced: bool = False
    ) -> None:
        """Begin to delete the stack; if `is_forced`, resources that cannot be deleted are left behind."""
        operation = Operation(_make_id(), "DELETE", token, retain=retain, is_forced=is_forced)
        self._begin(stack, operation, "DELETE_IN_PROGRESS", led_by=led_by)

    def delete_unfinished(self, stack: Stack, token: str = "") -> bool:
        """Delete a stack, and nested ones, after the next step of its creation or after its rollback; False in other states."""
        with self.store.lock:  # a creation must not complete between the check and the request
            if stack.operation is None or stack.status not in {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
                return False
            unfinished = [stack, *nesting.list_in_progress(self.store, stack, "CREATE_IN_PROGRESS")]
            for affected in unfinished:
                assert affected.operation is not None
                affected.operation.deletion = "asked" if affected.status == "CREATE_IN_PROGRESS" else "begun"
                affected.operation.token = token
                affected.tokens |= {token: "DELETE"} if token else {}
                affected.record("DELETE_IN_PROGRESS", "User Initiated")
        for affected in unfinished:
            self.store.save(affected)
        return True

    def import_resources(self, stack: Stack, wanted: Wanted, imports: dict[str, str], token: str = "") -> None:
        """Begin to import existing resources into the stack: logical id -> physical id."""
        operation = Operation(_make_id(), "IMPORT", token, imports=imports)

        def change() -> None:
            operation.before, stack.wanted = stack.wanted, wanted

        self._begin(stack, operation, "IMPORT_IN_PROGRESS", change)

    def continue_rollback(self, stack: Stack, skip: list[str], token: str = "", led_by: str = "") -> None:
        """Begin the failed rollback of an update again; resources in `skip` are not changed."""
        operation = Operation(_make_id(), "ROLLBACK", token, before=None, retain=skip, is_restored=True)
        self._begin(stack, operation, "UPDATE_ROLLBACK_IN_PROGRESS", led_by=led_by)

    def roll_back(self, stack: Stack, token: str = "", led_by: str = "") -> None:
        """Begin to roll back a creation or an update that failed without a rollback."""
        if stack.status == "CREATE_FAILED":
            self._begin(stack, Operation(_make_id(), "CREATE", token), "ROLLBACK_IN_PROGRESS", led_by=led_by)
        else:
            operation = Operation(_make_id(), "ROLLBACK", token, before=stack.stable)
            self._begin(stack, operation, "UPDATE_ROLLBACK_IN_PROGRESS", led_by=led_by)

    def cancel(self, stack: Stack, token: str = "") -> None:
        """Cancel the update in progress, and nested ones, at their next resource; raises Refused if there is none."""
        with self.store.lock:  # an update must not complete between the check and the cancellation
            if stack.operation is None or stack.status != "UPDATE_IN_PROGRESS":
                raise Refused(f"CancelUpdateStack cannot be called from current stack status {stack.status}")
            if token:
                stack.tokens[token] = "CANCEL"
            cancelled = [stack, *nesting.list_in_progress(self.store, stack, "UPDATE_IN_PROGRESS")]
            for affected in cancelled:
                assert affected.operation is not None
                affected.operation.cause = "User Initiated"
        for affected in cancelled:
            self.store.save(affected)

    def release(self, stack: Stack, *, is_rollback: bool = False) -> None:
        """Let a nested stack that waits for its parent clean up, or roll back if `is_rollback`."""
        with self._turn(stack), self.store.lock:  # the thread that updated it has ended
            assert stack.operation is not None
            if is_rollback:
                stack.record("UPDATE_ROLLBACK_IN_PROGRESS")
            stack.operation.is_held = False
        self.store.save(stack)
        self._start(stack)

    def resume(self) -> None:
        """Resume the operations that were in progress when the process ended."""
        for stack in list(self.store.stacks.values()):
            if stack.operation is not None:
                self._callers.set_caller_of_operation(stack.operation.id, stack.operation.caller, stack.wanted.tags)
                log.info("resuming %s of %s", stack.operation.kind, stack.name)
                self._start(stack)

    def close(self) -> None:
        """Begin no new steps; operations in progress are resumed at the next start."""
        self.services.closing.set()

    @property
    def is_closing(self) -> bool:
        """Whether the engine begins no new steps."""
        return self.services.is_closing

    def wait(self, stack: Stack, seconds: float = 3600.0) -> None:
        """Wait until the stack's operation has ended or waits for its parent, at most `seconds`."""
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
        """The desired state of a nested stack by the parent's resource, checked; raises Refused."""
        return desired_state.settle_nested(self.services, parent, granted, properties, tags, child=child, text=text)

    def differs(self, stack: Stack, wanted: Wanted) -> bool:
        """Whether an update to `wanted` would change anything."""
        resource_changes = changes.compare(self.scopes, stack, wanted)
        return bool(resource_changes) or changes.differs_beyond_resources(self.scopes, stack, wanted)

    def _begin(
        self,
        stack: Stack,
        operation: Operation,
        status: str,
        change: Callable[[], None] = lambda: None,
        *,
        led_by: str = "",
    ) -> None:
        """Begin an operation; raises Refused if another one is in progress.

        An operation of the parent may replace one that waits for the parent. `change` is called under the same lock.
        """
        with self._turn(stack) if stack.is_held else nullcontext(), self.store.lock:
            self._check_free(stack, operation.kind, by_parent=bool(led_by))
            change()
            self._note_caller(stack, operation)
            operation.status_before = stack.status
            stack.operation = operation
            stack.led_by = led_by or stack.led_by
            if operation.token:
                stack.tokens[operation.token] = operation.kind
            stack.record(status, "User Initiated")
            self.store.stacks[stack.id] = stack
        self.store.save(stack)
        self._start(stack)

    def _note_caller(self, stack: Stack, operation: Operation) -> None:
        """Store whose permissions the operation uses: those of its caller, or of the stack's service role."""
        role = stack.wanted.role_arn
        actor = self._callers.find(self.services.door.step) if self.services.door is not None else None
        operation.caller = {"role_arn": role} if role else actor.caller if actor else {}
        self._callers.set_caller_of_operation(operation.id, operation.caller, stack.wanted.tags)

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
        """Carry out the stack's operation, except if another thread has ended it.

        The operation of a nested stack may have two threads: one that `resume` and one that the parent has started.
        A parent changes a stack that waits for it only while neither of them runs.
        """
        with self._turn(stack):
            if stack.operation is not None:
                self._carry_out(stack, stack.operation.kind)

    def _carry_out(self, stack: Stack, kind: str) -> None:
        try:
            Run(self.services, self, stack).go()
        except Closing:
            return
        except Exception as failure:  # after an error in the engine, the stack must not stay in progress
            log.exception("%s of %s", kind, stack.name)
            endings = {"CREATE": "ROLLBACK_FAILED", "ROLLBACK": "UPDATE_ROLLBACK_FAILED"}
            end_operation(self.store, stack, endings.get(kind, f"{kind}_FAILED"), describe_failure(failure))


def _note_nested(operation: Operation, change_set: ChangeSet | None) -> None:
    """Store the change sets of nested stacks that the operation executes."""
    if change_set is not None:
        operation.is_reviewed, operation.nested = change_set.includes_nested, dict(change_set.nested)


def _make_id() -> str:
    return str(uuid.uuid4())
