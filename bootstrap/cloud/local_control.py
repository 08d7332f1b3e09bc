"""The control endpoints of the local cloud, which AWS does not have, and the keys of its operator.

Keys and token are in the folder of the environment's local cloud; only root can read it. Programs on a machine of that cloud
have neither; they have the IAM role of the machine.
"""

from __future__ import annotations

import configparser
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

_SECONDS = 30.0
_HEALTH_SECONDS = 3.0


def ask_control(
    endpoint: str | None, path: str, method: str = "GET", token: str | None = None
) -> dict[str, Any] | None:
    """The answer of the control endpoint at `path`, a JSON object; None if another cloud answers, or none.

    A request that changes something needs the `token`.
    """
    if endpoint is None:
        return None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(endpoint.rstrip("/") + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            content = json.load(answer)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def read_endpoint(folder: Path) -> str | None:
    """The URL of the local cloud of the folder, which need not run; None before its first start."""
    try:
        return f"http://127.0.0.1:{int((folder / 'port').read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return None


def is_answering(endpoint: str) -> bool:
    """Whether a local cloud runs at the endpoint; one that hangs in a call runs, too."""
    try:
        urllib.request.urlopen(f"{endpoint}/_bootstrap/health", timeout=_HEALTH_SECONDS).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def read_keys(endpoint: str | None, folder: Path) -> tuple[str, str] | None:
    """The operator's access key and secret key; None if `endpoint` is not the local cloud of `folder`."""
    if not _is_of(endpoint, folder):
        return None
    parser = configparser.RawConfigParser()
    try:
        parser.read_string((folder / "credentials").read_text(encoding="ascii"))
        return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]
    except (OSError, ValueError, KeyError, configparser.Error):
        return None


def read_token(endpoint: str | None, folder: Path) -> str | None:
    """The token for control endpoints that change something; None if `endpoint` is not the local cloud of `folder`."""
    token = _read(endpoint, folder / "control-token")
    return token.strip() if token is not None else None


def read_mail_password(endpoint: str | None, folder: Path) -> str | None:
    """The password of the cloud's mail server; None if `endpoint` is not the local cloud of `folder`, or takes no mail."""
    return _read(endpoint, folder / "mail-password")


def read_mail_authority(endpoint: str | None, folder: Path) -> str | None:
    """The certificate, in PEM, of the authority that the cloud's mail server is trusted by; None as above."""
    return _read(endpoint, folder / "mail-authority.crt")


def _read(endpoint: str | None, path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii") if _is_of(endpoint, path.parent) else None
    except (OSError, ValueError):
        return None


def _is_of(endpoint: str | None, folder: Path) -> bool:
    """Whether the endpoint is the local cloud of the folder."""
    own = read_endpoint(folder)
    try:
        return own is not None and urllib.parse.urlsplit(endpoint or "")[:2] == urllib.parse.urlsplit(own)[:2]
    except ValueError:
        return False
