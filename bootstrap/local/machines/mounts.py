"""Opens folders and mounts by file descriptors, so that no symbolic link is followed below an environment's folder.

Files that a machine can write are not trusted: a path can lead to another file a moment after it was checked. A descriptor
always means the same file.
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
    """One line of mountinfo (proc_pid_mountinfo(5)): number, device, mounted directory of the file system, mount point."""

    number: str
    device: str
    root: str
    point: str


@contextmanager
def open_folder(start: Path, *names: str, make: bool = False) -> Iterator[int]:
    """A descriptor of a folder below `start`, opened name by name; with `make`, missing folders are made.

    FileNotFoundError if it does not exist; NotADirectoryError if one of the names is a link or no folder.
    """
    descriptor = os.open(start, FOLDER)
    try:
        for name in names:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=descriptor)
            inner = open_in(descriptor, name)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def open_in(parent: int, name: str) -> int:
    """A descriptor of a folder in a folder; NotADirectoryError for a link, also for one to a folder."""
    if "/" in name or name in {"", ".", ".."}:
        raise NotADirectoryError(f"'{name}' is not the name of a folder")
    return os.open(name, FOLDER, dir_fd=parent)


def mount_number(descriptor: int) -> str:
    """The number of the mount that a descriptor is in, as in mountinfo."""
    text = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("mnt_id:"))


def is_mount_point(parent: int, name: str) -> bool:
    """Whether a folder in another folder is a mount point; False if it does not exist."""
    try:
        inner = open_in(parent, name)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return mount_number(inner) != mount_number(parent)
    finally:
        os.close(inner)


def bind(source: int, point: int) -> None:
    """Make a bind mount of one folder at another."""
    _mount(f"/proc/self/fd/{source}", f"/proc/self/fd/{point}", BIND)


def set_propagation(descriptor: int, kind: int) -> None:
    """Set whether later mounts in this mount also appear elsewhere: PRIVATE or SHARED."""
    _mount(None, f"/proc/self/fd/{descriptor}", kind)


def unmount(parent: int, name: str) -> None:
    """Unmount a mount point in a folder, even if it is in use; a link of that name is not followed."""
    path = os.fsencode(f"/proc/self/fd/{parent}/{name}")
    _raise_if_failed(_load_libc().umount2(path, _DETACH | _NOFOLLOW), name)


def make_point(parent: int, name: str) -> None:
    """Make an empty folder as a mount point; a file or link of that name is replaced."""
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
            os.mkdir(name, 0o755, dir_fd=parent)


def parse_mountinfo(text: str) -> list[Mount]:
    """The mounts of a mountinfo file, innermost last; invalid lines are skipped."""
    rows = [line.split(" ") for line in text.splitlines()]
    return [Mount(row[0], row[2], _unescape(row[3]), _unescape(row[4])) for row in rows if len(row) >= _FIELDS]


def _unescape(path: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, sign)
    return path


def _mount(source: str | None, point: str, flags: int) -> None:
    _raise_if_failed(
        _load_libc().mount(source and source.encode(), point.encode(), None, ctypes.c_ulong(flags), None), point
    )


def _load_libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _raise_if_failed(result: int, name: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
