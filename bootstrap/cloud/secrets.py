"""The environment's secrets: CloudFormation makes them in Secrets Manager, and they are read when they are needed.

The certificates lie there too, so that whoever may launch the environment serves the same ones. The key of the authority that
signs them has a secret of its own: the machine's role reads the certificates, and must not be able to sign others.
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

# Marks certificates whose authority's key has just left this secret: the version before still has it.
_KEY_LEFT = "key_left"
NEW_AUTHORITY = "a new one: import its certificate again wherever people trust the old one"
MOVED_AUTHORITY = "its key moves to a secret of its own, and its names are limited; who trusts it needs nothing new"


@dataclass(frozen=True)
class Places:
    """The ARNs of the secrets with the certificates and with the authority's key."""

    certificates: str
    authority_key: str


@dataclass(frozen=True)
class Issued:
    """The certificates that are to be served, and what was done for them."""

    certificates: Certificates
    is_new: bool = False  # the server's certificate, or all of them
    of_authority: str = ""  # what happened to an authority that there was already, in words


def read_secret(client: Any, arn: str) -> Secret:
    """The text of one secret."""
    return Secret(client.get_secret_value(SecretId=arn)["SecretString"])


def read_certificates(client: Any, arn: str) -> Certificates | None:
    """The stored certificates; None before the first were issued."""
    return certificates.from_json(read_secret(client, arn).reveal())


def has_authority_key(client: Any, arn: str) -> bool:
    """Whether the secret with the certificates has the authority's key in it, as earlier versions kept it."""
    return _key_beside(read_secret(client, arn).reveal()) is not None


def ensure_certificates(client: Any, places: Places, subjects: Subjects, *, writes: bool = True) -> Issued:
    """The certificates for these names: kept ones are used while they are good, and only then the key is not read.

    Without `writes` they are made, but nothing is kept. An authority of an earlier version, whose key lies beside the
    certificates, goes on: its key is moved. What is killed in between is done again, or finished, by the next call.
    """
    now = datetime.datetime.now(datetime.UTC)
    text = read_secret(client, places.certificates).reveal()
    kept, old_key = certificates.from_json(text), _key_beside(text)
    if kept is not None and old_key is None and certificates.is_good(kept, subjects, now):
        if writes and _KEY_LEFT in text:
            _put(client, places.certificates, certificates.to_json(kept))
        return Issued(kept)
    limited = _limit(kept, old_key, subjects, now)
    key = old_key if limited else _read_key(client, places.authority_key)
    issued, used_key = certificates.issue(limited or kept, key, subjects, now)
    if writes:
        if limited or used_key != key:
            _put(client, places.authority_key, json.dumps({"key": used_key.reveal()}))
        if old_key is not None:
            # Secrets Manager gives out the version before the current one, too: after two writes it has no key either.
            _put(client, places.certificates, certificates.to_json(issued, **{_KEY_LEFT: True}))
        _put(client, places.certificates, certificates.to_json(issued))
    is_new = kept is None or issued.certificate_pem != kept.certificate_pem
    if limited and limited.issuer_pem == issued.issuer_pem:
        return Issued(issued, is_new, MOVED_AUTHORITY)
    is_other = kept is not None and kept.authority_pem != issued.authority_pem
    return Issued(issued, is_new, NEW_AUTHORITY if is_other else "")


def _limit(
    kept: Certificates | None, key: Secret | None, subjects: Subjects, now: datetime.datetime
) -> Certificates | None:
    """The authority of an earlier version with limits; None where there is none, or its key is not its own."""
    if kept is None or key is None:
        return None
    try:
        return certificates.limit(kept, key, subjects, now)
    except ValueError:
        return None


def _key_beside(text: str) -> Secret | None:
    """The authority's key, where it lies beside the certificates."""
    return _text_of(text, "authority_key")


def _read_key(client: Any, arn: str) -> Secret | None:
    """The key; None before the first was made, or where a stack that is to be updated has no such secret yet."""
    return _text_of(read_secret(client, arn).reveal(), "key") if arn else None


def _text_of(text: str, name: str) -> Secret | None:
    try:
        told = json.loads(text)
    except ValueError:
        return None
    found = told.get(name) if isinstance(told, Mapping) else None
    return Secret(found) if isinstance(found, str) else None


def _put(client: Any, arn: str, text: str) -> None:
    client.put_secret_value(SecretId=arn, SecretString=text)
