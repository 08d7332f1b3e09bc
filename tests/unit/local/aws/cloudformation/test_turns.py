"""An operation on a stack is carried out once, however many threads are started for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.aws.cloudformation import engine as engines
from bootstrap.local.aws.cloudformation.store import Operation, Stack, Store, Wanted

TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'


class SlowRun:
    """Stands for the work on a stack: slow, so that every thread that may work at the same time does."""

    begun: int = 0

    def __init__(self, engine: Any, stack: Stack) -> None:
        self._engine, self._stack = engine, stack

    def go(self) -> None:
        type(self).begun += 1
        time.sleep(0.2)
        self._engine.end(self._stack, "UPDATE_COMPLETE")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> engines.Engine:
    """An engine whose work is a SlowRun; no service is called."""
    monkeypatch.setattr(engines, "Run", SlowRun)
    monkeypatch.setattr(SlowRun, "begun", 0)
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
