"""The update center's list of plugin versions, and the signature that it carries within itself.

The update center signs the list as Jenkins expects it of all its metadata: the entry `signature` holds certificates and an RSA
signature with SHA-512 over the rest of the document in its canonical form (no white space, keys in order). The first
certificate is the signer's; the chain must lead to one of the root certificates that Jenkins carries in its own WAR, so that
a core that is proved proves the list as well. As Jenkins does, a certificate's last day is not looked at: what was signed
before it stays what it was, and sums of released files never change.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import itertools
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bootstrap.jenkins.distribution.transfer import Unobtainable

NAME = "plugin-versions.json"
_ROOTS = "WEB-INF/update-center-rootCAs/"
_MOST = 10  # certificates of a chain


class Unproved(Exception):
    """The list is not what the update center signed; the text says why."""


@dataclass(frozen=True)
class Metadata:
    """The list: its plugins, the rest of the document, and the signature block where there is one."""

    plugins: Mapping[str, Any]
    content: Mapping[str, Any]
    signature: Mapping[str, Any] | None

    def sum_of(self, name: str, version: str) -> str | None:
        """The SHA-256 that the list tells for one version of a plugin, in hex; it is base64 there."""
        try:
            digest = base64.b64decode(self.plugins[name][version]["sha256"], validate=True)
        except (TypeError, KeyError, binascii.Error, ValueError):
            return None
        return digest.hex() if len(digest) == 32 else None


def parse(content: bytes, where: str) -> Metadata:
    """The list, or Unobtainable where it is some other page."""
    try:
        document = json.loads(content)
        plugins, signature = document["plugins"], document.pop("signature", None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unobtainable(f"{where} is not the update center's list of plugin versions: {error}") from error
    if not isinstance(plugins, dict):
        raise Unobtainable(f"{where} is not the update center's list of plugin versions")
    return Metadata(plugins, document, signature)


def verify(metadata: Metadata, war: Path) -> None:
    """Return when the list is signed by an authority that the WAR trusts; Unproved otherwise."""
    signature = metadata.signature
    if not isinstance(signature, dict):
        raise Unproved("it carries no signature")
    try:
        chain = [x509.load_der_x509_certificate(base64.b64decode(it)) for it in signature["certificates"][:_MOST]]
        signed = bytes.fromhex(signature["correct_signature512"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unproved(f"its signature cannot be read: {error}") from error
    if not chain:
        raise Unproved("its signature comes without a certificate")
    _check_chain(chain, _roots(war))
    key = chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unproved("its signer has no RSA key")
    canonical = json.dumps(metadata.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        key.verify(signed, canonical.encode("utf-8", "surrogatepass"), padding.PKCS1v15(), hashes.SHA512())
    except InvalidSignature as error:
        raise Unproved("its signature does not match its content") from error


def _check_chain(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> None:
    """Each certificate is issued by the one behind it, the last by a root; a root itself may stand at the end."""
    for one, issuer in itertools.pairwise(chain):
        if not _is_issued_by(one, issuer):
            raise Unproved(f"its certificate of {_subject(one)} is not issued by the certificate that comes with it")
    last = chain[-1]
    if last not in roots and not any(_is_issued_by(last, root) for root in roots):
        raise Unproved(f"its certificate of {_subject(last)} is not issued by an authority that the core trusts")


def _is_issued_by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        one.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return True


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _roots(war: Path) -> list[x509.Certificate]:
    """The update center's root certificates that a core carries; what is no certificate is passed over, as Jenkins does."""
    found = []
    try:
        with zipfile.ZipFile(war) as archive:
            for name in archive.namelist():
                if name.startswith(_ROOTS) and not name.endswith(("/", ".txt")):
                    with contextlib.suppress(ValueError):
                        found.append(x509.load_pem_x509_certificate(archive.read(name)))
    except (zipfile.BadZipFile, OSError) as error:
        raise Unproved(f"the core's root certificates of the update center cannot be read: {error}") from error
    if not found:
        raise Unproved(f"the core has no root certificate of the update center in {_ROOTS}")
    return found
