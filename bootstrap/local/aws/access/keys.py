"""The operator's keys of one local cloud, and the token of its control endpoints: random, made once, for the owner alone.

The keys lie in the form of a file of shared credentials, so that any tool of AWS can be pointed at it.
"""

from __future__ import annotations

import configparser
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

CREDENTIALS = "credentials"
TOKEN = "control-token"  # noqa: S105 (a file's name)
PROFILE = "default"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # of access key ids


@dataclass(frozen=True)
class Keys:
    """An access key of the account's administrator."""

    access_key: str
    secret_key: str


def ensure_operator_keys(state: Path) -> Keys:
    """The operator's keys of the cloud in `state`; made where there are none."""
    path = state / CREDENTIALS
    known = read_operator_keys(path)
    if known is None:
        known = Keys("AKIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_urlsafe(30))
        text = f"[{PROFILE}]\naws_access_key_id = {known.access_key}\naws_secret_access_key = {known.secret_key}\n"
        _write(path, text)
    return known


def read_operator_keys(path: Path) -> Keys | None:
    """The keys of a file; None where there is none, or it is none."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="ascii"))
        return Keys(parser[PROFILE]["aws_access_key_id"], parser[PROFILE]["aws_secret_access_key"])
    except (OSError, ValueError, KeyError, configparser.Error):
        return None


def ensure_control_token(state: Path) -> str:
    """The token with which the control endpoints may be told to change something; made where there is none."""
    path = state / TOKEN
    if not path.exists():
        _write(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()


def _write(path: Path, text: str) -> None:
    """The whole file or none, readable by its owner alone from the first byte on."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
