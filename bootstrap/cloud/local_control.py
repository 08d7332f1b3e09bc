"""What the cloud on this machine tells beside the APIs of AWS (its control endpoints); AWS itself tells nothing of the kind."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

_SECONDS = 30.0


def ask(endpoint: str | None, path: str, method: str = "GET") -> dict[str, Any] | None:
    """The answer of the control endpoint at `path`, a JSON object; None where another cloud answers, or nobody."""
    if endpoint is None:
        return None
    asked = urllib.request.Request(endpoint.rstrip("/") + path, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:
            told = json.load(answer)
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
