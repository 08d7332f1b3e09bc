"""The frames of Jenkins' command line (hudson.cli.PlainCLIProtocol).

Over HTTP a frame is its length as four bytes, which count only the content, the operation as one byte, and the content. A
message of a WebSocket is a frame without its length. Texts are in Java's own form of UTF-8 after their length as two bytes.
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum

_LENGTH = struct.Struct(">i")


class Operation(IntEnum):
    """What a frame has; a client sends those up to END_STDIN, except EXIT, and a server the others."""

    ARGUMENT = 0
    LOCALE = 1
    ENCODING = 2
    START = 3
    EXIT = 4
    STDIN = 5
    END_STDIN = 6
    STDOUT = 7
    STDERR = 8


class BrokenStream(ValueError):
    """The bytes are no frames of the protocol."""


class FrameReader:
    """Cuts a stream of bytes into frames; `limit` is the most bytes that one frame may have."""

    def __init__(self, limit: int) -> None:
        self._limit, self._pending = limit, bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that are whole now, each as its operation and its content; raises BrokenStream."""
        self._pending += chunk
        frames = []
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            if not 0 <= length <= self._limit:
                raise BrokenStream(f"a frame of {length} bytes")
            end = _LENGTH.size + 1 + length
            if len(self._pending) < end:
                break
            frames.append(bytes(self._pending[_LENGTH.size : end]))
            del self._pending[:end]
        return frames


def add_length(frame: bytes) -> bytes:
    """A frame as a stream has it: after the length of its content."""
    return _LENGTH.pack(len(frame) - 1) + frame


def make_frame(operation: Operation, content: bytes = b"") -> bytes:
    """A frame: its operation and its content."""
    return bytes((operation,)) + content


def pack_number(number: int) -> bytes:
    """A number as Java's `int`; -1 is Jenkins' exit code for a command that needs an administrator."""
    return _LENGTH.pack(number)


def read_text(content: bytes) -> str:
    """Read a text that Java's DataOutput wrote; raises BrokenStream.

    A zero has two bytes there, and a letter beyond the 16-bit ones is written as its two surrogates.
    """
    if len(content) < 2 or len(content) != 2 + int.from_bytes(content[:2], "big"):
        raise BrokenStream("a text of another length than it says")
    try:
        written = content[2:].replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        joined = re.sub("[\ud800-\udbff][\udc00-\udfff]", _join_surrogates, written)
        return re.sub("[\ud800-\udfff]", "?", joined)  # half a letter: Java writes a question mark for it
    except UnicodeDecodeError as fault:
        raise BrokenStream("a text that is no UTF-8") from fault


def _join_surrogates(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-be", "surrogatepass").decode("utf-16-be")
