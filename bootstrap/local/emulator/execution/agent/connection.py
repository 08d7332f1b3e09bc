"""The agent's side of the connection: it carries out the controller's requests, and connects again after a break."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp

from .. import process
from .operations import OPERATIONS
from .wire import LIMIT, NAME, PATH, SECRET, dump, load

_PAUSE = 1.0  # seconds between two attempts to connect
_HEARTBEAT = 10.0


class Agent:
    """An agent of one controller, by its `name` and `secret` there."""

    def __init__(self, url: str, name: str, secret: str) -> None:
        self._url, self._name, self._secret = url if url.endswith("/") else f"{url}/", name, secret
        self._work: dict[int, asyncio.Task[None]] = {}
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def serve(self) -> None:
        """Connect, work, and connect again, for ever."""
        headers, said = {NAME: self._name, SECRET: self._secret}, ""
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.ws_connect(
                        self._url + PATH, headers=headers, heartbeat=_HEARTBEAT, max_msg_size=LIMIT
                    ) as socket:
                        said = ""
                        _tell("INFO: Connected")
                        await self._converse(socket)
                    _tell("INFO: Terminated")
                except (aiohttp.ClientError, OSError) as fault:
                    if said != (said := f"WARNING: {self._url} does not take the connection: {fault}"):
                        _tell(said)
                await asyncio.sleep(_PAUSE)

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._outgoing = asyncio.Queue()
        await socket.send_str(dump({"hello": {"environment": dict(os.environ), "user": os.getuid()}}))
        sending = asyncio.create_task(self._send(socket))
        try:
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._take(load(message.data))
        finally:
            # Nobody waits for what runs any more: its processes end with the connection.
            for task in list(self._work.values()):
                task.cancel()
            if self._work:
                await asyncio.wait(list(self._work.values()))
            sending.cancel()

    def _take(self, message: dict[str, Any]) -> None:
        number = int(message["id"])
        if message["do"] == "cancel":
            if number in self._work:
                self._work[number].cancel()
            return
        task = asyncio.create_task(self._answer(number, str(message["do"]), message["arguments"]))
        self._work[number] = task
        task.add_done_callback(lambda _: self._work.pop(number, None))

    async def _answer(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": number}
        try:
            if name == "run":
                answer["value"] = await self._run(number, **arguments)
            else:
                answer["value"] = await asyncio.to_thread(OPERATIONS[name], **arguments)
        except asyncio.CancelledError:
            answer["error"] = {"message": "it was stopped"}
        except OSError as fault:
            answer["error"] = {"number": fault.errno, "message": fault.strerror or str(fault), "file": fault.filename}
        except Exception as fault:
            answer["error"] = {"message": f"{type(fault).__name__}: {fault}"}
        self._outgoing.put_nowait(answer)

    async def _run(
        self, number: int, command: list[str], directory: str, environment: dict[str, str], capture: bool
    ) -> list[Any]:
        def write(text: str) -> None:
            self._outgoing.put_nowait({"id": number, "output": text})

        return list(await process.run(command, Path(directory), environment, write, capture=capture))

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await socket.send_str(dump(await self._outgoing.get()))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
