"""Limits the time in which a request is read, the length of its body and the connections of an address.

Any program that reaches the server can open connections. Head and body must arrive within a time, however small their pieces
are. The limit of a body depends on the service that the request names, and is checked before the body is read.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.local.aws.server.requests import Environ, find_service

HEAD_SECONDS, BODY_SECONDS, ANSWER_SECONDS = 20.0, 120.0, 120.0
CONNECTIONS_OF_AN_ADDRESS = 256
_LIMIT = 16_000_000  # bytes of a body; most of AWS' services accept one million
_LIMIT_OF_SERVICE = {"s3": 1_000_000_000, **dict.fromkeys(("lambda", "ecr", "ses"), 70_000_000)}
_LIMIT_OF_OWN_PATHS = 1_000_000  # for the metadata service and the control endpoints
_LIMIT_AFTER_ANSWER = 1_000_000  # bytes that are read after the answer was sent


class BodyRefused(Exception):
    """A body is refused; the text says why. `status` and `code` are for the answer."""

    def __init__(self, message: str, status: int = 413, code: str = "RequestEntityTooLarge") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class TimedReader(io.RawIOBase):
    """Reads from a connection until a deadline; after the answer, it reads at most one million bytes more."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left: int | None = None
        self.set_deadline(HEAD_SECONDS)

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def set_deadline(self, seconds: float) -> None:
        """Let the deadline be `seconds` from now."""
        self._deadline = time.monotonic() + seconds

    def limit_rest(self) -> None:
        """Limit what is read from now on, because the answer is sent and the rest is discarded."""
        self._left = _LIMIT_AFTER_ANSWER

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes into `buffer`; 0 at the end. Raises TimeoutError after the deadline."""
        if self._left is not None and self._left <= 0:
            return 0
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the request did not arrive in time")
        self._connection.settimeout(remaining)
        try:
            count = self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(ANSWER_SECONDS)
        if self._left is not None:
            self._left -= count
        return count


class Connections:
    """Counts the open connections of each address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    @contextmanager
    def count_connection(self, address: str) -> Iterator[bool]:
        """Count a connection of an address within the context; yields False if the address has too many."""
        with self._lock:
            self._open[address] += 1
            is_accepted = self._open[address] <= CONNECTIONS_OF_AN_ADDRESS
        try:
            yield is_accepted
        finally:
            with self._lock:
                self._open[address] -= 1
                if not self._open[address]:
                    del self._open[address]


def find_limit(environ: Environ) -> int:
    """The longest body of a request in bytes, by its path and by the service that it names."""
    if environ.get("PATH_INFO", "").startswith(("/_bootstrap/", "/latest/")):
        return _LIMIT_OF_OWN_PATHS
    return _LIMIT_OF_SERVICE.get(find_service(environ) or _find_query_service(environ), _LIMIT)


def _find_query_service(environ: Environ) -> str:
    """The service of a presigned URL: 's3', or '' if the query has no credential."""
    return "s3" if "X-Amz-Credential" in environ.get("QUERY_STRING", "") else ""


def check_length(environ: Environ) -> None:
    """Raise BodyRefused if the header has a wrong or too large length; limit a body without a length while it is read."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BodyRefused(f"the header Content-Length is {length[:40]!r}, not a number", 400, "InvalidRequest")
    if int(length) > find_limit(environ):
        raise BodyRefused(
            f"the body has {length} bytes, but the local cloud accepts {find_limit(environ)} bytes for this service"
        )
    if environ.get("wsgi.input_terminated"):
        environ["wsgi.input"] = LimitedReader(environ["wsgi.input"], find_limit(environ))


class LimitedReader(io.RawIOBase):
    """A body without a length in its header. Reading raises BodyRefused if it is longer than `limit` bytes."""

    def __init__(self, stream: io.RawIOBase, limit: int) -> None:
        self._stream, self._limit, self._left = stream, limit, limit

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes into `buffer`; 0 at the end."""
        read = self._stream.read(len(buffer)) or b""
        self._left -= len(read)
        if self._left < 0:
            raise BodyRefused(f"the local cloud accepts {self._limit} bytes for this service, and the body is longer")
        buffer[: len(read)] = read
        return len(read)
