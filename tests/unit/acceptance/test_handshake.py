"""What the suite learns from a TLS server, against one on the loopback."""

import datetime
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from handshake import REFUSED, Place, is_open, offer, speak

from bootstrap.cloud.certificates import Certificates, Subjects, issue

# Old versions are offered on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")

NOW = datetime.datetime.now(datetime.UTC)
HERE = Subjects(("localhost",), ("127.0.0.1",), "127.0.0.0/24")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Strict-Transport-Security", "max-age=31536000")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return issue(None, None, HERE, NOW)[0]


@pytest.fixture(scope="module")
def port(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    chain: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    chain.write_text(certificates.chain_pem + certificates.key.reveal())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are the point
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_server_of_our_authority_is_spoken_to(port: int, certificates: Certificates) -> None:
    said = speak(Place("127.0.0.1", port, "localhost"), certificates.authority_pem, "/login")

    assert (("localhost", "127.0.0.1"), 200, "TLSv1.3") == (said.names, said.status, said.protocol)
    assert 390 < said.days_left < 398
    assert "max-age=31536000" == said.headers["strict-transport-security"]


def test_a_server_of_another_authority_is_not(port: int) -> None:
    other, _ = issue(None, None, HERE, NOW)

    with pytest.raises(ssl.SSLCertVerificationError):
        speak(Place("127.0.0.1", port, "localhost"), other.authority_pem, "/")


def test_a_certificate_for_another_name_is_refused(port: int, certificates: Certificates) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        speak(Place("127.0.0.1", port, "other.example.org"), certificates.authority_pem, "/")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (ssl.TLSVersion.TLSv1, REFUSED),
        (ssl.TLSVersion.TLSv1_1, REFUSED),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
def test_each_version_is_offered_alone(port: int, version: ssl.TLSVersion, expected: str) -> None:
    assert expected == offer(Place("127.0.0.1", port, "localhost"), version)


def test_a_server_that_takes_old_versions_is_found_out(certificates: Certificates, tmp_path: Path) -> None:
    chain = tmp_path / "server.pem"
    chain.write_text(certificates.chain_pem + certificates.key.reveal())
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    lax.set_ciphers("ALL:@SECLEVEL=0")
    lax.minimum_version = ssl.TLSVersion.TLSv1
    lax.load_cert_chain(chain)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted, _ = listener.accept()
            with lax.wrap_socket(accepted, server_side=True) as secured:
                secured.recv(1)

        threading.Thread(target=serve, daemon=True).start()

        assert "TLSv1.1" == offer(Place("127.0.0.1", listener.getsockname()[1], "localhost"), ssl.TLSVersion.TLSv1_1)


def test_no_connection_proves_nothing_about_versions() -> None:
    with pytest.raises(OSError, match="refused"):
        offer(Place("127.0.0.1", _closed_port(), "localhost"), ssl.TLSVersion.TLSv1)


def test_open_and_closed_ports_are_told_apart(port: int) -> None:
    assert (True, False) == (is_open("127.0.0.1", port), is_open("127.0.0.1", _closed_port()))


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
