"""A local port that leads through an SSH connection: one listener, and for every client a pair of pumping threads."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Protocol

_CHUNK = 1 << 16
log = logging.getLogger(__name__)


class Stream(Protocol):
    """The part of a socket that an SSH channel offers as well."""

    def recv(self, size: int, /) -> bytes:
        """Some bytes; none at the end."""

    def sendall(self, data: bytes, /) -> None:
        """Send them all, or raise OSError."""

    def shutdown(self, how: int, /) -> None:
        """End one direction."""

    def close(self) -> None:
        """End both directions."""


class Forwarding:
    """Listens on a port of this machine's loopback (0: a free one) and joins every client with a stream that `dial` opens.

    `dial` raises ConnectionRefusedError where nobody listens at the other end; any other exception is logged, since the client
    sees the same closed connection for both.
    """

    def __init__(self, dial: Callable[[tuple[str, int]], Stream], port: int = 0) -> None:
        self._dial = dial
        self._listener = socket.create_server(("127.0.0.1", port))
        self._port = int(self._listener.getsockname()[1])
        self._pairs: dict[socket.socket, Stream] = {}  # every client with its stream
        self._lock = threading.Lock()
        self._is_open = True
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self._port

    def close(self) -> None:
        """Stop listening and end every open connection; returns when the listener is gone."""
        with self._lock:
            self._is_open = False
            pairs = dict(self._pairs)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        # The clients first: a server answers a request that ends in its middle, and that answer must reach nobody.
        for stream in (*pairs, *pairs.values()):
            _end_direction(stream)
        self._acceptor.join(timeout=5)

    def _accept(self) -> None:
        while True:
            try:
                client, source = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client, source), daemon=True).start()

    def _serve(self, client: socket.socket, source: tuple[str, int]) -> None:
        try:
            remote = self._dial(source)
        except Exception as error:
            # The machine refused, or the connection is gone: the client sees a closed connection, as it would there.
            if self._is_open and not isinstance(error, ConnectionRefusedError):
                log.warning("a client of port %s was closed: %s: %s", self.port, type(error).__name__, error)
            client.close()
            return
        with self._lock:
            self._pairs[client] = remote
            is_open = self._is_open
        back = threading.Thread(target=_copy_stream, args=(remote, client), daemon=True)
        if is_open:
            back.start()
            _copy_stream(client, remote)
            back.join()
        with self._lock:
            del self._pairs[client]
        _end_direction(client)
        _end_direction(remote)


def _copy_stream(source: Stream, sink: Stream) -> None:
    """Copy until the source ends, then end the sink's direction: a half-closed HTTP exchange still gets its answer."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        sink.shutdown(socket.SHUT_WR)


def _end_direction(stream: Stream) -> None:
    with contextlib.suppress(OSError, EOFError):
        stream.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError, EOFError):
        stream.close()
