"""What the cloud on this machine tells beside the APIs of AWS (its control endpoints), and the keys of its operator.

AWS itself tells nothing of the kind. Keys and token lie in the folder of the environment's cloud, for root alone: who runs on a
machine of that cloud has neither, and is who its IAM role says.
"""

from __future__ import annotations

import configparser
import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

_SECONDS = 30.0


def ask(endpoint: str | None, path: str, method: str = "GET", token: str | None = None) -> dict[str, Any] | None:
    """The answer of the control endpoint at `path`, a JSON object; None where another cloud answers, or nobody.

    What changes something is done for whoever has the `token`.
    """
    if endpoint is None:
        return None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(endpoint.rstrip("/") + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:
            told = json.load(answer)
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def read_keys(endpoint: str | None, folder: Path) -> tuple[str, str] | None:
    """The operator's access key and its secret, where the cloud of `folder` is the one that answers at `endpoint`."""
    if not _is_of(endpoint, folder):
        return None
    parser = configparser.RawConfigParser()
    try:
        parser.read_string((folder / "credentials").read_text(encoding="ascii"))
        return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]
    except (OSError, ValueError, KeyError, configparser.Error):
        return None


def read_token(endpoint: str | None, folder: Path) -> str | None:
    """What the control endpoints want to see before they change something."""
    try:
        return (folder / "control-token").read_text(encoding="ascii").strip() if _is_of(endpoint, folder) else None
    except (OSError, ValueError):
        return None


def _is_of(endpoint: str | None, folder: Path) -> bool:
    """Whether the endpoint is that of this machine's cloud in the folder, and not that of another one."""
    try:
        parts = urllib.parse.urlsplit(endpoint or "")
        return parts.hostname == "127.0.0.1" and parts.port == int((folder / "port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
