"""One caller of the command line: his frames come in, his command runs, and its frames go out (hudson.cli.CLIAction)."""

from __future__ import annotations

import asyncio
import codecs
import re

from ..controller import Controller
from ..model.security import Identity
from .commands import execute
from .protocol import BrokenStream, Operation, make_frame, pack_number, read_text
from .terminal import Send, Terminal

CONNECTION_SECONDS = 15.0  # until a caller must have sent his whole command

# Encodings of Python that are no character sets: they fail at some texts, or take very long for long ones.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape"})


def _find_charset(name: str) -> str | None:
    """The character set of a name, as Python calls it; None for what is none."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:_+-]{0,39}", name, re.ASCII):
        return None
    try:
        found = codecs.lookup(name).name
        "letters".encode(found)
    except (LookupError, UnicodeError):  # the first for conversions of bytes, such as hex
        return None
    return None if found in _NO_CHARSETS else found


class Connection:
    """Takes the frames of one caller; `limit` is how many bytes he may send in all."""

    def __init__(self, controller: Controller, identity: Identity, send: Send, limit: int) -> None:
        self._controller, self._identity, self._send, self._left = controller, identity, send, limit
        self._words: list[str] = []
        self._is_ready, self._terminal = asyncio.Event(), Terminal(send)
        self._command: asyncio.Task[int] | None = None

    def hear(self, frame: bytes) -> None:
        """Take one frame; raises BrokenStream. Operations that only a server sends are ignored, as in Jenkins."""
        self._left -= len(frame)
        if self._left < 0:
            raise BrokenStream("more bytes than a caller may send")
        operation, content = frame[0], frame[1:]
        match operation:
            case Operation.ARGUMENT:
                self._words.append(read_text(content))
            case Operation.ENCODING:
                self._terminal.encoding = _find_charset(read_text(content)) or self._terminal.encoding
            case Operation.START:
                self._is_ready.set()
            case Operation.STDIN:
                self._terminal.type(content)
            case Operation.END_STDIN:
                self._terminal.end()

    def close(self) -> None:
        """The caller has gone: a command that runs is interrupted, and one that waits for input gets no more."""
        self._is_ready.set()
        self._terminal.end()
        if self._command is not None:
            self._command.cancel()

    async def run(self) -> None:
        """Run the command when it is whole, and send its exit code; nothing after 15 seconds without one."""
        try:
            await asyncio.wait_for(self._is_ready.wait(), CONNECTION_SECONDS)
        except TimeoutError:
            return
        task = asyncio.ensure_future(execute(self._words, self._controller, self._identity, self._terminal))
        self._command = task
        try:
            code = await task
            await self._send(make_frame(Operation.EXIT, pack_number(code)))
        except (asyncio.CancelledError, ConnectionError):
            if not task.done():
                task.cancel()
        finally:
            self._command = None
