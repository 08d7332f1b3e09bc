"""Checks that a state directory has the format of this version of the local cloud and was written with the same moto.

The journal has requests, not their results. With another version of moto, or with another meaning of the journal, the same
requests would make other ids. So a state of another format or moto is refused before anything in it is changed. FORMAT is
raised when the meaning of the journal or of the stack files changes. A directory without the file gets it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import secrets
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

FORMAT = 2
NAME = "format.json"


def ensure_format(state: Path) -> None:
    """Write the format into the directory `state`, or compare the format that it has.

    Raises LocalCloudFailed if the state has another format or another version of moto, or if the file cannot be parsed.
    """
    path = state / NAME
    expected = {"format": FORMAT, "moto": importlib.metadata.version("moto")}
    if not path.exists():
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            out.write(json.dumps(expected))
        part.replace(path)
        return
    try:
        actual = json.loads(path.read_text())
    except ValueError:
        actual = {}
    if actual != expected:
        raise LocalCloudFailed(
            f"opening the local cloud's state in {state}",
            f"it was written by another version of the local cloud ({_describe(actual)}; this one: {_describe(expected)})",
            "Destroy the environment with the version of this repository that launched it (git log shows the versions). Or, if "
            f"you need nothing in it, remove its containers and the directory {state}, and launch anew.",
        )


def ensure_salt(state: Path) -> str:
    """The secret of this cloud, from which the first ids of each region are drawn; it is made at the first start."""
    path = state / "salt"
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()


def _describe(content: object) -> str:
    values = content if isinstance(content, dict) else {}
    return f"format {values.get('format', 'unknown')}, moto {values.get('moto', 'unknown')}"
