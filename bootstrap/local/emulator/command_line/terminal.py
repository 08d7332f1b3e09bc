"""The terminal of a caller: what he types, and what is printed for him, in the encoding of his machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .protocol import Operation, make_frame

Send = Callable[[bytes], Awaitable[None]]


class Terminal:
    """Reads and prints; each print is a frame, which `send` carries to the caller."""

    def __init__(self, send: Send) -> None:
        self._send, self._typed, self._ended = send, bytearray(), asyncio.Event()
        self.encoding = "utf-8"

    def type(self, chunk: bytes) -> None:
        """Add what the caller typed."""
        self._typed += chunk

    def end(self) -> None:
        """The caller types no more."""
        self._ended.set()

    async def read(self) -> bytes:
        """Read all that the caller types."""
        await self._ended.wait()
        return bytes(self._typed)

    async def print(self, words: str) -> None:
        """Print to the standard output."""
        await self.write(words.encode(self.encoding, "replace"))

    async def write(self, content: bytes) -> None:
        """Write bytes to the standard output; an empty text is no frame."""
        if content:
            await self._send(make_frame(Operation.STDOUT, content))

    async def complain(self, words: str) -> None:
        """Print to the standard error."""
        await self._send(make_frame(Operation.STDERR, words.encode(self.encoding, "replace")))
