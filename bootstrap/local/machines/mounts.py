"""Folders by descriptors and mounts by descriptors: no link is ever followed below an environment's folder.

Whatever a machine can write, this side treats as hostile. A path that was looked at may lead elsewhere a moment later; a
descriptor stays what it is.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MOUNTINFO = Path("/proc/self/mountinfo")
# mount(2) and umount2(2)
BIND, PRIVATE, SHARED = 0x1000, 1 << 18, 1 << 20
_DETACH, _NOFOLLOW = 0x2, 0x8
_FIELDS = 5


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo (proc_pid_mountinfo(5)): its number, the file system, the directory of it shown, and where."""

    number: str
    device: str
    root: str
    point: str


@contextmanager
def folder(start: Path, *names: str, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder below `start` that these names lead to, step by step; made where `make`.

    FileNotFoundError where it is not there; NotADirectoryError where a link, or anything but a folder, is in the way.
    """
    here = os.open(start, FOLDER)
    try:
        for name in names:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=here)
            inner = open_in(here, name)
            os.close(here)
            here = inner
        yield here
    finally:
        os.close(here)


def open_in(parent: int, name: str) -> int:
    """A descriptor of a folder in a folder; NotADirectoryError for a link, even one to a folder."""
    if "/" in name or name in {"", ".", ".."}:
        raise NotADirectoryError(f"'{name}' is no name of a folder")
    return os.open(name, FOLDER, dir_fd=parent)


def mount_number(descriptor: int) -> str:
    """The mount that a descriptor lies in, as mountinfo numbers it."""
    text = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("mnt_id:"))


def is_mount_point(parent: int, name: str) -> bool:
    """Whether something is mounted at a folder's place in another; no folder there is no mount."""
    try:
        inner = open_in(parent, name)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return mount_number(inner) != mount_number(parent)
    finally:
        os.close(inner)


def bind(source: int, point: int) -> None:
    """Show one folder at the place of another."""
    _mount(f"/proc/self/fd/{source}", f"/proc/self/fd/{point}", BIND)


def set_propagation(descriptor: int, kind: int) -> None:
    """Whether mounts made in this mount appear elsewhere: PRIVATE or SHARED."""
    _mount(None, f"/proc/self/fd/{descriptor}", kind)


def unmount(parent: int, name: str) -> None:
    """Take away what is mounted at a name in a folder, though it is used; a link of that name is not followed."""
    path = os.fsencode(f"/proc/self/fd/{parent}/{name}")
    _judge(_libc().umount2(path, _DETACH | _NOFOLLOW), name)


def make_point(parent: int, name: str) -> None:
    """An empty folder to mount at, in place of anything else that is called so."""
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
            os.mkdir(name, 0o755, dir_fd=parent)


def parse_mountinfo(text: str) -> list[Mount]:
    """The mounts of a mountinfo file, innermost last; lines that are none are left out."""
    rows = [line.split(" ") for line in text.splitlines()]
    return [Mount(row[0], row[2], _unescaped(row[3]), _unescaped(row[4])) for row in rows if len(row) >= _FIELDS]


def _unescaped(path: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, sign)
    return path


def _mount(source: str | None, point: str, flags: int) -> None:
    _judge(_libc().mount(source and source.encode(), point.encode(), None, ctypes.c_ulong(flags), None), point)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _judge(answer: int, name: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
