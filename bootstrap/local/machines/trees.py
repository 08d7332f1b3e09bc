"""Trees of files that a machine has written: given to other ids, or removed, whatever is in them.

Every step goes from a descriptor to a name in it, no link is followed, no mount is entered, and no depth is too deep. Going up,
the folder must be the one that was left: a tree that somebody moves meanwhile is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import ids, mounts

_READ = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SETTING_IDS = stat.S_ISUID | stat.S_ISGID

Handle = Callable[[int, str, os.stat_result], None]


@dataclass
class _Level:
    """A folder on the way down: its name, which one it is, and the names in it that are still to come."""

    name: str
    identity: tuple[int, int]
    names: list[str]


def give(parent: int, name: str, first: int) -> None:
    """Give a tree to the range of ids that begins at `first`: each id keeps its last 16 bits, so it stays the same inside.

    The tree's own folder is given last, and a tree whose folder has been given is left alone: it may be in use.
    """
    seen = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if (seen.st_uid, seen.st_gid) == (ids.inside(seen.st_uid, first), ids.inside(seen.st_gid, first)):
        return

    def give_one(folder: int, each: str, status: os.stat_result) -> None:
        _give(folder, each, status, first)

    _walk(parent, name, give_one, f"giving {name} to the ids of the environment's machines")


def remove(parent: int, name: str) -> None:
    """Remove a tree; one that is not there is fine."""

    def remove_one(folder: int, each: str, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(each, dir_fd=folder)
        else:
            os.unlink(each, dir_fd=folder)

    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    _walk(parent, name, remove_one, f"removing {name}")


def _give(folder: int, name: str, seen: os.stat_result, first: int) -> None:
    user, group = ids.inside(seen.st_uid, first), ids.inside(seen.st_gid, first)
    if (user, group) == (seen.st_uid, seen.st_gid):
        return
    os.chown(name, user, group, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISREG(seen.st_mode) and seen.st_mode & _SETTING_IDS:  # the kernel takes these bits away with the owner
        file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{file}", stat.S_IMODE(seen.st_mode))  # noqa: PTH101
        finally:
            os.close(file)


def _walk(parent: int, name: str, handle: Handle, doing: str) -> None:
    """Call `handle` for everything in the tree, what is in a folder before the folder, and for the tree itself last."""
    try:
        _walk_down(parent, name, handle)
    except OSError as error:
        remedy = "Look for processes and mounts that still use it, then run the command again."
        raise LocalCloudFailed(doing, f"{error.strerror or error}: {error.filename or name}", remedy) from error


def _walk_down(parent: int, name: str, handle: Handle) -> None:
    seen = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(seen.st_mode):
        handle(parent, name, seen)
        return
    mount = mounts.mount_number(parent)
    here = os.dup(parent)
    stack = [_Level("", _identity(here), [name])]
    try:
        while True:
            level = stack[-1]
            if level.names:
                each = level.names.pop()
                seen = os.stat(each, dir_fd=here, follow_symlinks=False)
                if not stat.S_ISDIR(seen.st_mode):
                    handle(here, each, seen)
                    continue
                here = _step(here, os.open(each, _READ, dir_fd=here))
                if mounts.mount_number(here) != mount:
                    raise OSError(0, "something is mounted there", each)
                stack.append(_Level(each, _identity(here), os.listdir(here)))  # noqa: PTH208
                continue
            stack.pop()
            if not stack:
                return
            here = _step(here, os.open("..", _READ, dir_fd=here))
            if _identity(here) != stack[-1].identity:
                raise OSError(0, "it was moved meanwhile", level.name)
            handle(here, level.name, os.stat(level.name, dir_fd=here, follow_symlinks=False))
    finally:
        os.close(here)


def _step(before: int, after: int) -> int:
    os.close(before)
    return after


def _identity(descriptor: int) -> tuple[int, int]:
    seen = os.fstat(descriptor)
    return seen.st_dev, seen.st_ino
