"""An operation on a stack is carried out once, however many threads are started for it."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import engine as engines
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.operations.stack_operation import end_operation
from bootstrap.local.aws.cloudformation.store import Operation, Stack, Store, Wanted

TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'


class SlowRun:
    """Stands for the work on a stack: slow, so that every thread that may work at the same time does."""

    begun: int = 0
    kinds: ClassVar[list[str]] = []

    def __init__(self, services: Services, _: Any, stack: Stack) -> None:
        self._store, self._stack = services.store, stack

    def go(self) -> None:
        time.sleep(0.2)
        if self._stack.is_held:
            return
        type(self).begun += 1
        assert self._stack.operation is not None
        self.kinds.append(self._stack.operation.kind)
        end_operation(self._store, self._stack, "UPDATE_COMPLETE")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> engines.Engine:
    """An engine whose work is a SlowRun; no service is called."""
    monkeypatch.setattr(engines, "Run", SlowRun)
    monkeypatch.setattr(SlowRun, "begun", 0)
    monkeypatch.setattr(SlowRun, "kinds", [])
    made = engines.Engine(Store(tmp_path), None, None, None, None)  # type: ignore[arg-type]
    made.store.saved = lambda _: None
    return made


def held_child() -> Stack:
    """A nested stack that is updated and waits for its parent."""
    stack = Stack(
        "arn:s/1", "child", "eu-central-1", "123456789012", Wanted(TEMPLATE), "UPDATE_IN_PROGRESS", time.time()
    )
    stack.operation = Operation("op", "UPDATE", is_held=True)
    stack.record("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    return stack


def test_a_stack_that_is_taken_up_again_and_released_at_once_is_worked_on_once(engine: engines.Engine) -> None:
    stack = held_child()
    engine.store.save(stack)
    engine.resume()
    engine.release(stack)
    for thread in engine._threads:
        thread.join(10)
    assert (SlowRun.begun, stack.status, stack.reason) == (1, "UPDATE_COMPLETE", "")
    assert not any(thread.is_alive() for thread in threading.enumerate() if thread.name == "stack-child")


def parent_of(stack: Stack, engine: engines.Engine) -> Stack:
    """A stack with an update in progress, which the other is nested in."""
    made = Stack("arn:s/0", "root", stack.region, stack.account, Wanted(TEMPLATE), "UPDATE_IN_PROGRESS", time.time())
    made.operation = Operation("led", "UPDATE")
    stack.parent = stack.root = made.id
    engine.store.save(made)
    return made


def join(engine: engines.Engine) -> None:
    for thread in engine._threads:
        thread.join(10)


def test_a_nested_update_that_begins_under_a_cancelled_one_is_cancelled(engine: engines.Engine) -> None:
    stack = held_child()
    parent = parent_of(stack, engine)
    engine.store.save(stack)
    engine.cancel(parent)
    engine.update(stack, Wanted(TEMPLATE), led_by="led")
    assert stack.operation is not None
    assert ("User Initiated", "led", True) == (stack.operation.cause, stack.led_by, stack.operation.is_held)
    join(engine)


def test_what_the_parent_begins_in_the_place_of_what_waits_for_it_is_begun_between_turns(
    engine: engines.Engine,
) -> None:
    stack = held_child()
    engine.store.save(stack)
    engine.resume()  # a thread that is about to find that the stack waits
    engine.delete(stack, [], led_by="led")
    join(engine)
    assert ["DELETE"] == SlowRun.kinds


def test_an_operation_in_progress_is_not_taken_over(engine: engines.Engine) -> None:
    stack = held_child()
    engine.store.save(stack)
    with pytest.raises(Refused, match="can not be updated"):
        engine.update(stack, Wanted(TEMPLATE))
    assert stack.operation is not None
    assert "op" == stack.operation.id


def test_two_operations_that_begin_at_the_same_moment_are_one_and_a_refusal(engine: engines.Engine) -> None:
    stack = held_child()
    stack.operation = None
    stack.record("UPDATE_COMPLETE")
    engine.store.save(stack)
    refusals = []

    def begin() -> None:
        try:
            engine.update(stack, Wanted(TEMPLATE))
        except Refused as refusal:
            refusals.append(refusal.message)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    join(engine)
    assert 3 == len(refusals)
    assert 1 == SlowRun.begun


def test_events_of_resources_that_record_side_by_side_are_each_later_than_the_one_before() -> None:
    stack = held_child()
    threads = [threading.Thread(target=lambda: [stack.record("X") for _ in range(300)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [event.time for event in stack.events]
    assert all(later - earlier >= 0.0009 for earlier, later in itertools.pairwise(times))
