"""Carries out the requests of a controller on the agent, whatever connection they come by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import process
from . import scripts
from .operations import OPERATIONS

Answer = Callable[[dict[str, Any]], None]


class Worker:
    """The requests of one connection that are under way; `answer` sends one message to the controller."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._is_stopping = False

    def take(self, message: dict[str, Any]) -> None:
        """Begin, or cancel, what a message requests."""
        number = int(message["id"])
        if message["do"] == "cancel":
            if number in self._tasks:
                self._tasks[number].cancel()
            return
        task = asyncio.create_task(self._carry_out(number, str(message["do"]), message["arguments"]))
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def stop(self) -> None:
        """End all requests and their processes, except scripts that were started to outlive the connection.

        They are not answered: to the controller the agent is lost, as if its power had failed, and no step has failed.
        """
        self._is_stopping = True
        for task in list(self._tasks.values()):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _carry_out(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": number}
        try:
            if name == "run":
                answer["value"] = await self._run(number, **arguments)
            elif name == "follow_script":
                answer["value"] = await self._follow(number, **arguments)
            elif name in scripts.OPERATIONS:
                answer["value"] = await asyncio.to_thread(scripts.OPERATIONS[name], **arguments)
            else:
                answer["value"] = await asyncio.to_thread(OPERATIONS[name], **arguments)
        except asyncio.CancelledError:
            if self._is_stopping:
                return
            answer["error"] = {"message": "it was stopped"}
        except OSError as fault:
            answer["error"] = {"number": fault.errno, "message": fault.strerror or str(fault), "file": fault.filename}
        except Exception as fault:
            answer["error"] = {"message": f"{type(fault).__name__}: {fault}"}
        self._answer(answer)

    async def _run(
        self, number: int, command: list[str], directory: str, environment: dict[str, str], capture: bool
    ) -> list[Any]:
        def write(text: str) -> None:
            self._answer({"id": number, "output": text})

        return list(await process.run(command, Path(directory), environment, write, capture=capture))

    async def _follow(self, number: int, control: str, offset: int) -> list[Any]:
        async for piece in scripts.read_output(control, offset):
            self._answer({"id": number, "content": piece})
        return [*await asyncio.to_thread(scripts.read_end, control)]
