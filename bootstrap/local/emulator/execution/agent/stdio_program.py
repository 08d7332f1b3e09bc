"""The agent's program over its standard input and output, one message a line: for a controller that started it by SSH.

It needs nothing but Python. Programs of builds cannot reach the connection: they get other descriptors.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from .wire import BEGIN, LIMIT, dump, load
from .worker import Worker

_OWN_VARIABLES = ("NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID")


def main() -> None:
    """Serve the controller until it closes the connection."""
    for name in _OWN_VARIABLES:
        os.environ.pop(name, None)
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    asyncio.run(_serve(incoming, outgoing))


async def _serve(incoming: int, outgoing: int) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(incoming, "rb", 0))
    protocol = asyncio.streams.FlowControlMixin(loop=loop)
    transport, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(outgoing, "wb", 0))
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    hello = {"hello": {"environment": dict(os.environ), "user": os.getuid()}}
    writer.write(f"{BEGIN}\n{dump(hello)}\n".encode())
    sending = asyncio.create_task(_send(writer, answers))
    worker = Worker(answers.put_nowait)
    try:
        while line := await reader.readline():
            worker.take(load(line.decode()))
    finally:
        await worker.stop()
        sending.cancel()


async def _send(writer: asyncio.StreamWriter, answers: asyncio.Queue[dict[str, Any]]) -> None:
    while True:
        writer.write(f"{dump(await answers.get())}\n".encode())
        await writer.drain()
