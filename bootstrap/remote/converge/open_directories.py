"""Directories that are held open: what root does in one is done by its descriptor, and no link is ever followed.

Below folders of the user jenkins a build may put a link, or another folder, at any moment. A path that was looked at and is
then used again may lead elsewhere by now. So every path is walked name by name from the machine's root, each directory is
opened inside of the one before, a link on the way is refused, and mode and owner are given to what is open.
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

Dress = Callable[[int], None]
"""What gives mode and owner to what is open, by its descriptor."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: a pipe in a file's place would hold its reader up for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def leave_as_made(_descriptor: int) -> None:
    """Give nothing: a new directory is root's, with the mode 0755."""


class Folder:
    """An open directory; `path` is what it is called in messages, and nothing is opened by it."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor, self.path = descriptor, path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def enter(self, name: str) -> Folder:
        """The directory `name` in this one; FileNotFoundError where there is none, Failed for a link or another thing."""
        path = self.path / name
        try:
            return Folder(os.open(_checked(name), _DIRECTORY, dir_fd=self.descriptor), path)
        except FileNotFoundError:
            raise
        except OSError as error:
            status = self.status(name)
            if status is None or stat.S_ISDIR(status.st_mode):
                raise
            found = "a link, which is not followed" if stat.S_ISLNK(status.st_mode) else "no directory"
            raise Failed(f"{path} is {found}") from error

    def enter_or_make(self, name: str, dress: Dress = leave_as_made) -> Folder:
        """The directory `name` in this one, made and dressed where there is none."""
        try:
            return self.enter(name)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # made by another in this moment: it is opened as carefully
                os.mkdir(name, 0o755, dir_fd=self.descriptor)
            folder = self.enter(name)
            dress(folder.descriptor)
            return folder

    @contextlib.contextmanager
    def descend(self, names: Sequence[str], dress: Dress | None = None) -> Iterator[Folder]:
        """The directory at the end of `names`; with `dress`, those that are missing are made."""
        with contextlib.ExitStack() as held:
            folder = self
            for name in names:
                deeper = folder.enter(name) if dress is None else folder.enter_or_make(name, dress)
                folder = held.enter_context(deeper)
            yield folder

    def status(self, name: str) -> os.stat_result | None:
        """What stands at `name`, itself and not what a link says; None where there is nothing."""
        try:
            return os.stat(_checked(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open_file(self, name: str) -> BufferedReader | None:
        """The plain file `name`, for reading; None where something else, or nothing, stands there."""
        try:
            descriptor = os.open(_checked(name), _READ, dir_fd=self.descriptor)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return os.fdopen(descriptor, "rb")

    def create_file(self, name: str) -> BufferedWriter:
        """A new file, root's alone until it is dressed; FileExistsError where anything stands there."""
        return os.fdopen(os.open(_checked(name), _CREATE, 0o600, dir_fd=self.descriptor), "wb")

    def rename(self, name: str, new: str) -> None:
        """Give `name` the name `new`, in the place of what has it."""
        os.rename(_checked(name), _checked(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def link(self, name: str, new: str) -> None:
        """A second name for what stands at `name`, link or not."""
        there = {"src_dir_fd": self.descriptor, "dst_dir_fd": self.descriptor}
        os.link(_checked(name), _checked(new), follow_symlinks=False, **there)

    def unlink(self, name: str) -> None:
        """Remove the file or link `name`, where there is one."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_checked(name), dir_fd=self.descriptor)

    def remove_directory(self, name: str) -> None:
        """Remove the empty directory `name`, where there is one."""
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(_checked(name), dir_fd=self.descriptor)

    def remove_tree(self, name: str) -> None:
        """Remove the directory `name` with all it holds; a link in its place, or below it, is not followed."""
        shutil.rmtree(_checked(name), dir_fd=self.descriptor)

    def names(self) -> list[str]:
        """The names of all that is in here, sorted."""
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 -- by a descriptor


def free_name(name: str) -> str:
    """A name beside `name` that nobody can foresee."""
    return f".{name}.{secrets.token_hex(8)}"


@contextlib.contextmanager
def open_folder(context: Context, path: Path, dress: Dress | None = None) -> Iterator[Folder]:
    """The directory `path` of the machine, held open; with `dress`, it and those above it are made where they are missing.

    FileNotFoundError where it is missing and not to be made; Failed where a link or something else is on the way.
    """
    root = os.open(context.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with Folder(root, context.root) as top, top.descend(path.relative_to(context.root).parts, dress) as folder:
        yield folder


@contextlib.contextmanager
def open_parent(context: Context, path: Path) -> Iterator[Folder | None]:
    """The directory in which `path` stands, for a look; None where it is missing."""
    with contextlib.ExitStack() as held:
        try:
            folder = held.enter_context(open_folder(context, path.parent))
        except FileNotFoundError:
            folder = None
        yield folder


def _checked(name: str) -> str:
    """One name, which leads nowhere else."""
    if "/" in name or name in {"", ".", ".."}:
        raise Failed(f"'{name}' is no name in a directory")
    return name
