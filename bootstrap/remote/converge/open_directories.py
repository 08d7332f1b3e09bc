"""Directories that are held open: root works in them by their descriptors, and never follows a link.

In folders of the user jenkins, a build may make a link, or another folder, at any moment: a path that was checked may lead
elsewhere when it is used. So every path is opened name by name from the machine's root, each directory inside of the one
before; a link on the way is refused, and mode and owner are set by the descriptor.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Self

from bootstrap.remote.converge.core import Context, Failed

SetAttributes = Callable[[int], None]
"""Sets mode and owner of an open file or directory by its descriptor."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: a pipe instead of the file would block its reader for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def keep_attributes(_descriptor: int) -> None:
    """Set nothing: a new directory belongs to root and has the mode 0755."""


class Folder:
    """An open directory; `path` is its name in messages, and is never opened."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor, self.path = descriptor, path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def enter(self, name: str) -> Folder:
        """The directory `name` in this one; FileNotFoundError if there is none, Failed for anything else."""
        path = self.path / name
        try:
            return Folder(os.open(_check_name(name), _DIRECTORY, dir_fd=self.descriptor), path)
        except FileNotFoundError:
            raise
        except OSError as error:
            status = self.status(name)
            if status is None or stat.S_ISDIR(status.st_mode):
                raise
            found = "a link, which is not followed" if stat.S_ISLNK(status.st_mode) else "no directory"
            raise Failed(f"{path} is {found}") from error

    def enter_or_make(self, name: str, set_attributes: SetAttributes = keep_attributes) -> Folder:
        """The directory `name` in this one; if there is none, it is made and gets its attributes."""
        try:
            return self.enter(name)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # another process made it just now: it is opened in the same way
                os.mkdir(name, 0o755, dir_fd=self.descriptor)
            folder = self.enter(name)
            set_attributes(folder.descriptor)
            return folder

    @contextlib.contextmanager
    def descend(self, names: Sequence[str], set_attributes: SetAttributes | None = None) -> Iterator[Folder]:
        """The directory at the end of `names`; with `set_attributes`, missing ones are made."""
        with contextlib.ExitStack() as open_folders:
            folder = self
            for name in names:
                deeper = folder.enter(name) if set_attributes is None else folder.enter_or_make(name, set_attributes)
                folder = open_folders.enter_context(deeper)
            yield folder

    def status(self, name: str) -> os.stat_result | None:
        """The status of `name`, of a link itself; None if there is nothing."""
        try:
            return os.stat(_check_name(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open_file(self, name: str) -> BufferedReader | None:
        """Open the regular file `name` for reading; None if there is something else, or nothing."""
        try:
            descriptor = os.open(_check_name(name), _READ, dir_fd=self.descriptor)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return os.fdopen(descriptor, "rb")

    def create_file(self, name: str) -> BufferedWriter:
        """Create a file that only root can read until it gets its attributes; FileExistsError if the name is taken."""
        return os.fdopen(os.open(_check_name(name), _CREATE, 0o600, dir_fd=self.descriptor), "wb")

    def rename(self, name: str, new: str) -> None:
        """Rename `name` to `new`, and replace what has that name."""
        os.rename(_check_name(name), _check_name(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def link(self, name: str, new: str) -> None:
        """Make a hard link `new` to `name`, also if that is a symbolic link."""
        there = {"src_dir_fd": self.descriptor, "dst_dir_fd": self.descriptor}
        os.link(_check_name(name), _check_name(new), follow_symlinks=False, **there)

    def unlink(self, name: str) -> None:
        """Remove the file or link `name`, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_check_name(name), dir_fd=self.descriptor)

    def remove_directory(self, name: str) -> None:
        """Remove the empty directory `name`, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(_check_name(name), dir_fd=self.descriptor)

    def remove_tree(self, name: str) -> None:
        """Remove the directory `name` with its content; no link is followed."""
        shutil.rmtree(_check_name(name), dir_fd=self.descriptor)

    def names(self) -> list[str]:
        """The sorted names of the directory's content."""
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 -- by a descriptor


def free_name(name: str) -> str:
    """A temporary name for `name` that nobody can predict."""
    return f".{name}.{secrets.token_hex(8)}"


@contextlib.contextmanager
def open_folder(context: Context, path: Path, set_attributes: SetAttributes | None = None) -> Iterator[Folder]:
    """Hold the directory `path` of the machine open; with `set_attributes`, it and those above it are made if they are missing.

    FileNotFoundError if it is missing and not made; Failed if a link or a file is on the way.
    """
    root = os.open(context.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with Folder(root, context.root) as top, top.descend(path.relative_to(context.root).parts, set_attributes) as folder:
        yield folder


@contextlib.contextmanager
def open_parent(context: Context, path: Path) -> Iterator[Folder | None]:
    """Hold the parent directory of `path` open for a comparison; None if it is missing."""
    with contextlib.ExitStack() as open_folders:
        try:
            folder = open_folders.enter_context(open_folder(context, path.parent))
        except FileNotFoundError:
            folder = None
        yield folder


def _check_name(name: str) -> str:
    """Refuse a name that leads to another directory."""
    if "/" in name or name in {"", ".", ".."}:
        raise Failed(f"'{name}' is not a name in a directory")
    return name
