"""The folder `.bootstrap` of this checkout. Only its owner may read it.

It has journals, the stored state of the local cloud with its secrets, and bundles of the code. The modes of folders below the
local cloud's own folder are not changed: there are volumes, whose modes the machines set.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bootstrap.errors import Missing

_OWNERS_ALONE = 0o700


def make_private(folder: Path) -> None:
    """Make the folder with mode 0700; a folder with another mode is changed, with the folders below it. Missing if that fails.

    If the folder has mode 0700 already, the folders below are not checked: nobody else can reach them, and the check takes
    time.
    """
    try:
        make(folder)
        if _is_wide(folder):
            # The folder itself is last: if this process is killed meanwhile, the next run checks all folders again.
            for path in (*_below(folder), folder):
                if _is_wide(path):
                    path.chmod(_OWNERS_ALONE)
    except OSError as error:
        raise Missing(
            f"keeping {folder} from other users",
            str(error),
            f"Run this as the user whose folder it is, or make it yours: chown -R {os.getuid()} {folder}",
        ) from error


def make(folder: Path) -> None:
    """Make a folder and its missing parents, each with mode 0700."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=_OWNERS_ALONE, exist_ok=True)


def _is_wide(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) != _OWNERS_ALONE


def _below(folder: Path) -> Iterator[Path]:
    """The folders of the environments, their subfolders, and the folders of their runs."""
    for environment in _folders(folder):
        yield environment
        for part in _folders(environment):
            yield part
            if part.name == "runs":
                yield from _folders(part)


def _folders(folder: Path) -> list[Path]:
    return [Path(each) for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
