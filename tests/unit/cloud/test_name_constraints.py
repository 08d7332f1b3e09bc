"""The clients that people and agents use hold the authority to its limits: what its key signs for another name is refused.

Each client gets the root alone as trusted, and from the server what a server sends. Some are needed as programs: curl and
openssl, and Java, which this project's tests need anyway.
"""

from __future__ import annotations

import datetime
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from forging import earlier, signed_for

from bootstrap.cloud.certificates import Certificates, Subjects, issue, limit_names
from bootstrap.values import Secret

HERE = Subjects(("localhost",), ("127.0.0.1",), "127.0.0.0/24")
FOREIGN = {
    "a name": Subjects(("www.example.com",), (), "0.0.0.0/0"),
    "an address": Subjects((), ("192.0.2.1",), "0.0.0.0/0"),
    "both, with one of its own": Subjects(("localhost", "www.example.com"), (), "0.0.0.0/0"),
    "an address of IPv6": Subjects(("localhost",), ("::1",), "::/0"),
}
JAVA = """\
import java.io.*; import java.security.KeyStore; import java.security.cert.*; import java.util.*; import javax.net.ssl.*;
public class Check {
    public static void main(String[] files) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream in = new FileInputStream(files[0])) {
            trusted.setCertificateEntry("root", factory.generateCertificate(in));
        }
        TrustManagerFactory made = TrustManagerFactory.getInstance("PKIX");
        made.init(trusted);
        for (String file : Arrays.copyOfRange(files, 1, files.length)) {
            try (InputStream in = new FileInputStream(file)) {
                X509Certificate[] chain = factory.generateCertificates(in).toArray(new X509Certificate[0]);
                ((X509TrustManager) made.getTrustManagers()[0]).checkServerTrusted(chain, "ECDHE_ECDSA");
                System.out.println("accepted");
            } catch (CertificateException refused) {
                System.out.println("refused");
            }
        }
    }
}
"""


NOW = datetime.datetime.now(datetime.UTC)
Pair = tuple[Certificates, Secret]


@pytest.fixture(scope="module")
def authority() -> Pair:
    return issue(None, None, HERE, NOW)


@pytest.fixture
def trusted(authority: Pair, tmp_path: Path) -> Path:
    path = tmp_path / "authority.crt"
    path.write_text(authority[0].authority_pem)
    return path


def forged(authority: Pair, subjects: Subjects, name: str = "Server of somebody") -> tuple[str, Secret]:
    """What whoever has the key can serve: a chain for any names, and its key."""
    certificate, key = signed_for(authority[0].issuer_pem, authority[1], subjects, name)
    return certificate + authority[0].issuer_pem, key


class Page(BaseHTTPRequestHandler):
    """A page that says nothing."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the tests' own output is enough."""


@contextmanager
def served(folder: Path, chain: str, key: Secret) -> Iterator[int]:
    """The port of a server with that chain."""
    pem = folder / "server.pem"
    pem.write_text(chain + key.reveal())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    server = HTTPServer(("127.0.0.1", 0), Page)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def curl(trusted: Path, port: int, name: str) -> int:
    command = [
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--cacert",
        str(trusted),
        "--connect-to",
        f"{name}::127.0.0.1:",
    ]
    return subprocess.run([*command, f"https://{name}:{port}/"], timeout=30).returncode


def python(trusted: Path, port: int, name: str) -> str:
    import socket

    context = ssl.create_default_context(cafile=str(trusted))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname=name):
            return "accepted"
    except ssl.SSLCertVerificationError as error:
        return error.verify_message


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_what_it_issues_is_accepted_by_python_and_curl(
    authority: Pair, trusted: Path, tmp_path: Path, name: str
) -> None:
    with served(tmp_path, authority[0].chain_pem, authority[0].key) as port:
        assert ("accepted", 0) == (python(trusted, port, name), curl(trusted, port, name))


def test_an_environment_without_a_name_is_accepted(tmp_path: Path) -> None:
    """OpenSSL takes a common name that looks like a host's for one, and an address looks so."""
    alone, _ = issue(None, None, Subjects((), ("127.0.0.1",), "127.0.0.0/24"), NOW)
    trusted = tmp_path / "authority.crt"
    trusted.write_text(alone.authority_pem)
    with served(tmp_path, alone.chain_pem, alone.key) as port:
        assert ("accepted", 0) == (python(trusted, port, "127.0.0.1"), curl(trusted, port, "127.0.0.1"))


@pytest.mark.parametrize("what", FOREIGN)
def test_another_name_is_refused_by_python_and_curl(authority: Pair, trusted: Path, tmp_path: Path, what: str) -> None:
    subjects = FOREIGN[what]
    name = [*subjects.names, *subjects.addresses][0]
    with served(tmp_path, *forged(authority, subjects)) as port:
        assert ("permitted subtree violation", 60) == (python(trusted, port, name), curl(trusted, port, name))


def test_a_name_that_only_the_subject_has_is_refused(authority: Pair, trusted: Path, tmp_path: Path) -> None:
    chain, key = forged(authority, Subjects((), ("127.0.0.1",), "0.0.0.0/0"), name="www.example.com")
    with served(tmp_path, chain, key) as port:
        assert 60 == curl(trusted, port, "www.example.com")


def test_openssl_and_java_decide_the_same(authority: Pair, trusted: Path, tmp_path: Path) -> None:
    chains = {"own": authority[0].chain_pem} | {what: forged(authority, it)[0] for what, it in FOREIGN.items()}
    files = []
    for number, chain in enumerate(chains.values()):
        files.append(tmp_path / f"{number}.pem")
        files[-1].write_text(chain)
    program = tmp_path / "Check.java"
    program.write_text(JAVA)

    java = subprocess.run(["java", program, trusted, *files], capture_output=True, text=True, check=True, timeout=120)
    openssl = [
        subprocess.run(
            ["openssl", "verify", "-purpose", "sslserver", "-x509_strict", "-CAfile", trusted, "-untrusted", it, it],
            capture_output=True,
        ).returncode
        for it in files
    ]

    assert ["accepted", *["refused"] * len(FOREIGN)] == java.stdout.split()
    assert [0, *[2] * len(FOREIGN)] == openssl


def test_who_trusts_an_earlier_authority_needs_nothing_new_when_it_is_limited(tmp_path: Path) -> None:
    old, key = earlier(HERE)
    after = limit_names(old, key, HERE, NOW)
    renewed, _ = issue(after, key, HERE, NOW + datetime.timedelta(days=1))
    assert old.certificate_pem == after.certificate_pem == renewed.certificate_pem

    for certificates in (after, issue(after, key, Subjects(("localhost",), ("127.0.0.2",), HERE.block), NOW)[0]):
        for number, anchor in enumerate((old.authority_pem, after.authority_pem)):
            trusted = tmp_path / f"{number}.crt"
            trusted.write_text(anchor)
            with served(tmp_path, certificates.chain_pem, certificates.key) as port:
                assert ("accepted", 0) == (python(trusted, port, "localhost"), curl(trusted, port, "localhost"))
