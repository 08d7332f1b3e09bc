"""The shell over SSH, against a server on the loopback that really runs what it is sent."""

import contextlib
import http.server
import os
import pickle
import socket
import stat
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
import sshd as server_module
from sshd import FORMAT, Sshd, new_host_key, private_text, public_text

from bootstrap.errors import (
    CommandFailed,
    ConnectionBroken,
    HostKeyMismatch,
    Missing,
    Unreachable,
)
from bootstrap.remote import forwarding as forwarding_module
from bootstrap.remote import shell as shell_module
from bootstrap.remote.keys import format_fingerprint
from bootstrap.remote.shell import FabricShell
from bootstrap.values import Machine, Secret, Shell

CHANNEL_OPEN_SUCCESS = 91  # RFC 4254, section 9


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with server_module.running() as running:
        yield running


@pytest.fixture
def shell(sshd: Sshd) -> Iterator[FabricShell]:
    shell = FabricShell(sshd.machine(), patience=5)
    yield shell
    shell.close()


def test_it_fulfils_the_protocol(shell: FabricShell) -> None:
    fulfilled: Shell = shell
    assert 0 == fulfilled.run(["true"]).exit_code


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("ed25519", FORMAT.OpenSSH),
        ("ed25519", FORMAT.PKCS8),
        ("rsa", FORMAT.TraditionalOpenSSL),
        ("rsa", FORMAT.OpenSSH),
        ("ecdsa", FORMAT.TraditionalOpenSSL),
    ],
)
def test_every_form_of_a_private_key_logs_in(sshd: Sshd, kind: str, form: FORMAT) -> None:
    shell = FabricShell(sshd.machine(private_text(kind, form)), patience=5)
    assert "hello\n" == shell.run(["echo", "hello"]).stdout
    shell.close()


def test_a_text_that_is_no_key_is_refused_without_showing_it(sshd: Sshd) -> None:
    with pytest.raises(Missing) as caught:
        FabricShell(sshd.machine("precious but no key"))
    assert "precious" not in str(caught.value)


def test_arguments_arrive_as_they_are(shell: FabricShell) -> None:
    arguments = ["a b", "$HOME", "`id`", "'", '"', "\\", "", "*", "ä", "line\nbreak", ";ls"]
    assert "".join(f"{it}|" for it in arguments) == shell.run(["printf", "%s|", *arguments]).stdout


def test_exit_code_output_and_error_output_come_back(shell: FabricShell) -> None:
    result = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (3, "out\n", "err\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_failing_command_is_an_error_that_tells_its_last_lines(shell: FabricShell) -> None:
    with pytest.raises(CommandFailed) as caught:
        shell.run(["sh", "-c", "echo reason >&2; exit 4"])
    assert 4 == caught.value.result.exit_code
    assert "reason" in caught.value.found


def test_megabytes_go_both_ways_at_once(shell: FabricShell) -> None:
    data = os.urandom(1 << 20).hex().encode() * 2
    assert data.decode() == shell.run(["cat"], stdin=data).stdout


def test_a_command_that_reads_no_input_is_no_error(shell: FabricShell) -> None:
    assert "done\n" == shell.run(["echo", "done"], stdin=b"x" * (4 << 20)).stdout


def test_much_error_output_blocks_nothing(shell: FabricShell) -> None:
    result = shell.run(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' e >&2; echo out"])
    assert ("out\n", 3_000_000) == (result.stdout, len(result.stderr))


def test_each_line_is_heard_as_it_comes(shell: FabricShell) -> None:
    heard: list[tuple[str, float]] = []
    script = "echo one; sleep 1; echo two; printf three"
    done = shell.run(["sh", "-c", script], hear=lambda line: heard.append((line, time.monotonic())))
    assert ["one", "two"] == [line for line, _ in heard]
    assert heard[1][1] - heard[0][1] > 0.5
    assert "one\ntwo\nthree" == done.stdout


def test_a_command_that_takes_too_long_is_given_up_and_the_connection_goes_on(shell: FabricShell, sshd: Sshd) -> None:
    with pytest.raises(CommandFailed) as caught:
        shell.run(["sleep", "30"], check=False, timeout=0.3)
    assert 124 == caught.value.result.exit_code
    assert "still\n" == shell.run(["echo", "still"], timeout=5).stdout
    assert 1 == len(sshd.transports)


def test_root_is_asked_for_without_a_password(shell: FabricShell, sshd: Sshd) -> None:
    shell.run(["id", "-u"], sudo=True, check=False)
    assert ["sudo -n -- id -u"] == sshd.commands


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


def test_a_file_is_put_whole_with_its_mode_and_leaves_nothing_else(shell: FabricShell, tmp_path: Path) -> None:
    target = tmp_path / "a file"
    target.write_text("old")
    content = os.urandom(1 << 20)
    shell.put(content, str(target), 0o640)
    assert (content, 0o640) == (target.read_bytes(), stat.S_IMODE(target.stat().st_mode))
    assert [target] == list(tmp_path.iterdir())


def test_a_file_of_this_machine_is_put_by_its_path(shell: FabricShell, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("content")
    shell.put(tmp_path / "here", str(tmp_path / "there"))
    assert ("content", 0o600) == ((tmp_path / "there").read_text(), stat.S_IMODE((tmp_path / "there").stat().st_mode))


def test_a_put_that_cannot_be_finished_leaves_the_old_file(shell: FabricShell, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(CommandFailed):
        shell.put(b"new", str(tmp_path / "there"))
    assert ["there"] == [path.name for path in tmp_path.iterdir()]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode() * 1000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def web() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return bytes(answer.read())


def test_a_forwarded_port_leads_to_the_machines_own_loopback(shell: FabricShell, sshd: Sshd, web: int) -> None:
    with shell.forward(web) as port:
        assert b"/a" * 1000 == fetch(port, "/a")
        assert [("127.0.0.1", web)] == sshd.forwards


def test_a_forwarded_port_can_be_chosen_and_one_that_is_in_use_is_told(shell: FabricShell, web: int) -> None:
    with shell.forward(web) as port:
        chosen = port
        with pytest.raises(OSError, match="in use"), shell.forward(web, local_port=port):
            pytest.fail("two listeners have one port")
    with shell.forward(web, local_port=chosen) as port:
        assert (chosen, b"/a" * 1000) == (port, fetch(chosen, "/a"))


def test_many_clients_share_a_forwarded_port(shell: FabricShell, web: int) -> None:
    found: dict[int, bytes] = {}
    with shell.forward(web) as port:
        clients = [threading.Thread(target=lambda n=n: found.update({n: fetch(port, f"/{n}")})) for n in range(12)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(20)
    assert {n: f"/{n}".encode() * 1000 for n in range(12)} == found


def test_a_forwarded_port_is_gone_after_its_context_with_its_connections(shell: FabricShell, web: int) -> None:
    with shell.forward(web) as port:
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        client.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
    with contextlib.suppress(
        ConnectionResetError
    ):  # so the kernel ends a connection with bytes that nobody has read yet
        assert b"" == client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    client.close()


def test_a_port_where_nobody_listens_closes_the_client_and_nothing_else(
    shell: FabricShell, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port_of_nobody = unused.getsockname()[1]
    with shell.forward(port_of_nobody) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            assert b"" == client.recv(1)
        assert 0 == shell.run(["true"]).exit_code
    assert [] == [each.message for each in caplog.records if each.name == forwarding_module.__name__]


def test_a_client_for_which_no_channel_opens_in_time_is_closed_with_the_reason_in_the_log(
    shell: FabricShell, web: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shell_module, "_PROMPT", 0.2)
    with shell.forward(web) as port:
        monkeypatch.setitem(shell._get_transport()._handler_table, CHANNEL_OPEN_SUCCESS, lambda _: None)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            assert b"" == client.recv(1)
    assert [f"a client of port {port} was closed: SSHException: Timeout opening channel."] == caplog.messages


def test_closing_twice_is_harmless_and_a_closed_shell_opens_again(shell: FabricShell, sshd: Sshd) -> None:
    shell.run(["true"])
    shell.close()
    shell.close()
    assert 0 == shell.run(["true"]).exit_code


def test_the_key_shows_itself_nowhere(sshd: Sshd) -> None:
    machine = sshd.machine()
    line = private_text("ed25519").splitlines()[2]
    assert line not in repr(machine) + str(machine) + repr(pickle.dumps(machine))
    assert line not in repr(vars(FabricShell(machine)))


def test_only_this_module_knows_the_ssh_libraries() -> None:
    folder = Path(shell_module.__file__).parents[1]
    found = {
        path.name
        for path in folder.rglob("*.py")
        if any(
            line.startswith(("import paramiko", "from paramiko", "import fabric", "from fabric"))
            for line in path.read_text().splitlines()
        )
    }
    assert {"shell.py", "ordered_transport.py", "exec_channel.py", "private_key.py"} == found
