"""Changes the owner of file trees that a machine has written, or removes them, whatever they contain.

Every step opens a name relative to a descriptor. No link is followed, no mount is entered, and the depth is not limited. On the
way up, each folder must be the one from the way down: a tree that is moved meanwhile is refused.
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
    """A folder on the way down: its name, its device and inode, and the names in it that are not handled yet."""

    name: str
    identity: tuple[int, int]
    names: list[str]


def give(parent: int, name: str, first: int) -> None:
    """Change the owners in a tree to the range of ids from `first`; the last 16 bits, the ids inside of a machine, stay.

    The folder of the tree itself is changed last. If it has the right owner already, nothing is changed, because the tree may
    be in use. LocalCloudFailed if the kernel refuses.
    """
    seen = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if (seen.st_uid, seen.st_gid) == (ids.shift_id(seen.st_uid, first), ids.shift_id(seen.st_gid, first)):
        return

    def give_one(folder: int, each: str, status: os.stat_result) -> None:
        _give_entry(folder, each, status, first)

    _walk(parent, name, give_one, f"giving {name} to the ids of the environment's machines")


def remove(parent: int, name: str) -> None:
    """Remove a tree, if it exists; LocalCloudFailed if the kernel refuses."""

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


def _give_entry(folder: int, name: str, status: os.stat_result, first: int) -> None:
    user, group = ids.shift_id(status.st_uid, first), ids.shift_id(status.st_gid, first)
    if (user, group) == (status.st_uid, status.st_gid):
        return
    os.chown(name, user, group, dir_fd=folder, follow_symlinks=False)
    # The kernel removes these bits when the owner changes.
    if stat.S_ISREG(status.st_mode) and status.st_mode & _SETTING_IDS:
        file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{file}", stat.S_IMODE(status.st_mode))  # noqa: PTH101
        finally:
            os.close(file)


def _walk(parent: int, name: str, handle: Handle, doing: str) -> None:
    """Call `handle` for every entry of the tree: the content of a folder before the folder, and the tree itself last."""
    try:
        _walk_down(parent, name, handle)
    except OSError as error:
        remedy = "Look for processes and mounts that still use it, then run the command again."
        raise LocalCloudFailed(doing, f"{error.strerror or error}: {error.filename or name}", remedy) from error


def _walk_down(parent: int, name: str, handle: Handle) -> None:
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode):
        handle(parent, name, status)
        return
    mount = mounts.mount_number(parent)
    folder = os.dup(parent)
    stack = [_Level("", _read_identity(folder), [name])]
    try:
        while True:
            level = stack[-1]
            if level.names:
                entry = level.names.pop()
                status = os.stat(entry, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    handle(folder, entry, status)
                    continue
                folder = _step_down(folder, os.open(entry, _READ, dir_fd=folder))
                if mounts.mount_number(folder) != mount:
                    raise OSError(0, "something is mounted there", entry)
                stack.append(_Level(entry, _read_identity(folder), os.listdir(folder)))  # noqa: PTH208
                continue
            stack.pop()
            if not stack:
                return
            folder = _step_down(folder, os.open("..", _READ, dir_fd=folder))
            if _read_identity(folder) != stack[-1].identity:
                raise OSError(0, "it was moved meanwhile", level.name)
            handle(folder, level.name, os.stat(level.name, dir_fd=folder, follow_symlinks=False))
    finally:
        os.close(folder)


def _step_down(before: int, after: int) -> int:
    os.close(before)
    return after


def _read_identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
