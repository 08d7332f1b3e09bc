"""The shell on a machine over SSH; the only module that knows Fabric.

It decides how the machine is trusted (only the host keys that the cloud told, nothing from files), how it is logged in to
(one private key, kept in memory) and how commands and bytes travel: one connection for everything, opened when it is first
needed and opened again when it was lost. The machine's own reboots and first minutes are waited for.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import paramiko
from fabric import Config, Connection

from bootstrap.errors import (
    CommandFailed,
    ConnectionBroken,
    HostKeyMismatch,
    Unreachable,
)
from bootstrap.remote import commands
from bootstrap.remote.exec_channel import converse
from bootstrap.remote.forwarding import Forwarding
from bootstrap.remote.keys import format_fingerprint
from bootstrap.remote.local_shell import TIMED_OUT
from bootstrap.remote.ordered_transport import OrderedTransport
from bootstrap.remote.private_key import read_private_key
from bootstrap.values import Machine, Result

_BROKEN = (OSError, EOFError, paramiko.SSHException)  # what ends a connection
# While it is opened, its bytes are not authenticated yet: these are what paramiko's parsers raise for bytes that are not SSH.
_NOT_SSH = (ValueError, LookupError)
_ATTEMPT = 10.0  # seconds for one attempt to connect, and for each of its steps
_PAUSE = 1.0  # seconds between attempts
_KEEPALIVE = 15  # seconds; below the idle limits of NAT gateways and load balancers (350 s on AWS)
_GONE = (
    45  # seconds without a receipt for what was sent, after which the machine counts as gone (tcp(7), TCP_USER_TIMEOUT)
)
_PROMPT = (
    60.0  # seconds in which a machine under full load still opens a channel; after that the connection counts as dead
)
_SESSIONS = 8  # at once over the connection; sshd refuses more than its MaxSessions, which is 10 unless told otherwise
_CROWDED = 10.0  # seconds in which a place becomes free among the sessions
_BANNER = 30.0  # seconds until SSH's first line; a session of Session Manager takes some before anything comes through
_REMEDY = "Check with './bootstrap.py status' that the machine runs and that this machine may reach its port 22."
Dial = Callable[[], Any]
# What goes wrong is told by this module's own errors. Without a handler paramiko's tracebacks go to standard error, and with
# one alone they still do where another library has given the root logger one.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class FabricShell:
    """Fulfils `values.Shell` over one SSH connection to `machine`.

    `patience` is how many seconds an unreachable machine is waited for. `dial` opens the stream that SSH runs over; by
    default a TCP connection to the machine's address, elsewhere a tunnel; `remedy` is what to try where it leads nowhere.
    """

    def __init__(
        self, machine: Machine, *, patience: float = 120, dial: Dial | None = None, remedy: str = _REMEDY
    ) -> None:
        self._machine = machine
        self._patience = patience
        self._dial = dial or self._dial_tcp
        self._remedy = remedy
        self._key = read_private_key(machine.private_key)
        self._connection: Any = None
        self._lock = threading.Lock()
        self._sessions = threading.BoundedSemaphore(_SESSIONS)

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        sudo: bool = False,
        check: bool = True,
        timeout: float | None = None,
        hear: Callable[[str], None] | None = None,
    ) -> Result:
        """Run one command; CommandFailed on a non-zero exit (unless told not to check) and always when time runs out."""
        full = commands.add_sudo(command) if sudo else tuple(command)
        started = time.monotonic()
        with self._sessions:
            code, output, problems = self._execute(commands.quote_command(full), stdin, timeout, commands.Lines(hear))
        texts = (output.decode(errors="replace"), problems.decode(errors="replace"))
        result = Result(commands.shorten_command(command), code, *texts, time.monotonic() - started)
        if code != 0 and (check or code == TIMED_OUT):
            remedy = "Check the machine with './bootstrap.py ssh'."
            raise CommandFailed(f"running a command on {self._machine.instance_id}", result, remedy)
        return result

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        """Write a file atomically, with its mode from the start."""
        data = content if isinstance(content, bytes) else content.read_bytes()
        self.run(commands.put(path, mode, len(data)), stdin=data, sudo=sudo)

    def forward(self, port: int, *, local_port: int = 0) -> AbstractContextManager[int]:
        """A port of this machine's loopback (0: a free one) that leads to `port` of the other's; OSError if it is in use."""

        @contextmanager
        def forwarded() -> Iterator[int]:
            self._get_transport()  # connects now, so that an unreachable machine is this call's error

            def dial(source: tuple[str, int]) -> Any:
                try:
                    return self._open_stream(("127.0.0.1", port), source, _PROMPT)
                except paramiko.ChannelException as error:
                    raise ConnectionRefusedError(str(error)) from error

            forwarding = Forwarding(dial, local_port)
            try:
                yield forwarding.port
            finally:
                forwarding.close()

        return forwarded()

    def open_stream(self, address: str, port: int) -> Any:
        """A stream from the machine on to another one, over this connection; OSError where the machine cannot reach it."""
        try:
            return self._open_stream((address, port), ("127.0.0.1", 0), _ATTEMPT)
        except (EOFError, paramiko.SSHException) as error:
            raise OSError(f"{self._machine.instance_id} cannot reach {address}:{port}: {error}") from error

    def _open_stream(self, target: tuple[str, int], source: tuple[str, int], seconds: float) -> Any:
        return self._get_transport().open_channel("direct-tcpip", target, source, timeout=seconds)

    def close(self) -> None:
        """End the connection; the next command would open another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _execute(
        self, text: str, stdin: bytes, timeout: float | None, lines: commands.Lines
    ) -> tuple[int, bytes, bytes]:
        """Exit code, output and errors of one command in a session of its own."""
        transport, channel = self._open_channel()
        try:
            channel.exec_command(text)
            return converse(channel, stdin, timeout, lines)
        except _BROKEN as error:
            raise self._explain_lost_session(transport, error) from error
        finally:
            channel.close()

    def _open_channel(self) -> tuple[Any, Any]:
        """The live connection's transport and a session on it; one that turns out to be dead is opened anew once."""
        transport = self._get_transport()
        try:
            return transport, self._open_session(transport)
        except paramiko.ChannelException as error:  # refused, by a connection that is well and that others use
            raise self._explain_lost_session(transport, error) from error
        except _BROKEN:
            self._drop(transport)
        transport = self._get_transport()
        try:
            return transport, self._open_session(transport)
        except _BROKEN as error:
            raise self._explain_lost_session(transport, error) from error

    @staticmethod
    def _open_session(transport: Any) -> Any:
        """A session; sshd frees the place of one that ended a moment after its command did, so a refusal is not final."""
        deadline = time.monotonic() + _CROWDED
        while True:
            try:
                return transport.open_session(timeout=_PROMPT)
            except paramiko.ChannelException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _drop(self, transport: Any) -> None:
        """Give a dead connection up; one that somebody opened in its place stays."""
        with self._lock:
            if self._connection is not None and self._connection.transport is transport:
                self._connection.close()
                self._connection = None
        transport.close()

    def _get_transport(self) -> Any:
        with self._lock:
            if self._connection is None or not self._connection.is_connected:
                self._connection = self._connect()
            return self._connection.transport

    def _connect(self) -> Any:
        """Try until it works or patience ends: sshd, cloud-init's keys and the network come one after another at boot."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._open()
            except (*_BROKEN, *_NOT_SSH) as error:
                if time.monotonic() + _PAUSE > deadline:
                    raise self._make_unreachable(error) from error
                time.sleep(_PAUSE)

    def _open(self) -> Any:
        machine = self._machine
        stream = self._dial()
        # A Config that reads no file: neither ~/.ssh/config nor Fabric's own may change how this machine is reached.
        config = Config(lazy=True, overrides={"load_ssh_configs": False})
        options = {
            "sock": stream,
            "pkey": self._key,
            "allow_agent": False,
            "look_for_keys": False,
            "banner_timeout": _BANNER,
            "auth_timeout": _ATTEMPT,
            "transport_factory": OrderedTransport,
        }
        connection = Connection(machine.address, machine.user, machine.port, config=config, connect_kwargs=options)
        self._pin_host_keys(connection.client)
        try:
            connection.open()
        except BaseException as error:
            connection.client.close()
            stream.close()
            refusal: BaseException | None = getattr(stream, "refusal", None)
            if refusal is not None:  # the stream knows why, and that another attempt ends in the same way
                raise refusal from error
            if isinstance(error, paramiko.BadHostKeyException):
                raise self._make_mismatch(f"{error.key.get_name()} {error.key.get_base64()}") from error
            raise
        connection.transport.set_keepalive(_KEEPALIVE)
        return connection

    def _pin_host_keys(self, client: Any) -> None:
        name = self._machine.address if self._machine.port == 22 else f"[{self._machine.address}]:{self._machine.port}"
        for line in self._machine.host_keys:
            kind, blob = line.split()[:2]
            entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {kind} {blob}")
            if entry is not None and entry.key is not None:
                client.get_host_keys().add(name, kind, entry.key)

        shell = self

        class OnlyPinned(paramiko.MissingHostKeyPolicy):
            def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
                raise shell._make_mismatch(f"{key.get_name()} {key.get_base64()}")

        client.set_missing_host_key_policy(OnlyPinned())

    def _dial_tcp(self) -> socket.socket:
        stream = socket.create_connection((self._machine.address, self._machine.port), timeout=_ATTEMPT)
        # Paramiko never sets it; without it every small packet of a conversation may wait for the last one's receipt.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A machine that loses power says nothing, and the kernel repeats what was sent for 15 minutes. Only Linux has this.
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE * 1000)
        return stream

    def _make_mismatch(self, shown: str) -> HostKeyMismatch:
        expected = ", ".join(format_fingerprint(line) for line in self._machine.host_keys) or "none"
        return HostKeyMismatch(
            f"connecting to {self._machine.instance_id} at {self._machine.address}",
            f"it showed the host key {format_fingerprint(shown)}; expected {expected}",
            "Nothing was sent. If somebody else rebuilt the machine, run 'launch'; if not, find out which host answers there.",
        )

    def _make_unreachable(self, error: Exception) -> Unreachable:
        machine = self._machine
        return Unreachable(
            f"connecting to {machine.instance_id} at {machine.user}@{machine.address}:{machine.port}",
            f"no connection within {self._patience:.0f} s; last: {type(error).__name__}: {error}",
            self._remedy,
        )

    def _explain_lost_session(self, transport: Any, error: Exception) -> ConnectionBroken:
        """What happened to one session; the connection stays where it is alive, for others use it at the same time."""
        if not transport.is_active():
            self._drop(transport)
        # What ended a connection is known to its own thread; a session only sees that it ended.
        cause = transport.saved_exception
        why = f" ({type(cause).__name__}: {cause})" if cause is not None and cause is not error else ""
        return ConnectionBroken(
            f"using the connection to {self._machine.instance_id} at {self._machine.address}",
            f"the connection broke: {type(error).__name__}: {error}{why}",
            "Run the same command again: it continues from there.",
        )
