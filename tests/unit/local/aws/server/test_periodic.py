"""Work that depends on the time goes on, also after a task that fails."""

from __future__ import annotations

import threading

import pytest

from bootstrap.local.aws.server import periodic


def test_a_task_that_fails_stops_neither_the_others_nor_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "PAUSE_SECONDS", 0.01)
    failed, done = threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        failed.release()
        raise ValueError("this time")

    work = periodic.Periodic((fail, done.release))
    work.start()
    for each in (failed, done, failed, done):
        assert each.acquire(timeout=10)
    work.close()
