"""`.bootstrap`, where this checkout keeps what it must remember: its owner's alone.

Journals tell what was changed, the local cloud's memory holds secrets, a bundle the code. The local cloud's own folders are its
business: below them lie volumes, whose modes are those of the machines that write there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bootstrap.errors import Missing

_OWNERS_ALONE = 0o700


def make_private(folder: Path) -> None:
    """Make the folder, for its owner alone; one that is wider is narrowed with those below it. Missing where that is refused.

    Below a folder that is narrow already nobody else gets anywhere, so no command pays for a look at all the runs.
    """
    try:
        make(folder)
        if _is_wide(folder):
            for each in (*_below(folder), folder):  # itself last: a killed run is gone on from
                if _is_wide(each):
                    each.chmod(_OWNERS_ALONE)
    except OSError as error:
        raise Missing(
            f"keeping {folder} from other users",
            str(error),
            f"Run this as the user whose folder it is, or make it yours: chown -R {os.getuid()} {folder}",
        ) from error


def make(folder: Path) -> None:
    """Make a folder, and those above it that are missing, each for its owner alone."""
    for each in reversed([it for it in (folder, *folder.parents) if not it.exists()]):
        each.mkdir(mode=_OWNERS_ALONE, exist_ok=True)


def _is_wide(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) != _OWNERS_ALONE


def _below(folder: Path) -> Iterator[Path]:
    """The environments' folders, what lies in each, and their runs."""
    for environment in _folders(folder):
        yield environment
        for part in _folders(environment):
            yield part
            if part.name == "runs":
                yield from _folders(part)


def _folders(folder: Path) -> list[Path]:
    return [Path(each) for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
