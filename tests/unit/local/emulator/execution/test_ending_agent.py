"""What an agent answers of the requests that are under way when it ends, and of one that is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bootstrap.local.emulator.execution.agent.worker import Worker


def follow(folder: Path, end: Callable[[Worker], Any]) -> list[dict[str, Any]]:
    """The answers to the request that follows a script, from when `end` ends it."""

    async def run() -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        worker = Worker(answers.append)
        script = {
            "control": str(folder),
            "command": ["sleep", "3"],
            "directory": str(folder),
            "environment": {"PATH": "/usr/bin:/bin"},
            "capture": False,
        }
        worker.take({"id": 1, "do": "start_script", "arguments": script})
        while not answers:
            await asyncio.sleep(0.01)
        assert "error" not in answers.pop()
        worker.take({"id": 2, "do": "follow_script", "arguments": {"control": str(folder), "offset": 0}})
        await asyncio.sleep(0.1)
        assert [] == answers
        ended = end(worker)
        if ended is not None:
            await ended
        await asyncio.sleep(0.1)
        return answers

    return asyncio.run(run())


def test_an_agent_that_ends_answers_for_no_script(tmp_path: Path) -> None:
    """The controller would take the answer for a failure of the step, and not for the loss of the agent."""
    assert [] == follow(tmp_path, lambda worker: worker.stop())


def test_a_cancelled_request_is_answered(tmp_path: Path) -> None:
    cancelled = follow(tmp_path, lambda worker: worker.take({"id": 2, "do": "cancel"}))

    assert [{"id": 2, "error": {"message": "it was stopped"}}] == cancelled
