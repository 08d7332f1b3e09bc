"""The certificates of one environment: its own certificate authority, and the server certificate that it signs.

This module decides the content of certificates and when they are renewed. It knows neither where they are stored nor who
serves them. All keys are ECDSA keys on P-256. An authority is valid for ten years. A server certificate is valid for 397 days,
the longest time that browsers accept, and is renewed 30 days before its end.

The authority has two certificates. Clients trust the root; its key is deleted as soon as it has signed the issuer. The issuer
signs server certificates; its key is the authority's key. Both have name constraints: the environment's names and addresses,
and no others. There is an issuer because Java ignores the name constraints of a root that it trusts.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrap.values import Secret

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
DUE_DAYS = 30
_SKEW = datetime.timedelta(minutes=10)  # so that a machine with a slow clock accepts new certificates, too
_COMMON_NAME_LENGTH = 64  # X.520's upper bound
_NO_NAME = "invalid"  # no host has a name below it (RFC 2606)


@dataclass(frozen=True)
class Subjects:
    """The names and addresses in the server certificate, and the block with the environment's addresses."""

    names: tuple[str, ...]
    addresses: tuple[str, ...]
    block: str

    @property
    def first(self) -> str:
        """The first name, or the first address; ValueError if there is neither a name nor an address."""
        if not self.names and not self.addresses:
            raise ValueError("a certificate needs a name or an address")
        return (*self.names, *self.addresses)[0]

    @property
    def alternative_names(self) -> list[x509.GeneralName]:
        """The subject alternative names of the server certificate."""
        addresses = [x509.IPAddress(ipaddress.ip_address(one)) for one in self.addresses]
        return [*map(x509.DNSName, self.names), *addresses]

    @property
    def permitted(self) -> list[x509.GeneralName]:
        """The names and blocks that the authority may sign; each kind has an entry, because a kind without one has no limit."""
        block = ipaddress.ip_network(self.block)
        outside = [one for one in map(ipaddress.ip_address, self.addresses) if one not in block]
        blocks = [block, *map(ipaddress.ip_network, outside)]
        return [*map(x509.DNSName, self.names or (_NO_NAME,)), *map(x509.IPAddress, blocks)]


@dataclass(frozen=True)
class Certificates:
    """The root that clients trust, the issuer, and the server certificate with its key; all in PEM.

    The issuer's key is not included, because a server does not need it. An environment of an earlier version has no issuer: its
    authority signed the server certificate.
    """

    authority_pem: str
    issuer_pem: str
    certificate_pem: str
    key: Secret

    @property
    def chain_pem(self) -> str:
        """The certificates that a server sends: its own and the issuer's."""
        return self.certificate_pem + self.issuer_pem


def is_good(stored: Certificates | None, subjects: Subjects, now: datetime.datetime) -> bool:
    """Whether no certificate must be renewed; the authority's key is not needed to know this."""
    return stored is not None and _is_valid_authority(stored, subjects, now) and _is_valid_server(stored, subjects, now)


def issue(
    stored: Certificates | None, authority_key: Secret | None, subjects: Subjects, now: datetime.datetime
) -> tuple[Certificates, Secret]:
    """Renew the certificates that must be renewed, and keep the others; returns them with the authority's key.

    With a new authority, the server certificate is new, too. ValueError if there is neither a name nor an address.
    """
    is_usable = authority_key is not None and stored is not None and _is_key_of(authority_key, stored.issuer_pem)
    if stored is None or authority_key is None or not is_usable or not _is_valid_authority(stored, subjects, now):
        key = ec.generate_private_key(ec.SECP256R1())
        authority_pem, issuer_pem = _make_authority(key, _make_name(f"Authority of {subjects.first}"), subjects, now)
        stored, authority_key = Certificates(authority_pem, issuer_pem, "", Secret("")), _format_key_pem(key)
    if _is_valid_server(stored, subjects, now):
        return stored, authority_key
    certificate_pem, server_key = _make_server(stored.issuer_pem, authority_key, subjects, now)
    return replace(stored, certificate_pem=certificate_pem, key=server_key), authority_key


def limit_names(
    stored: Certificates, authority_key: Secret, subjects: Subjects, now: datetime.datetime
) -> Certificates:
    """Convert an authority of an earlier version into an issuer, with the same key and name, below a root that limits names.

    Clients that trust its old certificate accept the issuer, which has the same name and key. ValueError if the key is not the
    key of this authority.
    """
    previous = x509.load_pem_x509_certificate(stored.authority_pem.encode())
    key = _load_key(authority_key)
    if previous.public_key() != key.public_key():
        raise ValueError("the key is not the authority's")
    authority_pem, issuer_pem = _make_authority(key, previous.subject, subjects, now)
    return replace(stored, authority_pem=authority_pem, issuer_pem=issuer_pem)


def format_json(certificates: Certificates, **marks: bool) -> str:
    """The text for a secret store; it contains the server's key. `marks` are those of the store."""
    return json.dumps(
        {
            "authority": certificates.authority_pem,
            "issuer": certificates.issuer_pem,
            "certificate": certificates.certificate_pem,
            "key": certificates.key.reveal(),
            **marks,
        }
    )


def parse_json(text: str) -> Certificates | None:
    """The certificates in a text of `format_json`, also of an earlier version; None for any other text, such as '{}'."""
    try:
        content = json.loads(text)
        parts = [content["authority"], content.get("issuer", ""), content["certificate"], content["key"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(part, str) for part in parts):
        return None
    return Certificates(parts[0], parts[1], parts[2], Secret(parts[3]))


def format_fingerprint(pem: str) -> str:
    """The SHA-256 fingerprint of a certificate, as browsers show it: pairs of hexadecimal digits separated by colons."""
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex(":").upper()


def _is_valid_authority(stored: Certificates, subjects: Subjects, now: datetime.datetime) -> bool:
    """Whether the root signed the issuer, both permit exactly these names, and both outlive a new server certificate."""
    try:
        pair = [x509.load_pem_x509_certificate(pem.encode()) for pem in (stored.authority_pem, stored.issuer_pem)]
        pair[1].verify_directly_issued_by(pair[0])
        limits = [certificate.extensions.get_extension_for_class(x509.NameConstraints) for certificate in pair]
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    permitted = set(subjects.permitted)
    is_limited = all(limit.critical and set(limit.value.permitted_subtrees or ()) == permitted for limit in limits)
    return is_limited and all(_count_days_left(certificate, now) > SERVER_DAYS for certificate in pair)


def _is_key_of(key: Secret, pem: str) -> bool:
    try:
        return _load_key(key).public_key() == x509.load_pem_x509_certificate(pem.encode()).public_key()
    except ValueError:
        return False


def _is_valid_server(stored: Certificates, subjects: Subjects, now: datetime.datetime) -> bool:
    try:
        server = x509.load_pem_x509_certificate(stored.certificate_pem.encode())
        server.verify_directly_issued_by(x509.load_pem_x509_certificate(stored.issuer_pem.encode()))
        subject = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    is_same = set(subject) == set(subjects.alternative_names)
    is_named = bool(subjects.names) or server.subject == _make_server_name(subjects)
    return (
        is_same
        and is_named
        and _is_key_of(stored.key, stored.certificate_pem)
        and _count_days_left(server, now) > DUE_DAYS
    )


def _count_days_left(certificate: x509.Certificate, now: datetime.datetime) -> float:
    return (certificate.not_valid_after_utc - now).total_seconds() / 86400


def _make_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME_LENGTH])])


def _make_server_name(subjects: Subjects) -> x509.Name:
    """The subject of a server certificate; without names it has a space, because OpenSSL would check an address as a host."""
    return _make_name(subjects.names[0] if subjects.names else f"Jenkins at {subjects.first}")


def _make_authority(
    key: ec.EllipticCurvePrivateKey, name: x509.Name, subjects: Subjects, now: datetime.datetime
) -> tuple[str, str]:
    """The root and the issuer, which has this key; the root's own key is not stored."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = _make_name(f"Root authority of {subjects.first}")
    limits = x509.NameConstraints(permitted_subtrees=subjects.permitted, excluded_subtrees=None)
    usage = _make_key_usage(key_cert_sign=True, crl_sign=True)
    root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _make_builder(root_name, root_name, root_key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(root_id, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    issuer = (
        _make_builder(name, root_name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return _format_pem(root), _format_pem(issuer)


def _make_server(
    issuer_pem: str, authority_key: Secret, subjects: Subjects, now: datetime.datetime
) -> tuple[str, Secret]:
    issuer = x509.load_pem_x509_certificate(issuer_pem.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _make_builder(_make_server_name(subjects), issuer.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_make_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subjects.alternative_names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False)
        .sign(_load_key(authority_key), hashes.SHA256())
    )
    return _format_pem(certificate), _format_key_pem(key)


def _make_builder(
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


def _make_key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
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
        raise ValueError("not a key on an elliptic curve")  # noqa: TRY004 - callers handle all invalid keys alike
    return key


def _format_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _format_key_pem(key: ec.EllipticCurvePrivateKey) -> Secret:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Secret(private.decode())
