"""TLS handshakes with a server, and its answers."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509

SECONDS = 5.0
REFUSED = "refused"


@dataclass(frozen=True)
class Place:
    """Where to connect: the address may be a tunnel's end, `name` is what the certificate must be made out to."""

    address: str
    port: int
    name: str


@dataclass(frozen=True)
class Spoken:
    """One exchange with a verified server: its certificate, and status and headers of the answer."""

    names: tuple[str, ...]
    days_left: float
    protocol: str
    status: int
    # Not shown in a failed check: among them may be the cookie of a session.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def speak(place: Place, authority: str, path: str, authorization: str = "", announced: int | None = None) -> Spoken:
    """Connect, trusting that authority alone, and GET the path; ssl.SSLError where the certificate is not right.

    With `announced` it is a POST, whose body of so many bytes is announced and does not come.
    """
    context = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection((place.address, place.port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=place.name) as secured,
    ):
        certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
        protocol = secured.version() or ""
        method = "GET" if announced is None else "POST"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {place.name}", "Connection: close"]
        lines += [] if announced is None else [f"Content-Length: {announced}"]
        lines += [f"Authorization: {authorization}"] if authorization else []
        secured.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = http.client.HTTPResponse(secured)
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return Spoken(_names(certificate), left.total_seconds() / 86400, protocol, answer.status, headers)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = (str(address) for address in found.get_values_for_type(x509.IPAddress))
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def offer(place: Place, version: ssl.TLSVersion) -> str:
    """What comes of offering that one protocol version: the version spoken, or 'refused' where the server will not.

    OSError when there is no connection at all: that proves nothing about versions.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # Else this side's own policy refuses old versions before the server is asked.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection((place.address, place.port), SECONDS) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=place.name) as secured:
                return secured.version() or ""
        except (ssl.SSLError, ConnectionResetError):
            return REFUSED


def is_open(address: str, port: int, seconds: float = 2.0) -> bool:
    """Whether a TCP connection comes about; a filtered port is told by the silence of `seconds`."""
    try:
        socket.create_connection((address, port), seconds).close()
    except OSError:
        return False
    return True
