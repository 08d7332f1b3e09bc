"""The operator's keys of one local cloud, and the token of its control endpoints.

Both are random, are made once, and can be read by the owner of the files alone. The file of the keys has the form of AWS'
shared credentials file, so that every tool for AWS can use it.
"""

from __future__ import annotations

import configparser
import secrets
from dataclasses import dataclass
from pathlib import Path

from bootstrap.local.private_files import write_private

CREDENTIALS = "credentials"
TOKEN = "control-token"  # noqa: S105 (a file's name)
PROFILE = "default"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # of access key ids


@dataclass(frozen=True)
class Keys:
    """An access key of the administrator of the account."""

    access_key: str
    secret_key: str


def ensure_operator_keys(state: Path) -> Keys:
    """Read the operator's keys of the cloud in `state`; make them if there are none."""
    path = state / CREDENTIALS
    keys = read_operator_keys(path)
    if keys is None:
        keys = Keys("AKIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_urlsafe(30))
        text = f"[{PROFILE}]\naws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n"
        write_private(path, text)
    return keys


def read_operator_keys(path: Path) -> Keys | None:
    """The keys in a file; None if the file does not exist or has no keys."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="ascii"))
        return Keys(parser[PROFILE]["aws_access_key_id"], parser[PROFILE]["aws_secret_access_key"])
    except (OSError, ValueError, KeyError, configparser.Error):
        return None


def ensure_control_token(state: Path) -> str:
    """Read the token for control endpoints that change something; make it if there is none."""
    path = state / TOKEN
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()
