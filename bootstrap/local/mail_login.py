"""The login of the local cloud's mail server, and the certificates with which it speaks TLS.

User and password are made once, and so is the authority that signs a certificate for each of its addresses. They are files of
the cloud's folder, which only its owner reads. Machines trust the authority, because a launch puts it among their own.

The environment's own certificates are made in `bootstrap.cloud.certificates`. That package stands above this one, so this
module cannot call it.
"""

from __future__ import annotations

import datetime
import hmac
import ipaddress
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bootstrap.local.private_files import write_private

PASSWORD = "mail-password"  # noqa: S105 (a file's name)
AUTHORITY = "mail-authority.crt"
_AUTHORITY_KEY = "mail-authority.key"
_DAYS = 3650
# The authority signs for private addresses only: those of VPCs, and of this host.
_BLOCKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "127.0.0.0/8")


@dataclass(frozen=True)
class Login:
    """User and password that the server takes, and the folder with its certificates."""

    user: str
    password: str
    folder: Path

    def accepts(self, user: bytes, password: bytes) -> bool:
        """Whether a login is this one."""
        right_user = hmac.compare_digest(user, self.user.encode())
        return hmac.compare_digest(password, self.password.encode()) and right_user

    def make_context(self, address: str) -> ssl.SSLContext:
        """The TLS of one address, with a new certificate for it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = self.folder / f"mail-server-{address}.pem"  # only for this moment: ssl reads files only
        write_private(path, _sign(self.folder, address))
        try:
            context.load_cert_chain(path)
        finally:
            path.unlink()
        return context


def ensure(folder: Path, user: str) -> Login:
    """The login and the authority of the cloud in `folder`; made if there are none."""
    password = folder / PASSWORD
    if not password.exists():
        write_private(password, secrets.token_urlsafe(24))
    if not (folder / AUTHORITY).exists():
        key, authority = _make_authority()
        write_private(folder / _AUTHORITY_KEY, key)
        write_private(folder / AUTHORITY, authority)  # last: it says that both are there
    return Login(user, password.read_text(encoding="ascii"), folder)


def _make_authority() -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _make_name("Authority of the local cloud's mail server")
    blocks = [x509.IPAddress(ipaddress.ip_network(it)) for it in _BLOCKS]
    limits = x509.NameConstraints([x509.DNSName("mail.local-cloud"), *blocks], None)
    usage = _make_usage(is_authority=True)
    certificate = (
        _make_builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _format_key(key), _format_pem(certificate)


def _sign(folder: Path, address: str) -> str:
    """Key and certificate of one address, as one PEM text."""
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    signing = serialization.load_pem_private_key((folder / _AUTHORITY_KEY).read_bytes(), password=None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{folder / _AUTHORITY_KEY} is not a key on an elliptic curve")
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    certificate = (
        _make_builder(_make_name("Mail server of the local cloud"), authority.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_make_usage(is_authority=False), critical=True)
        .add_extension(named, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .sign(signing, hashes.SHA256())
    )
    return _format_key(key) + _format_pem(certificate)


def _make_builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=begin + datetime.timedelta(days=_DAYS),
    )


def _make_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _format_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _format_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
