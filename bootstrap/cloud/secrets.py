"""The environment's secrets: CloudFormation makes them in Secrets Manager, and they are read when they are needed.

The certificates are there, too, so that every launcher of the environment uses the same ones. The key of the authority that
signs them has a secret of its own: the IAM role of the machine can read the certificates, and must not be able to sign others.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud import certificates
from bootstrap.cloud.certificates import Certificates, Subjects
from bootstrap.values import Secret

# Marks certificates from whose secret the authority's key was just removed: the previous version still has the key.
_KEY_LEFT = "key_left"
NEW_AUTHORITY = "a new one: import its certificate again wherever people trust the old one"
MOVED_AUTHORITY = (
    "its key moves to a secret of its own, and its names are limited; clients that trust it need no change"
)


@dataclass(frozen=True)
class SecretArns:
    """The ARNs of the secrets with the certificates and with the authority's key."""

    certificates: str
    authority_key: str


@dataclass(frozen=True)
class Issued:
    """The certificates for the server, and what was changed."""

    certificates: Certificates
    is_new: bool = False  # the server certificate is new, or all certificates are
    authority_change: str = ""  # the change of an authority that existed before, as text


def read_secret(client: Any, arn: str) -> Secret:
    """The text of one secret."""
    return Secret(client.get_secret_value(SecretId=arn)["SecretString"])


def read_certificates(client: Any, arn: str) -> Certificates | None:
    """The stored certificates; None before the first were issued."""
    return certificates.parse_json(read_secret(client, arn).reveal())


def has_authority_key(client: Any, arn: str) -> bool:
    """Whether the secret with the certificates contains the authority's key, as in earlier versions."""
    return _read_key_beside(read_secret(client, arn).reveal()) is not None


def ensure_certificates(client: Any, arns: SecretArns, subjects: Subjects, *, writes: bool = True) -> Issued:
    """The certificates for these names; the authority's key is read only if a stored certificate must be renewed.

    Without `writes` the certificates are made but not stored. If the authority's key is in the secret with the certificates, as
    in earlier versions, the authority is used further and its key is moved. If a call is killed, the next call completes it.
    """
    now = datetime.datetime.now(datetime.UTC)
    text = read_secret(client, arns.certificates).reveal()
    stored, old_key = certificates.parse_json(text), _read_key_beside(text)
    if stored is not None and old_key is None and certificates.is_good(stored, subjects, now):
        if writes and _KEY_LEFT in text:
            _write(client, arns.certificates, certificates.format_json(stored))
        return Issued(stored)
    limited_certificates = _limit_names(stored, old_key, subjects, now)
    key = old_key if limited_certificates else _read_key(client, arns.authority_key)
    issued, used_key = certificates.issue(limited_certificates or stored, key, subjects, now)
    if writes:
        if limited_certificates or used_key != key:
            _write(client, arns.authority_key, json.dumps({"key": used_key.reveal()}))
        if old_key is not None:
            # Secrets Manager keeps the previous version, too; after a second write that version does not have the key either.
            _write(client, arns.certificates, certificates.format_json(issued, **{_KEY_LEFT: True}))
        _write(client, arns.certificates, certificates.format_json(issued))
    is_new = stored is None or issued.certificate_pem != stored.certificate_pem
    if limited_certificates and limited_certificates.issuer_pem == issued.issuer_pem:
        return Issued(issued, is_new, MOVED_AUTHORITY)
    is_other = stored is not None and stored.authority_pem != issued.authority_pem
    return Issued(issued, is_new, NEW_AUTHORITY if is_other else "")


def _limit_names(
    stored: Certificates | None, key: Secret | None, subjects: Subjects, now: datetime.datetime
) -> Certificates | None:
    """The authority of an earlier version with limited names; None if there is none, or if the key is not its key."""
    if stored is None or key is None:
        return None
    try:
        return certificates.limit_names(stored, key, subjects, now)
    except ValueError:
        return None


def _read_key_beside(text: str) -> Secret | None:
    """The authority's key, if it is in the secret with the certificates."""
    return _read_text(text, "authority_key")


def _read_key(client: Any, arn: str) -> Secret | None:
    """The key; None before the first one was made, or if the stack must be updated before it has this secret."""
    return _read_text(read_secret(client, arn).reveal(), "key") if arn else None


def _read_text(text: str, name: str) -> Secret | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    text_value = content.get(name) if isinstance(content, Mapping) else None
    return Secret(text_value) if isinstance(text_value, str) else None


def _write(client: Any, arn: str, text: str) -> None:
    client.put_secret_value(SecretId=arn, SecretString=text)
