"""How the shell connects: host keys, a machine that does not answer or still boots, lost and refused connections."""

import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
import sshd as server_module
from sshd import Sshd, new_host_key, private_text, public_text

from bootstrap.errors import ConnectionBroken, HostKeyMismatch, Unreachable
from bootstrap.remote import shell as shell_module
from bootstrap.remote.keys import format_fingerprint
from bootstrap.remote.shell import FabricShell
from bootstrap.values import Machine, Secret


def test_all_commands_share_one_connection(shell: FabricShell, sshd: Sshd) -> None:
    for _ in range(3):
        shell.run(["true"])
    assert (1, 3) == (len(sshd.transports), len(sshd.commands))


def test_every_packet_leaves_at_once(shell: FabricShell) -> None:
    stream = shell._dial_tcp()
    assert 1 == stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    if sys.platform == "linux":  # a machine that loses power is noticed within a minute
        assert 45_000 == stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    stream.close()


def test_another_host_key_is_refused_before_any_login(sshd: Sshd) -> None:
    sshd.shown_key = new_host_key()
    shell = FabricShell(sshd.machine(), patience=5)
    with pytest.raises(HostKeyMismatch) as caught:
        shell.run(["true"])
    shown, told = (format_fingerprint(public_text(key)) for key in (sshd.shown_key, sshd.host_key))
    assert f"it showed the host key {shown}; expected {told}" == caught.value.found
    assert (0, []) == (sshd.logins, sshd.commands)


def test_a_machine_without_known_host_keys_is_refused(sshd: Sshd) -> None:
    with pytest.raises(HostKeyMismatch, match="expected none"):
        FabricShell(sshd.machine(host_keys=()), patience=5).run(["true"])
    assert 0 == sshd.logins


def test_one_of_several_host_keys_is_enough(sshd: Sshd) -> None:
    ecdsa = server_module.PRIVATE["ecdsa"].public_key()
    formats = server_module.serialization
    other = ecdsa.public_bytes(formats.Encoding.OpenSSH, formats.PublicFormat.OpenSSH).decode()
    shell = FabricShell(sshd.machine(host_keys=(other, public_text(sshd.host_key) + " root@host")), patience=5)
    assert 0 == shell.run(["true"]).exit_code
    shell.close()


def test_no_file_of_the_user_decides_how_the_machine_is_reached(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host *\n  ProxyCommand /bin/false\n  User nobody\n  Port 1\n")
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {public_text(new_host_key())}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    shell = FabricShell(sshd.machine(), patience=5)
    assert 0 == shell.run(["true"]).exit_code
    shell.close()


def test_a_machine_that_does_not_answer_is_told_with_the_last_reason() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    machine = Machine("i-1", "127.0.0.1", "admin", Secret(private_text("ed25519")), (), port)
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        FabricShell(machine, patience=0).run(["true"])


@pytest.mark.parametrize(
    "error", [UnicodeDecodeError("utf-8", b"\xfa", 0, 1, "invalid"), IndexError("index out of range")]
)
def test_what_a_parser_says_to_bytes_that_are_not_ssh_is_no_traceback(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(self: object, key: bytes, signature: bytes) -> None:
        raise error

    monkeypatch.setattr("paramiko.Transport._verify_key", broken)
    with pytest.raises(Unreachable, match=type(error).__name__):
        FabricShell(sshd.machine(), patience=0).run(["true"])


def test_a_machine_that_is_still_booting_is_waited_for(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "_PAUSE", 0.01)
    sshd.refusals = 1

    shell = FabricShell(sshd.machine(), patience=60)
    assert 0 == shell.run(["true"]).exit_code
    assert 2 == sshd.logins
    shell.close()


def test_a_lost_connection_is_opened_anew(shell: FabricShell, sshd: Sshd) -> None:
    shell.run(["true"])
    sshd.drop()
    assert "again\n" == shell.run(["echo", "again"]).stdout


def test_a_connection_that_breaks_under_a_command_is_told(shell: FabricShell, sshd: Sshd) -> None:
    shell.run(["true"])
    threading.Timer(0.3, sshd.drop).start()
    with pytest.raises(ConnectionBroken, match="the connection broke"):
        shell.run(["sleep", "5"])


@pytest.mark.parametrize("late", ["shutdown_write", "sendall"])
def test_a_message_that_the_end_of_its_command_overtakes_does_not_end_the_connection(
    shell: FabricShell, sshd: Sshd, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSH ends a connection at a message for a closed channel; paramiko sends one if a thread pauses at that moment."""
    transport, overtaken, send = shell._get_transport(), [], getattr(paramiko.Channel, late)

    def send_too_late(channel: paramiko.Channel, data: bytes = b"") -> None:
        if channel.get_transport() is not transport:  # the server's own end
            return send(channel, data) if data else send(channel)
        while not channel.closed:  # the command has ended, and paramiko has answered with CLOSE
            time.sleep(0.001)
        message = paramiko.Message()
        message.add_byte(bytes([96 if late == "shutdown_write" else 94]))
        message.add_int(channel.remote_chanid)
        if data:
            message.add_string(data)
        overtaken.append(late)
        return transport._send_user_message(message)

    monkeypatch.setattr(paramiko.Channel, late, send_too_late)

    for _ in range(3):
        shell.run(["true"], stdin=b"input")

    time.sleep(0.2)  # the answer to the last message
    assert transport.is_active()
    assert (1, {late}) == (sshd.logins, set(overtaken))


def test_new_keys_are_agreed_on_while_channels_open_and_data_flow(shell: FabricShell, sshd: Sshd) -> None:
    """What this side wants to send waits meanwhile, and what the other side sends is read.

    No channel is closed before the end: to confirm that, paramiko's thread would wait for keys that it must agree on itself.
    """
    transport, is_over, begun = shell._get_transport(), threading.Event(), threading.Semaphore(0)

    def send(_: int) -> bool:
        channel, count = transport.open_session(timeout=60), 0
        channel.exec_command("wc -c")
        while count == 0 or not is_over.is_set():
            channel.sendall(bytes(1 << 16))
            count += 1 << 16
            begun.release()
        channel.shutdown_write()
        return int(channel.makefile().read()) == count

    with ThreadPoolExecutor(8) as pool:
        sent = pool.map(send, range(8))
        try:
            assert begun.acquire(timeout=60)
            for _ in range(5):
                transport.renegotiate_keys()
        finally:
            is_over.set()
        assert all(sent)
    assert (1, True) == (sshd.logins, transport.is_active())


def test_many_commands_at_once_stay_below_what_sshd_allows(shell: FabricShell, sshd: Sshd) -> None:
    with ThreadPoolExecutor(24) as pool:
        done = list(pool.map(lambda number: shell.run(["sh", "-c", f"sleep 0.1; echo {number}"]).stdout, range(48)))

    assert [f"{number}\n" for number in range(48)] == done
    assert 1 == sshd.logins


def test_a_refused_session_leaves_the_others_alone(
    shell: FabricShell, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shell_module, "_CROWDED", 0.2)
    sshd.max_sessions = 1
    may_end = tmp_path / "may-end"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shell.run, ["sh", "-c", f"until [ -e {may_end} ]; do sleep 0.05; done; echo whole"])
        while not sshd.running:
            time.sleep(0.01)

        try:
            with pytest.raises(Unreachable):
                shell.run(["true"])
        finally:
            may_end.touch()

        assert "whole\n" == first.result().stdout
    assert 1 == sshd.logins


def test_the_stream_may_be_somebody_elses_tunnel(sshd: Sshd) -> None:
    dialled: list[str] = []

    def dial() -> socket.socket:
        dialled.append("tunnel")
        return socket.create_connection(("127.0.0.1", sshd.port))

    machine = sshd.machine()
    elsewhere = Machine("i-1", "i-1.tunnel.invalid", "admin", machine.private_key, machine.host_keys)
    shell = FabricShell(elsewhere, patience=5, dial=dial)
    assert (0, ["tunnel"]) == (shell.run(["true"]).exit_code, dialled)
    shell.close()


def test_closing_twice_is_harmless_and_a_closed_shell_opens_again(shell: FabricShell, sshd: Sshd) -> None:
    shell.run(["true"])
    shell.close()
    shell.close()
    assert 0 == shell.run(["true"]).exit_code
