"""Reads the update center's list of plugin versions or its current offer, and verifies the signature in it.

The update center signs the list like all of its metadata. The entry `signature` has certificates and an RSA signature with
SHA-512 of the rest of the document in canonical form (no white space, sorted keys). The first certificate is that of the
signer. The chain must end at one of the root certificates in Jenkins' WAR, so a core that is proved also proves the list. The
end of a certificate's validity is ignored, as in Jenkins: the checksums of released files never change.
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
CURRENT = "update-center.actual.json"
_ROOTS = "WEB-INF/update-center-rootCAs/"
_MOST = 10  # certificates in a chain


class Unproved(Exception):
    """The signature does not prove the list; the text says why."""


@dataclass(frozen=True)
class Metadata:
    """The list or the offer: the plugins, the document without the signature, and the signature block, or None."""

    plugins: Mapping[str, Any]
    content: Mapping[str, Any]
    signature: Mapping[str, Any] | None

    def find_checksum(self, name: str, version: str) -> str | None:
        """The SHA-256 (hex) of a version of a plugin, or None; in the list it is base64."""
        try:
            digest = base64.b64decode(self.plugins[name][version]["sha256"], validate=True)
        except (TypeError, KeyError, binascii.Error, ValueError):
            return None
        return digest.hex() if len(digest) == 32 else None


def parse(content: bytes, where: str, what: str = "list of plugin versions") -> Metadata:
    """Parse the list, or the offer, that came from `where`. Raises Unobtainable if the content is something else."""
    try:
        document = json.loads(content)
        plugins, signature = document["plugins"], document.pop("signature", None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unobtainable(f"{where} is not the update center's {what}: {error}") from error
    if not isinstance(plugins, dict):
        raise Unobtainable(f"{where} is not the update center's {what}")
    return Metadata(plugins, document, signature)


def verify(metadata: Metadata, war: Path) -> None:
    """Check that the list is signed by an authority whose root certificate is in the WAR. Raises Unproved if not."""
    signature = metadata.signature
    if not isinstance(signature, dict):
        raise Unproved("it carries no signature")
    try:
        chain = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in signature["certificates"][:_MOST]]
        signed = bytes.fromhex(signature["correct_signature512"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unproved(f"its signature cannot be read: {error}") from error
    if not chain:
        raise Unproved("its signature has no certificate")
    _check_chain(chain, _read_roots(war))
    key = chain[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unproved("its signer has no RSA key")
    try:
        canonical = json.dumps(metadata.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        key.verify(signed, canonical.encode("utf-8", "surrogatepass"), padding.PKCS1v15(), hashes.SHA512())
    except InvalidSignature as error:
        raise Unproved("its signature does not match its content") from error
    except RecursionError as error:  # it was parsed with fewer calls above it
        raise Unproved("its content is nested too deeply") from error


def _check_chain(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> None:
    """Each certificate must be issued by the next one, and the last one must be a root or issued by a root."""
    for one, issuer in itertools.pairwise(chain):
        if not _is_issued_by(one, issuer):
            raise Unproved(
                f"its certificate of {_format_subject(one)} is not issued by the certificate that comes with it"
            )
    last = chain[-1]
    if last not in roots and not any(_is_issued_by(last, root) for root in roots):
        raise Unproved(f"its certificate of {_format_subject(last)} is not issued by an authority that the core trusts")


def _is_issued_by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        one.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return True


def _format_subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _read_roots(war: Path) -> list[x509.Certificate]:
    """The update center's root certificates in the core; other files in their folder are ignored, as in Jenkins."""
    roots = []
    try:
        with zipfile.ZipFile(war) as archive:
            for name in archive.namelist():
                if name.startswith(_ROOTS) and not name.endswith(("/", ".txt")):
                    with contextlib.suppress(ValueError):
                        roots.append(x509.load_pem_x509_certificate(archive.read(name)))
    except (zipfile.BadZipFile, OSError) as error:
        raise Unproved(f"the core's root certificates of the update center cannot be read: {error}") from error
    if not roots:
        raise Unproved(f"the core has no root certificate of the update center in {_ROOTS}")
    return roots
