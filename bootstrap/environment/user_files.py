"""Files of a person that a command rewrites: the lock, its table of needs, an environment file, a plan, a profile of AWS.

One rule for all: a file that is read-only is refused, also for root and also where the folder would let somebody replace it,
because its owner said so. Otherwise a rewritten file keeps its mode, and a link stays a link.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def find_obstacle(path: Path) -> str | None:
    """Why this user must not rewrite the file, for an error; None if nothing forbids it, or there is no such file yet."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if not mode & _WRITE_BITS:
        return f"{path} is read-only (mode {stat.S_IMODE(mode):04o})"
    return None if os.access(path, os.W_OK) else f"{path} may not be written by this user"


def advise(path: Path) -> str:
    """What to try where `find_obstacle` found something."""
    return f"If it may change, run: chmod u+w {path}   Or run this as the user who may write it. Nothing was written."


def replace_text(path: Path, text: str) -> None:
    """Write a file that exists, whole or not at all; its mode stays, and of a link the target is replaced."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(stat.S_IMODE(path.stat().st_mode))
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
