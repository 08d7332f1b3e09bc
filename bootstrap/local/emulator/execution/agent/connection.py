"""The agent's side of the connection: it carries out the controller's requests, and connects again after a break."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import aiohttp

from .wire import LIMIT, NAME, PATH, SECRET, dump, load
from .worker import Worker

_PAUSE = 1.0  # seconds between two attempts to connect
_HEARTBEAT = 10.0


class Agent:
    """An agent of one controller, by its `name` and `secret` there."""

    def __init__(self, url: str, name: str, secret: str) -> None:
        self._url, self._name, self._secret = url if url.endswith("/") else f"{url}/", name, secret
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
        worker = Worker(self._outgoing.put_nowait)
        try:
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    worker.take(load(message.data))
        finally:
            # Nobody waits for what runs any more: its processes end with the connection.
            await worker.stop()
            sending.cancel()

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await socket.send_str(dump(await self._outgoing.get()))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
