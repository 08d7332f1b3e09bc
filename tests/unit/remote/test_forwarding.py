"""Ports that the shell forwards to the machine's own loopback."""

import contextlib
import http.server
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
from sshd import Sshd

from bootstrap.remote import forwarding as forwarding_module
from bootstrap.remote import shell as shell_module
from bootstrap.remote.shell import FabricShell

CHANNEL_OPEN_SUCCESS = 91  # RFC 4254, section 9


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
