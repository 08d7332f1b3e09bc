"""Runs a program in its own process group, and passes its output on at once."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from io import FileIO
from pathlib import Path

GRACE_SECONDS = 5.0


async def run(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    write: Callable[[str], None],
    *,
    capture: bool = False,
) -> tuple[int, str]:
    """Run to the end; returns exit code and, with `capture`, standard output, which is then not passed to `write`.

    A cancelled task ends the whole process group: TERM first, KILL after five seconds. Children that the program left
    behind do not hold the caller up.
    """
    captured: list[str] = []
    with contextlib.ExitStack() as stack:
        sinks = [write, captured.append] if capture else [write]
        ends = [_open_pipe(stack) for _ in sinks]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=ends[-1][1],
            stderr=ends[0][1],
            start_new_session=True,
        )
        for _, writing in ends:
            writing.close()
        readers = [asyncio.create_task(_read(reading, sink)) for (reading, _), sink in zip(ends, sinks, strict=True)]
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await stop_group(process)
            raise
        finally:
            await asyncio.wait(readers, timeout=1.0)
            for reader in readers:
                reader.cancel()
    return code, "".join(captured)


def _open_pipe(stack: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe()
    return stack.enter_context(FileIO(reading, "r")), stack.enter_context(FileIO(writing, "w"))


async def _read(pipe: FileIO, sink: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        while chunk := await reader.read(65536):
            sink(decoder.decode(chunk))
    finally:
        transport.close()


async def stop_group(process: asyncio.subprocess.Process) -> None:
    """End a process and everything in its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), GRACE_SECONDS)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
