"""The certificates of one environment: its own certificate authority, and the server certificate that it signs.

This module decides their content and when they are renewed. It does not know where they are stored or used. All keys are ECDSA
on P-256. An authority is valid for ten years. A server certificate is valid for 397 days, the longest time that browsers
accept, and is renewed 30 days before its end.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrap.values import Secret

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
DUE_DAYS = 30
_SKEW = datetime.timedelta(minutes=10)  # a machine whose clock is a little slow accepts new certificates, too
_COMMON_NAME_LENGTH = 64  # X.520's upper bound


@dataclass(frozen=True)
class Certificates:
    """An authority and the server certificate that it signed, with both keys; all in PEM."""

    authority_pem: str
    authority_key: Secret
    certificate_pem: str
    key: Secret


def issue(
    stored: Certificates | None, names: Sequence[str], addresses: Sequence[str], now: datetime.datetime
) -> Certificates:
    """Certificates for these DNS names and IP addresses: the stored ones if they are good, otherwise new ones.

    With a new authority, the server certificate is new as well. ValueError if there is neither a name nor an address.
    """
    if not names and not addresses:
        raise ValueError("a certificate needs a name or an address")
    if stored is None or not _is_good_authority(stored, now):
        authority_pem, authority_key = _make_authority((*names, *addresses)[0], now)
    elif _is_good_server(stored, names, addresses, now):
        return stored
    else:
        authority_pem, authority_key = stored.authority_pem, stored.authority_key
    certificate_pem, key = _make_server(authority_pem, authority_key, names, addresses, now)
    return Certificates(authority_pem, authority_key, certificate_pem, key)


def to_json(certificates: Certificates) -> str:
    """The certificates as text for a secret store; it contains both private keys."""
    return json.dumps(
        {
            "authority": certificates.authority_pem,
            "authority_key": certificates.authority_key.reveal(),
            "certificate": certificates.certificate_pem,
            "key": certificates.key.reveal(),
        }
    )


def from_json(text: str) -> Certificates | None:
    """Read the text of `to_json`; None for any other text, for example the first, empty value of a secret."""
    try:
        content = json.loads(text)
        parts = [content[name] for name in ("authority", "authority_key", "certificate", "key")]
    except (ValueError, KeyError, TypeError):
        return None
    if not all(isinstance(part, str) for part in parts):
        return None
    return Certificates(parts[0], Secret(parts[1]), parts[2], Secret(parts[3]))


def fingerprint(pem: str) -> str:
    """The SHA-256 fingerprint of a certificate, as browsers show it: pairs of hexadecimal digits separated by colons."""
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex(":").upper()


def _is_good_authority(stored: Certificates, now: datetime.datetime) -> bool:
    """Whether the authority can sign: it is readable, has its key, and is valid longer than a server certificate."""
    try:
        authority = x509.load_pem_x509_certificate(stored.authority_pem.encode())
        return (
            authority.public_key() == _load_key(stored.authority_key).public_key()
            and _days_left(authority, now) > SERVER_DAYS
        )
    except ValueError:
        return False


def _is_good_server(
    stored: Certificates, names: Sequence[str], addresses: Sequence[str], now: datetime.datetime
) -> bool:
    try:
        server = x509.load_pem_x509_certificate(stored.certificate_pem.encode())
        server.verify_directly_issued_by(x509.load_pem_x509_certificate(stored.authority_pem.encode()))
        subject = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        own_key = server.public_key() == _load_key(stored.key).public_key()
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    is_same = set(subject) == set(_alternative_names(names, addresses))
    return own_key and is_same and _days_left(server, now) > DUE_DAYS


def _days_left(certificate: x509.Certificate, now: datetime.datetime) -> float:
    return (certificate.not_valid_after_utc - now).total_seconds() / 86400


def _make_authority(name: str, now: datetime.datetime) -> tuple[str, Secret]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority of {name}"[:_COMMON_NAME_LENGTH])])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    built = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(built), _key_pem(key)


def _make_server(
    authority_pem: str, authority_key: Secret, names: Sequence[str], addresses: Sequence[str], now: datetime.datetime
) -> tuple[str, Secret]:
    authority = x509.load_pem_x509_certificate(authority_pem.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    first = (*names, *addresses)[0]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, first[:_COMMON_NAME_LENGTH])])
    issuer_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    alternative = x509.SubjectAlternativeName(_alternative_names(names, addresses))
    built = (
        _builder(subject, authority.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternative, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False)
        .sign(_load_key(authority_key), hashes.SHA256())
    )
    return _pem(built), _key_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    begin = now - _SKEW
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=begin + datetime.timedelta(days=days),
    )


def _alternative_names(names: Sequence[str], addresses: Sequence[str]) -> list[x509.GeneralName]:
    return [*map(x509.DNSName, names), *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)]


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(secret: Secret) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(secret.reveal().encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key on an elliptic curve")  # noqa: TRY004 - to its caller a wrong value like any other
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> Secret:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Secret(private.decode())
