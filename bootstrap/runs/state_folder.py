"""The folder `.bootstrap` of this checkout. Only its owner may read it.

It has journals, the stored state of the local cloud with its secrets, and bundles of the code. The modes of folders below the
local cloud's own folder are not changed: there are volumes, whose modes the machines set.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import Missing

_OWNERS_ALONE = 0o700


def make_private(folder: Path) -> None:
    """Make the folder with mode 0700; a folder with another mode is changed, with the folders below it. Missing if that fails.

    If root makes it in another user's checkout, it belongs to that user, who may have environments that need no root.

    If the folder has mode 0700 already, the folders below are not checked: nobody else can reach them, and the check takes
    time.
    """
    try:
        make(folder)
        checkout = folder.parent.stat()
        if os.geteuid() == 0 and folder.lstat().st_uid == 0 != checkout.st_uid:
            os.chown(folder, checkout.st_uid, checkout.st_gid, follow_symlinks=False)
        if _is_wide(folder):
            # The folder itself is last: if this process is killed meanwhile, the next run checks all folders again.
            for path in (*_list_below(folder), folder):
                if _is_wide(path):
                    path.chmod(_OWNERS_ALONE)
    except OSError as error:
        raise Missing(
            f"keeping {folder} from other users",
            str(error),
            f"Run this as the user whose folder it is, or make it yours: chown -R {os.getuid()} {folder}",
        ) from error


def require_access(folder: Path, environment: str) -> None:
    """Missing if another user, mostly root, used the environment from this checkout: only that user may read its folders."""
    owner = find_other_owner(folder, environment)
    if owner is not None:
        raise Missing(
            f"opening the environment '{environment}' as {_name(os.geteuid())}",
            f"{owner.user} used it from this checkout before: {owner.path} belongs to {owner.user} alone",
            owner.remedy,
        )


@dataclass(frozen=True)
class Owner:
    """Another user to whom a path of an environment belongs."""

    path: Path
    user: str

    @property
    def remedy(self) -> str:
        """What to try: as that user, or in another checkout."""
        way = "with sudo" if self.user == "root" else f"as {self.user}"
        return f"Run the command {way}, or use a checkout of your own."


def find_other_owner(folder: Path, environment: str) -> Owner | None:
    """Whose the environment is, if this user may not use it; None for root, and before the first launch."""
    if os.geteuid() == 0:
        return None
    own = folder / environment
    for path in (folder, own, own / "cloud", own / "runs", own / "lock"):
        try:
            user = path.lstat().st_uid
        except FileNotFoundError:
            continue
        except PermissionError:
            break  # the folder above it was this user's, and may not be searched: `make_private` tells that
        if user != os.geteuid():
            return Owner(path, _name(user))
    return None


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def make(folder: Path) -> None:
    """Make a folder and its missing parents, each with mode 0700."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=_OWNERS_ALONE, exist_ok=True)


def _is_wide(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) != _OWNERS_ALONE


def _list_below(folder: Path) -> Iterator[Path]:
    """The folders of the environments, their subfolders, and the folders of their runs."""
    for environment in _list_folders(folder):
        yield environment
        for part in _list_folders(environment):
            yield part
            if part.name == "runs":
                yield from _list_folders(part)


def _list_folders(folder: Path) -> list[Path]:
    return [Path(each) for each in os.scandir(folder) if each.is_dir(follow_symlinks=False)]
