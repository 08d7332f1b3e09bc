"""The Groovy program of one Pipeline build: a process that asks for steps and is answered, by lines of JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import process
from .confinement import confinement
from .groovy_programs import GroovyProgram

LINE_LIMIT = 64 * 1024 * 1024


class Program:
    """A started program; `start` makes one."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin is not None and child.stdout is not None
        self._child, self._input, self._output = child, child.stdin, child.stdout
        self._errors = asyncio.create_task(self._read_errors())

    @classmethod
    async def start(cls, program: GroovyProgram) -> Program:
        """Start it in a process group of its own, confined."""
        with confinement(program.readable) as confine:
            child = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=program.environment,
                cwd="/",
                limit=LINE_LIMIT,
                start_new_session=True,
                preexec_fn=confine,
            )
        return cls(child)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a line."""
        self._input.write(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """Nothing more will be sent."""
        self._input.write_eof()

    async def receive(self) -> dict[str, Any] | None:
        """The next line; None at the end of the program."""
        line = await self._output.readline()
        message: dict[str, Any] | None = json.loads(line) if line else None
        return message

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._child.kill()

    async def end(self) -> None:
        """Let it end for a moment, then end it and all that it started."""
        if self._child.returncode is None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._child.wait(), 1.0)
        await process.stop_group(self._child)

    async def finish_errors(self) -> None:
        """Wait a moment for the last of what it wrote to standard error."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._errors), 2.0)

    def describe_end(self) -> str:
        """The exit code and the end of standard error, of a program that ended."""
        return f"{self._child.returncode}\n{self._errors.result()}".rstrip()

    async def _read_errors(self) -> str:
        assert self._child.stderr is not None
        return (await self._child.stderr.read()).decode(errors="replace")[-4000:]
