"""The number of the format in which a cloud's state is kept, and the moto that wrote it: another one cannot be taken up.

The journal holds requests, not their results: with another moto, or read in another way, the same requests make other ids.
So a state of another kind is refused before anything of it is touched. FORMAT goes up when the meaning of journal or stack
files changes; a state from before the number was written is of format 1.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

FORMAT = 1
NAME = "format.json"


def claim(state: Path) -> None:
    """Mark a new state directory with the format, or check an old one's; raises LocalCloudFailed."""
    path = state / NAME
    mine = {"format": FORMAT, "moto": importlib.metadata.version("moto")}
    if not path.exists():
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            out.write(json.dumps(mine))
        part.replace(path)
        return
    try:
        found = json.loads(path.read_text())
    except ValueError:
        found = {}
    if found != mine:
        raise LocalCloudFailed(
            f"opening the local cloud's state in {state}",
            f"it was written by another version of the local cloud ({_words(found)}; this one: {_words(mine)})",
            "Destroy the environment with the version of this repository that made it (git log shows the versions), or, where "
            f"nothing in it is needed, remove its containers and the directory {state}, and launch anew.",
        )


def _words(kind: object) -> str:
    said = kind if isinstance(kind, dict) else {}
    return f"format {said.get('format', 'unknown')}, moto {said.get('moto', 'unknown')}"
