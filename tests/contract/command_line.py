"""A client of Jenkins' command line, written for the tests: both sides over HTTP, and over a WebSocket.

It plays what jenkins-cli.jar does: a POST with `Side: download` whose answer begins with a zero byte, a POST with
`Side: upload` whose body stays open until the exit code has come, and frames of length, operation and content in both.
"""

from __future__ import annotations

import asyncio
import base64
import queue
import struct
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import requests

ARGUMENT, LOCALE, ENCODING, START, EXIT, STDIN, END_STDIN, STDOUT, STDERR = range(9)
SECONDS = 60


@dataclass
class Ended:
    """What a command did: its exit code (None if the server sent none) and what it printed."""

    code: int | None = None
    out: bytes = b""
    err: bytes = b""
    frames: list[int] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The standard output as text."""
        return self.out.decode()

    @property
    def faults(self) -> str:
        """The standard error as text."""
        return self.err.decode()

    def take(self, frame: bytes) -> None:
        """Take a frame of the server."""
        operation, content = frame[0], frame[1:]
        self.frames.append(operation)
        if operation == STDOUT:
            self.out += content
        elif operation == STDERR:
            self.err += content
        elif operation == EXIT:
            (self.code,) = struct.unpack(">i", content)


def write_text(operation: int, text: str) -> bytes:
    """A frame with a text, as Java's DataOutput writes it."""
    written = text.encode()
    return bytes([operation]) + struct.pack(">H", len(written)) + written


def encode_login(user: str, password: str) -> str:
    """The header of a login by Basic."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def make_frames(words: tuple[str, ...], typed: bytes) -> list[bytes]:
    """The frames of a whole command."""
    frames = [write_text(ARGUMENT, word) for word in words]
    frames += [write_text(ENCODING, "UTF-8"), write_text(LOCALE, "en_US"), bytes([START])]
    if typed:
        frames.append(bytes([STDIN]) + typed)
    return [*frames, bytes([END_STDIN])]


def lengthen(frame: bytes) -> bytes:
    """A frame as the stream of a request has it."""
    return struct.pack(">i", len(frame) - 1) + frame


class CommandLine:
    """Runs commands on a server as one user; `login` is None for nobody. `origin` is the URL that the server has of itself."""

    def __init__(self, url: str, login: tuple[str, str] | None, origin: str = "") -> None:
        self._url, self._login, self._origin = url.rstrip("/"), login, origin

    def run(self, *words: str, typed: bytes = b"") -> Ended:
        """Run a command over two requests; its end."""
        with Session(self._url, self._login) as session:
            for frame in make_frames(words, typed):
                session.say(frame)
            return session.wait()

    def open(self) -> Session:
        """A session whose frames the test sends itself."""
        return Session(self._url, self._login)

    def run_by_socket(self, *words: str, typed: bytes = b"", origin: str | None = None) -> Ended:
        """Run a command over a WebSocket; its end."""
        return asyncio.run(self._run_by_socket(words, typed, origin or self._origin))

    async def _run_by_socket(self, words: tuple[str, ...], typed: bytes, origin: str) -> Ended:
        login = {"Authorization": encode_login(*self._login)} if self._login else {}
        ended = Ended()
        async with (
            aiohttp.ClientSession(headers=login, timeout=aiohttp.ClientTimeout(SECONDS)) as web,
            web.ws_connect(f"{self._url}/cli/ws", origin=origin) as socket,
        ):
            for frame in make_frames(words, typed):
                await socket.send_bytes(frame)
            async for message in socket:
                ended.take(message.data)
        return ended


class Session:
    """The two requests of one command."""

    def __init__(self, url: str, login: tuple[str, str] | None) -> None:
        self._target, self._login = f"{url}/cli?remoting=false", login
        self._identifier = str(uuid.uuid4())
        self._frames: queue.Queue[bytes | None] = queue.Queue()
        self._upload = threading.Thread(target=self._send_upload)
        self.ended = Ended()
        self.upload_status: int | None = None

    def __enter__(self) -> Session:
        self._download = requests.post(
            self._target, headers=self._head("download"), auth=self._login, stream=True, timeout=SECONDS
        )
        self._download.raise_for_status()
        assert "true" == self._download.headers["Hudson-Duplex"]
        assert b"\0" == self._download.raw.read(1)
        self._upload.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._upload.join(SECONDS)
        self._download.close()

    def _head(self, side: str) -> dict[str, str]:
        return {"Session": self._identifier, "Side": side, "Content-Type": "application/octet-stream"}

    def _send_upload(self) -> None:
        def list_chunks() -> Iterator[bytes]:
            while (frame := self._frames.get()) is not None:
                yield lengthen(frame)

        answer = requests.post(
            self._target, headers=self._head("upload"), auth=self._login, data=list_chunks(), timeout=SECONDS
        )
        self.upload_status = answer.status_code

    def say(self, frame: bytes) -> None:
        """Send one frame."""
        self._frames.put(frame)

    def hang_up(self) -> None:
        """Close the side of the caller."""
        self._frames.put(None)

    def read_frame(self) -> bytes | None:
        """Read the next frame of the server; None at the end."""
        head = self._read(4)
        if len(head) < 4:
            return None
        frame = self._read(struct.unpack(">i", head)[0] + 1)
        self.ended.take(frame)
        return frame

    def _read(self, size: int) -> bytes:
        read: Any = self._download.raw.read
        return bytes(read(size))

    def wait(self) -> Ended:
        """Read to the exit code, or to the end without one."""
        while self.ended.code is None and self.read_frame() is not None:
            pass
        return self.ended
