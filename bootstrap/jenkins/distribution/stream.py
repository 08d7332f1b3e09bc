"""Reads what a web server sends, within limits: nothing of it is proved yet, and a hostile or broken server may never end.

There is a greatest size and a greatest time for each kind of file, and a least rate for all of them. A thread does the reading,
because the time-out of a socket begins again with every byte.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

READ_SECONDS = 60.0  # without a byte; then the connection counts as broken
LEAST_RATE = 4096  # bytes a second, the average of each window
_WINDOW_SECONDS = 60.0
_HEAD_SECONDS = 120.0  # until the answer begins, redirections included
_BLOCK = 1 << 20
_BLOCKS_AHEAD = 4


class TooLarge(Exception):
    """The server sends more than a file of this kind may have; the text says how much that is."""


class TooSlow(OSError):
    """The server sends slower than the least rate, or takes longer than the greatest time."""


@dataclass(frozen=True)
class Limit:
    """The greatest size of a kind of file in bytes, and the greatest time for it, all attempts together."""

    most: int
    seconds: float

    def check(self, size: int) -> None:
        """Raises TooLarge if `size` is more than that."""
        if size > self.most:
            raise TooLarge(f"it has more than {self.most >> 20} MiB, which is the limit for such a file")


SMALL = Limit(1 << 20, 300)  # a signature, a key, a checksum
LIST = Limit(256 << 20, 3600)  # the list of plugin versions, the current offer
FILE = Limit(1 << 30, 2 * 3600)  # the core, a plugin


@dataclass(frozen=True)
class Answer:
    """Whether the server sends the rest behind what is here already, and that content in blocks."""

    is_rest: bool
    blocks: Iterator[bytes]


@dataclass(frozen=True)
class _Head:
    is_rest: bool
    length: int | None  # of what follows, if that is known


@dataclass(frozen=True)
class _Reader:
    """Reads in a thread. `ready` gets the head of the answer, then its blocks and b"" as the end; or an error at any time."""

    request: urllib.request.Request
    ready: queue.Queue[_Head | bytes | Exception] = field(default_factory=lambda: queue.Queue(_BLOCKS_AHEAD))
    is_given_up: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            with urllib.request.urlopen(self.request, timeout=READ_SECONDS) as answer:
                left = answer.length
                self._put(_Head(answer.status == 206, left))
                while (left is None or left > 0) and not self.is_given_up.is_set():
                    block = answer.read1(_BLOCK)  # read() would wait until the whole block is there
                    if not block:
                        break
                    left = None if left is None else left - len(block)
                    self._put(block)
            self._put(b"")
        except Exception as error:
            self._put(error)

    def _put(self, item: _Head | bytes | Exception) -> None:
        while not self.is_given_up.is_set():
            with contextlib.suppress(queue.Full):
                self.ready.put(item, timeout=1)
                return

    def take(self, end: float) -> _Head | bytes | None:
        """The next item, or None if there is none at the time `end` (of time.monotonic). Raises what the thread met."""
        try:
            item = self.ready.get(timeout=max(end - time.monotonic(), 0))
        except queue.Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item


@contextlib.contextmanager
def open_url(url: str, limit: Limit, headers: Mapping[str, str], begun: int = 0, end: float = 0) -> Iterator[Answer]:
    """The answer for `url`, of which `begun` bytes are here already; `end` (of time.monotonic) if the time already runs.

    This and the blocks raise TooLarge, TooSlow, OSError or HTTPException.
    """
    reader = _Reader(urllib.request.Request(url, headers=dict(headers)))
    end = end or time.monotonic() + limit.seconds
    threading.Thread(target=reader.run, daemon=True).start()
    try:
        head = reader.take(min(end, time.monotonic() + _HEAD_SECONDS))
        if not isinstance(head, _Head):
            raise TooSlow(f"no answer within {_HEAD_SECONDS:g} s")
        size = begun if head.is_rest else 0
        limit.check(size + (head.length or 0))
        yield Answer(head.is_rest, _read_blocks(reader, limit, head, size, end))
    finally:
        reader.is_given_up.set()


def _read_blocks(reader: _Reader, limit: Limit, head: _Head, begun: int, end: float) -> Iterator[bytes]:
    received = in_window = 0
    window_end = time.monotonic() + _WINDOW_SECONDS
    while (block := reader.take(min(end, window_end))) != b"":
        if isinstance(block, bytes):
            received += len(block)
            in_window += len(block)
            limit.check(begun + received)
            yield block
        if time.monotonic() >= end:
            raise TooSlow(f"it was not complete after {limit.seconds / 60:g} minutes")
        if time.monotonic() >= window_end:
            if in_window < LEAST_RATE * _WINDOW_SECONDS:
                raise TooSlow(f"the server sends less than {LEAST_RATE} bytes a second")
            in_window, window_end = 0, time.monotonic() + _WINDOW_SECONDS
    if head.length is not None and received != head.length:
        raise http.client.IncompleteRead(b"", head.length - received)
