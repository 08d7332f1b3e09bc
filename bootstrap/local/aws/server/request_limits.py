"""How much of a request is read, and for how long: whoever connects may be anybody.

Head and body must have come within a time, however small the pieces are in which they come. A body may be as long as the
service that the request names takes one; that is looked at before any of it is read. An address may have so many connections.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.local.aws.server.requests import Environ, service_of

HEAD_SECONDS, BODY_SECONDS, ANSWER_SECONDS = 20.0, 120.0, 120.0
CONNECTIONS_OF_AN_ADDRESS = 256
_LONGEST = 16_000_000  # bytes of a body; of AWS's services most take one million
_LONGEST_OF = {"s3": 1_000_000_000, **dict.fromkeys(("lambda", "ecr", "ses"), 70_000_000)}
_LONGEST_OF_OURS = 1_000_000  # for the metadata service and the control endpoints
_PASSED_OVER = 1_000_000  # of what still comes when the answer has been given


class NotTaken(Exception):
    """A body that is not read: why, with the status and the code of the answer."""

    def __init__(self, message: str, status: int = 413, code: str = "RequestEntityTooLarge") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Arriving(io.RawIOBase):
    """What comes over a connection, as long as its time lasts; after the answer only little more."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left: int | None = None
        self.within(HEAD_SECONDS)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def within(self, seconds: float) -> None:
        """All that is read from now on must have come in this time."""
        self._until = time.monotonic() + seconds

    def end_soon(self) -> None:
        """The answer has been given: what else comes is thrown away, and that not for ever."""
        self._left = _PASSED_OVER

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes; none at the end. TimeoutError where the time is over."""
        if self._left is not None and self._left <= 0:
            return 0
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the request did not come in time")
        self._connection.settimeout(remaining)
        try:
            count = self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(ANSWER_SECONDS)
        if self._left is not None:
            self._left -= count
        return count


class Connections:
    """How many connections each address has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str) -> Iterator[bool]:
        """Count a connection while it lasts; false where the address has too many."""
        with self._lock:
            self._open[address] += 1
            is_welcome = self._open[address] <= CONNECTIONS_OF_AN_ADDRESS
        try:
            yield is_welcome
        finally:
            with self._lock:
                self._open[address] -= 1
                if not self._open[address]:
                    del self._open[address]


def longest(environ: Environ) -> int:
    """How long the body of a request may be: by its path, and by the service that it names."""
    if environ.get("PATH_INFO", "").startswith(("/_bootstrap/", "/latest/")):
        return _LONGEST_OF_OURS
    return _LONGEST_OF.get(service_of(environ) or _service_of_query(environ), _LONGEST)


def _service_of_query(environ: Environ) -> str:
    """The service of a presigned URL."""
    return "s3" if "X-Amz-Credential" in environ.get("QUERY_STRING", "") else ""


def check_length(environ: Environ) -> None:
    """Raise NotTaken for a body that says of itself that it is too long; one without a length is measured as it comes."""
    told = environ.get("CONTENT_LENGTH") or "0"
    if not (told.isascii() and told.isdigit()):
        raise NotTaken(f"the header Content-Length is {told[:40]!r} and no number", 400, "InvalidRequest")
    if int(told) > longest(environ):
        raise NotTaken(f"the local cloud takes {longest(environ)} bytes of this service, the body has {told}")
    if environ.get("wsgi.input_terminated"):
        environ["wsgi.input"] = Bounded(environ["wsgi.input"], longest(environ))


class Bounded(io.RawIOBase):
    """A body that does not say its length: NotTaken where it goes on after its limit."""

    def __init__(self, stream: io.RawIOBase, limit: int) -> None:
        self._stream, self._limit, self._left = stream, limit, limit

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes of it."""
        read = self._stream.read(len(buffer)) or b""
        self._left -= len(read)
        if self._left < 0:
            raise NotTaken(f"the local cloud takes {self._limit} bytes of this service")
        buffer[: len(read)] = read
        return len(read)
