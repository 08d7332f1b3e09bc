"""An SSH server on the loopback that really runs commands, forwards ports, and counts what it is asked."""

import io
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bootstrap.values import Machine, Secret

PRIVATE = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
}
FORMAT = serialization.PrivateFormat


def private_text(kind: str, form: serialization.PrivateFormat = FORMAT.OpenSSH) -> str:
    none = serialization.NoEncryption()
    return PRIVATE[kind].private_bytes(serialization.Encoding.PEM, form, none).decode()


def public_text(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def new_host_key() -> paramiko.PKey:
    none = serialization.NoEncryption()
    text = ed25519.Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, FORMAT.OpenSSH, none)
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text.decode()))


class Server(paramiko.ServerInterface):
    """Lets in whoever has one of PRIVATE's keys; runs commands without a sandbox, as they are the tests' own."""

    def __init__(self, sshd: "Sshd") -> None:
        self.sshd = sshd

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.sshd.logins += 1
        if self.sshd.refusals:
            self.sshd.refusals -= 1
            return paramiko.AUTH_FAILED
        return paramiko.AUTH_SUCCESSFUL if username == "admin" and self.sshd.lets_in else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if self.sshd.running >= self.sshd.max_sessions:
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return paramiko.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(self, chanid: int, origin: Any, destination: Any) -> int:
        self.sshd.forwards.append(destination)
        try:
            self.sshd.pending[chanid] = socket.create_connection(destination, timeout=5)
        except OSError:
            return paramiko.OPEN_FAILED_CONNECT_FAILED
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.sshd.commands.append(command.decode())
        answered = self._answered(channel.get_transport())
        threading.Thread(target=self.sshd.execute, args=(channel, command, answered), daemon=True).start()
        return True

    @staticmethod
    def _answered(transport: paramiko.Transport) -> threading.Event:
        """Set once the request was answered: a command that ends before that would close the channel over the answer."""
        answered, send = threading.Event(), transport._send_user_message

        def sent(message: Any) -> None:
            send(message)
            if threading.current_thread() is transport:
                transport._send_user_message = send
                answered.set()

        transport._send_user_message = sent
        return answered


class Transport(paramiko.Transport):
    """As OpenSSH it ends the connection at a message for a channel that is closed."""

    def _unlink_channel(self, chanid: int) -> None:
        super()._unlink_channel(chanid)
        self.channels_seen.pop(chanid, None)


class Sshd:
    """The server and what it has seen."""

    def __init__(self) -> None:
        self.host_key = new_host_key()
        self.shown_key = self.host_key
        self.lets_in = True
        self.logins = 0
        self.refusals = 0  # logins that are still to be refused
        self.max_sessions = 10  # sshd's own default
        self.running = 0
        self.channels: list[paramiko.Channel] = []
        self.commands: list[str] = []
        self.forwards: list[Any] = []
        self.pending: dict[int, socket.socket] = {}
        self.transports: list[paramiko.Transport] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def machine(self, key: str | None = None, host_keys: tuple[str, ...] | None = None) -> Machine:
        keys = (public_text(self.host_key),) if host_keys is None else host_keys
        return Machine("i-1", "127.0.0.1", "admin", Secret(key or private_text("ed25519")), keys, self.port)

    def drop(self) -> None:
        """End every connection, as a reboot does."""
        while self.transports:
            self.transports.pop().close()

    def close(self) -> None:
        self.listener.close()
        self.drop()

    def execute(self, channel: paramiko.Channel, command: bytes, answered: threading.Event) -> None:
        self.running += 1
        try:
            answered.wait(10)
            self._execute(channel, command)
        finally:
            self.running -= 1

    def _execute(self, channel: paramiko.Channel, command: bytes) -> None:
        with subprocess.Popen(
            ["sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            assert child.stdin and child.stdout and child.stderr
            feeder = threading.Thread(target=_feed, args=(channel, child.stdin), daemon=True)
            talker = threading.Thread(target=_copy, args=(child.stderr, channel.sendall_stderr), daemon=True)
            feeder.start()
            talker.start()
            _copy(child.stdout, channel.sendall)
            talker.join()
            with suppress(BrokenPipeError):  # the command has not read all its input
                child.stdin.close()
        if not channel.closed:
            with suppress(EOFError, OSError):  # the client may go between the question and the answer
                channel.send_exit_status(child.returncode)
                channel.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            transport = Transport(client)
            transport.add_server_key(self.shown_key)
            self.transports.append(transport)
            threading.Thread(target=self._talk, args=(transport,), daemon=True).start()

    def _talk(self, transport: paramiko.Transport) -> None:
        try:
            transport.start_server(server=Server(self))
        except (paramiko.SSHException, EOFError, OSError):
            return
        while transport.is_active():
            channel = transport.accept(1)
            if channel is not None:
                self.channels.append(channel)  # a transport knows its channels weakly: unheld, they close
            if channel is not None and channel.chanid in self.pending:
                stream = self.pending.pop(channel.chanid)
                threading.Thread(target=_join, args=(channel, stream), daemon=True).start()


def _feed(channel: paramiko.Channel, stdin: Any) -> None:
    try:
        while data := channel.recv(1 << 15):
            stdin.write(data)
            stdin.flush()
        stdin.close()
    except (OSError, ValueError):
        return


def _copy(source: Any, send: Any) -> None:
    try:
        while data := source.read1(1 << 15):
            send(data)
    except OSError:
        return


def _join(channel: paramiko.Channel, stream: socket.socket) -> None:
    back = threading.Thread(target=_relay, args=(stream, channel), daemon=True)
    back.start()
    _relay(channel, stream)
    back.join()
    channel.close()
    stream.close()


def _relay(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(1 << 15):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def running() -> Iterator[Sshd]:
    sshd = Sshd()
    try:
        yield sshd
    finally:
        sshd.close()
