"""The Groovy process of one Pipeline build: it requests steps and gets answers, in lines of JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import process
from .confinement import open_confinement
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
        """Start the program in its own process group, with restricted access."""
        with open_confinement(program.readable) as confine:
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
        """Close the input of the program."""
        self._input.write_eof()

    async def receive(self) -> dict[str, Any] | None:
        """The next line; None at the end of the program."""
        line = await self._output.readline()
        message: dict[str, Any] | None = json.loads(line) if line else None
        return message

    def kill(self) -> None:
        """Kill the program."""
        with suppress(ProcessLookupError):
            self._child.kill()

    async def end(self) -> None:
        """Wait a moment for the program to end, then kill it and its child processes."""
        if self._child.returncode is None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._child.wait(), 1.0)
        await process.stop_group(self._child)

    async def finish_errors(self) -> None:
        """Wait a moment for the last output on standard error."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._errors), 2.0)

    def describe_end(self) -> str:
        """The exit code of the ended program, and the end of its standard error."""
        return f"{self._child.returncode}\n{self._errors.result()}".rstrip()

    async def _read_errors(self) -> str:
        assert self._child.stderr is not None
        return (await self._child.stderr.read()).decode(errors="replace")[-4000:]
