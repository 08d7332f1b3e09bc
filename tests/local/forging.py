"""What somebody can sign who has the authority's key, and an authority as earlier versions made it."""

from __future__ import annotations

import datetime
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bootstrap.cloud.certificates import Certificates, Subjects
from bootstrap.values import Secret

Signer = ec.EllipticCurvePrivateKey


def signed_for(issuer_pem: str, authority_key: Secret, subjects: Subjects, name: str) -> tuple[str, Secret]:
    """A server certificate for any names, signed with that key; and its own key."""
    issuer = x509.load_pem_x509_certificate(issuer_pem.encode())
    signer = load_pem_private_key(authority_key.reveal().encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder(_named(name), issuer.subject, key).add_extension(
        x509.SubjectAlternativeName(subjects.alternative_names), critical=False
    )
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    made = made.add_extension(issuer_id, critical=False).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return _pem(made, signer), _key_pem(key)


def earlier(subjects: Subjects) -> tuple[Certificates, Secret]:
    """An authority without limits that signs the server certificate itself."""
    signer, name = ec.generate_private_key(ec.SECP256R1()), _named(f"Authority of {subjects.first}")
    made = _builder(name, name, signer).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
    may = dict.fromkeys(("key_cert_sign", "crl_sign"), True)
    may |= dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False)
    may |= dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
    made = made.add_extension(x509.KeyUsage(**may), critical=True)
    authority, key = _pem(made, signer), _key_pem(signer)
    certificate, own = signed_for(authority, key, subjects, subjects.first)
    return Certificates(authority, "", certificate, own), key


def earlier_text(kept: Certificates, key: Secret) -> str:
    """How earlier versions kept it: with the authority's key."""
    texts = {"authority": kept.authority_pem, "certificate": kept.certificate_pem, "key": kept.key.reveal()}
    return json.dumps({**texts, "authority_key": key.reveal()})


def _builder(subject: x509.Name, issuer: x509.Name, key: Signer) -> x509.CertificateBuilder:
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=begin + datetime.timedelta(days=397),
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(made: x509.CertificateBuilder, signer: Signer) -> str:
    return made.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _key_pem(key: Signer) -> Secret:
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
