"""The door to the other Jenkins: where the token goes, and what it never does."""

import base64
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bootstrap.errors import ImportFailed, Unreachable, UsageError
from bootstrap.importing.source import Source
from bootstrap.values import Secret

SECRET = Secret("11token")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://ci.example.org/", "everybody on the way can read the API token"),
        ("http://127.0.0.1.example.org/", "everybody on the way can read the API token"),
        ("https://alice:pw@ci.example.org/", "it contains a user or a password"),
        ("ftp://ci.example.org/", "it is not the URL of a Jenkins"),
        ("ci.example.org", "it is not the URL of a Jenkins"),
        ("https://ci.example.org/?x=1", "it is not the URL of a Jenkins"),
        ("https://ci.example.org/\x1b[31m", "it is not the URL of a Jenkins"),
        ("https://ci.example.org:port/", "Port could not be cast"),
        ("https://[::1", "Invalid IPv6 URL"),
    ],
)
def test_a_url_to_which_no_token_may_be_sent_is_refused(url: str, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        Source(url, "alice", SECRET)
    assert found in refused.value.found


@pytest.mark.parametrize(
    "url", ["https://ci.example.org/ci", "http://localhost:8080", "http://[::1]:8080/", "http://127.9.9.9/"]
)
def test_https_and_this_machine_are_taken(url: str) -> None:
    assert Source(url, "alice", SECRET).url.startswith(url)


def test_plain_http_is_taken_when_told() -> None:
    assert Source("http://ci.example.org", "alice", SECRET, allows_http=True).url == "http://ci.example.org/"


def test_a_file_of_certificates_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ca-file"):
        Source("https://ci.example.org/", "alice", SECRET, ca_file=tmp_path / "none.pem")


def test_the_token_is_sent_as_basic_credentials_and_shown_nowhere(other) -> None:
    source = other.source()
    assert source.get_json("api/json", "mode")["mode"] == "NORMAL"
    assert other.credentials == {f"Basic {base64.b64encode(b'alice:11f3a4c0ffee').decode()}"}
    assert "11f3a4c0ffee" not in repr(vars(source))


def test_a_proxy_of_the_environment_does_not_get_what_is_for_this_machine(
    other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    assert other.source().get("api/json", "mode").status == 200


def test_a_redirect_on_the_same_host_is_followed(other) -> None:
    other.add("GET old", {"status": 302, "headers": {"Location": "/new"}, "body": ""})
    other.add("GET new", {"status": 200, "body": "{}"})
    assert other.source().get("old").status == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.org/x",
        "http://127.0.0.1:1/",
        "//127.0.0.1/",
        "http://[",
        "file:///x",
        "http://evil.example.org\\@HOST/x",
        "/\\evil.example.org/x",
        "/x y",
        "/x\ty",
        "/x\x7fy",
    ],
)
def test_a_redirect_to_another_host_is_refused(target: str, other) -> None:
    target = target.replace("HOST", other.url.split("/")[2])
    other.add("GET old", {"status": 307, "headers": {"Location": target}, "body": ""})
    with pytest.raises(ImportFailed) as refused:
        other.source().get("old")
    assert "a redirect to another host is not followed" in refused.value.found


def test_redirects_in_a_circle_and_of_the_export_are_refused(other) -> None:
    other.add("GET old", {"status": 302, "headers": {"Location": "/old"}, "body": ""})
    other.add("POST configuration-as-code/export", {"status": 302, "headers": {"Location": "/old"}, "body": ""})
    with pytest.raises(ImportFailed):
        other.source().get("old")
    assert len(other.asked) == 6
    with pytest.raises(ImportFailed):
        other.source().export_settings()
    assert len(other.asked) == 7


def make_certificate(folder: Path) -> Path:
    """A key and a certificate of 127.0.0.1 that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a Jenkins")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    certificate = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False).sign(
        key, hashes.SHA256()
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_must_be_that_of_the_named_authority(
    other, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    other.server.socket = context.wrap_socket(other.server.socket, server_side=True)
    url = other.url.replace("http:", "https:")
    with pytest.raises(Unreachable) as failed:
        Source(url, "alice", SECRET).get("api/json", "mode")
    assert "CERTIFICATE_VERIFY_FAILED" in failed.value.found and "--ca-file" in failed.value.remedy
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/none")
    assert Source(url, "alice", SECRET, ca_file=certificate).get("api/json", "mode").status == 200
