"""The certificates of one environment: its own certificate authority, and the server certificate that it signs.

Decides what they say and when they are due; knows neither where they are kept nor who serves them. ECDSA on P-256 throughout.
An authority lives ten years. A server certificate lives 397 days, the longest that browsers take, and is due 30 days before.

The authority is two certificates. Clients trust the root, whose key is thrown away as soon as it has signed the issuer. The
issuer signs server certificates; its key is the authority's key. Both have name constraints: the environment's names and
addresses, and no others. There is an issuer because Java does not look at the name constraints of a root that it trusts.
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
_SKEW = datetime.timedelta(minutes=10)  # a machine whose clock is a little slow accepts new certificates, too
_COMMON_NAME_LENGTH = 64  # X.520's upper bound
_NO_NAME = "invalid"  # no host has a name below it (RFC 2606)


@dataclass(frozen=True)
class Subjects:
    """What the server certificate names, and the block in which the environment's addresses lie."""

    names: tuple[str, ...]
    addresses: tuple[str, ...]
    block: str

    @property
    def first(self) -> str:
        """The one that people know best; ValueError where there is neither a name nor an address."""
        if not self.names and not self.addresses:
            raise ValueError("a certificate needs a name or an address")
        return (*self.names, *self.addresses)[0]

    @property
    def alternative_names(self) -> list[x509.GeneralName]:
        """Those of the server certificate."""
        addresses = [x509.IPAddress(ipaddress.ip_address(one)) for one in self.addresses]
        return [*map(x509.DNSName, self.names), *addresses]

    @property
    def permitted(self) -> list[x509.GeneralName]:
        """All that the authority may sign for. Each kind has an entry: a kind without one would not be limited at all."""
        block = ipaddress.ip_network(self.block)
        outside = [one for one in map(ipaddress.ip_address, self.addresses) if one not in block]
        blocks = [block, *map(ipaddress.ip_network, outside)]
        return [*map(x509.DNSName, self.names or (_NO_NAME,)), *map(x509.IPAddress, blocks)]


@dataclass(frozen=True)
class Certificates:
    """The root that clients trust, the issuer, and the server certificate with its key; all in PEM.

    The issuer's key is not here: nobody needs it to serve. An environment of an earlier version has no issuer; there the
    authority itself signed the server certificate.
    """

    authority_pem: str
    issuer_pem: str
    certificate_pem: str
    key: Secret

    @property
    def chain_pem(self) -> str:
        """What a server sends: its certificate and the issuer's."""
        return self.certificate_pem + self.issuer_pem


def is_good(kept: Certificates | None, subjects: Subjects, now: datetime.datetime) -> bool:
    """Whether nothing is due: this is known without the authority's key."""
    return kept is not None and _is_good_authority(kept, subjects, now) and _is_good_server(kept, subjects, now)


def issue(
    kept: Certificates | None, authority_key: Secret | None, subjects: Subjects, now: datetime.datetime
) -> tuple[Certificates, Secret]:
    """What is due is made anew, and what is good is kept; with the key of the authority, also where that is new.

    With a new authority, the server certificate is new as well. ValueError if there is neither a name nor an address.
    """
    is_usable = authority_key is not None and kept is not None and _is_key_of(authority_key, kept.issuer_pem)
    if kept is None or authority_key is None or not is_usable or not _is_good_authority(kept, subjects, now):
        key = ec.generate_private_key(ec.SECP256R1())
        authority_pem, issuer_pem = _make_authority(key, _named(f"Authority of {subjects.first}"), subjects, now)
        kept, authority_key = Certificates(authority_pem, issuer_pem, "", Secret("")), _key_pem(key)
    if _is_good_server(kept, subjects, now):
        return kept, authority_key
    certificate_pem, server_key = _make_server(kept.issuer_pem, authority_key, subjects, now)
    return replace(kept, certificate_pem=certificate_pem, key=server_key), authority_key


def limit(kept: Certificates, authority_key: Secret, subjects: Subjects, now: datetime.datetime) -> Certificates:
    """An authority of an earlier version, with its own key and name, below a root that limits the names.

    Whoever trusts its old certificate needs nothing new: name and key are those of the issuer. ValueError for a key that is
    not this authority's.
    """
    old = x509.load_pem_x509_certificate(kept.authority_pem.encode())
    key = _load_key(authority_key)
    if old.public_key() != key.public_key():
        raise ValueError("the key is not the authority's")
    authority_pem, issuer_pem = _make_authority(key, old.subject, subjects, now)
    return replace(kept, authority_pem=authority_pem, issuer_pem=issuer_pem)


def to_json(certificates: Certificates, **more: bool) -> str:
    """The text to keep in a secret store: it holds the server's key. `more` are marks of the store's own."""
    return json.dumps(
        {
            "authority": certificates.authority_pem,
            "issuer": certificates.issuer_pem,
            "certificate": certificates.certificate_pem,
            "key": certificates.key.reveal(),
            **more,
        }
    )


def from_json(text: str) -> Certificates | None:
    """What `to_json` wrote, also an earlier version's; None for any other text, as a store's first, empty value."""
    try:
        told = json.loads(text)
        parts = [told["authority"], told.get("issuer", ""), told["certificate"], told["key"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(part, str) for part in parts):
        return None
    return Certificates(parts[0], parts[1], parts[2], Secret(parts[3]))


def fingerprint(pem: str) -> str:
    """The SHA-256 fingerprint of a certificate, as browsers show it: pairs of hexadecimal digits separated by colons."""
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex(":").upper()


def _is_good_authority(kept: Certificates, subjects: Subjects, now: datetime.datetime) -> bool:
    """Whether root and issuer belong together, permit just these names, and are good for longer than a server certificate."""
    try:
        pair = [x509.load_pem_x509_certificate(pem.encode()) for pem in (kept.authority_pem, kept.issuer_pem)]
        pair[1].verify_directly_issued_by(pair[0])
        limits = [one.extensions.get_extension_for_class(x509.NameConstraints) for one in pair]
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    wanted = set(subjects.permitted)
    is_limited = all(it.critical and set(it.value.permitted_subtrees or ()) == wanted for it in limits)
    return is_limited and all(_days_left(one, now) > SERVER_DAYS for one in pair)


def _is_key_of(key: Secret, pem: str) -> bool:
    try:
        return _load_key(key).public_key() == x509.load_pem_x509_certificate(pem.encode()).public_key()
    except ValueError:
        return False


def _is_good_server(kept: Certificates, subjects: Subjects, now: datetime.datetime) -> bool:
    try:
        server = x509.load_pem_x509_certificate(kept.certificate_pem.encode())
        server.verify_directly_issued_by(x509.load_pem_x509_certificate(kept.issuer_pem.encode()))
        subject = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    is_same = set(subject) == set(subjects.alternative_names)
    is_named = bool(subjects.names) or server.subject == _server_name(subjects)
    return is_same and is_named and _is_key_of(kept.key, kept.certificate_pem) and _days_left(server, now) > DUE_DAYS


def _days_left(certificate: x509.Certificate, now: datetime.datetime) -> float:
    return (certificate.not_valid_after_utc - now).total_seconds() / 86400


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME_LENGTH])])


def _server_name(subjects: Subjects) -> x509.Name:
    """OpenSSL takes the common name for a host's if no other name is one, and an address is not permitted as such."""
    return _named(subjects.names[0] if subjects.names else f"Jenkins at {subjects.first}")


def _make_authority(
    key: ec.EllipticCurvePrivateKey, name: x509.Name, subjects: Subjects, now: datetime.datetime
) -> tuple[str, str]:
    """The root and the issuer, which has that key; the root's own key is kept nowhere."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = _named(f"Root authority of {subjects.first}")
    limits = x509.NameConstraints(permitted_subtrees=subjects.permitted, excluded_subtrees=None)
    usage = _usage(key_cert_sign=True, crl_sign=True)
    root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _builder(root_name, root_name, root_key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(root_id, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    issuer = (
        _builder(name, root_name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return _pem(root), _pem(issuer)


def _make_server(
    issuer_pem: str, authority_key: Secret, subjects: Subjects, now: datetime.datetime
) -> tuple[str, Secret]:
    issuer = x509.load_pem_x509_certificate(issuer_pem.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    built = (
        _builder(_server_name(subjects), issuer.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subjects.alternative_names), critical=False)
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
