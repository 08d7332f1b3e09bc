"""The passwords of people: all in one secret of Secrets Manager, which only who launches and operates may read.

The stack `people` makes the secret, empty. A launch makes a password for everybody who has none, and takes out those of people
who are gone. Nobody chooses a password, and it is nowhere else: Jenkins gets its hash.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Collection, Mapping
from typing import Any

from bootstrap.cloud.secrets import read_secret
from bootstrap.errors import UsageError
from bootstrap.values import Secret

# Letters and digits alone: other characters have a meaning in shells, and '$' one in Jenkins' settings. 190 bits.
_ALPHABET, _LENGTH = string.ascii_letters + string.digits, 32


def read(client: Any, arn: str) -> dict[str, Secret]:
    """The passwords by the ids of people; empty before the first launch."""
    try:
        content = json.loads(read_secret(client, arn).reveal())
    except ValueError:
        content = {}
    return {str(name): Secret(text) for name, text in content.items() if isinstance(text, str)}


def ensure(client: Any, arn: str, people: Collection[str], *, writes: bool) -> dict[str, Secret]:
    """A password for each of the people, and for nobody else. Without `writes`, new ones are made but not stored."""
    stored = read(client, arn)
    wished = {name: stored.get(name) or _make() for name in people}
    if writes and wished != stored:
        _write(client, arn, wished)
        if stored.keys() - wished.keys():
            _write(client, arn, wished)  # Secrets Manager keeps the version before, too: it must not have them either
    return wished


def rotate(client: Any, arn: str, name: str) -> None:
    """Store another password for a person; UsageError if the person has none yet. The old one is in no version any more."""
    stored = read(client, arn)
    if name not in stored:
        raise UsageError(
            f"making another password for '{name}'", "no launch has made one yet", "Run './bootstrap.py launch' first."
        )
    changed = {**stored, name: _make()}
    _write(client, arn, changed)
    _write(client, arn, changed)


def _make() -> Secret:
    return Secret("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def _write(client: Any, arn: str, passwords: Mapping[str, Secret]) -> None:
    text = json.dumps({name: secret.reveal() for name, secret in sorted(passwords.items())})
    client.put_secret_value(SecretId=arn, SecretString=text)
