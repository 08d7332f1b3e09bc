"""The operations of a node on the files of a build: on the controller, or on an agent with the rights of its user."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from .patterns import select


def make_folder(path: str) -> None:
    """Make a directory, and those above it."""
    Path(path).mkdir(parents=True, exist_ok=True)


def find_kind(path: str) -> str:
    """'directory', 'file', or '' for nothing, and for what this user may not see."""
    return "directory" if os.path.isdir(path) else "file" if os.path.exists(path) else ""  # noqa: PTH110, PTH112


def read_file(path: str) -> bytes:
    """Read a file's content."""
    return Path(path).read_bytes()


def write_file(path: str, content: bytes, mode: int) -> None:
    """Write a file, with the directories above it; `mode` is that of a new one, from the start."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
        stream.write(content)


def make_scratch(prefix: str) -> str:
    """Make a directory that only the node's user may enter; a prefix with a slash is its path."""
    if "/" not in prefix:
        return mkdtemp(prefix=prefix)
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    Path(prefix).mkdir(mode=0o700)
    return prefix


def remove(path: str) -> None:
    """Remove a file, or a directory with its content; what cannot be removed stays."""
    if Path(path).is_dir() and not Path(path).is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        Path(path).unlink(missing_ok=True)


def select_files(path: str, includes: str, excludes: str) -> list[str]:
    """The names of the files below a directory that match patterns."""
    return select(Path(path), includes, excludes)


def list_folder(path: str) -> list[dict[str, Any]]:
    """All that lies below a directory: paths (those of directories end in a slash), lengths and times."""
    entries: list[dict[str, Any]] = []
    for entry in sorted(Path(path).rglob("*")):
        is_folder = os.path.isdir(entry)  # noqa: PTH112
        try:
            known = entry.lstat()
        except OSError:
            continue
        entries.append(
            {
                "path": entry.relative_to(path).as_posix() + ("/" if is_folder else ""),
                "length": 0 if is_folder else known.st_size,
                "directory": is_folder,
                "modified": int(known.st_mtime * 1000),
            }
        )
    return entries


def pack_files(path: str, names: list[str], is_followed: bool) -> bytes:
    """An archive of the files with these names; with `is_followed`, it has the targets of links instead of the links."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", dereference=is_followed) as archive:
        for name in names:
            archive.add(Path(path, name), name)
    return content.getvalue()


def unpack_files(path: str, content: bytes) -> None:
    """Unpack an archive into a directory; members and links that lead outside of it are refused."""
    Path(path).mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(path, filter="data")


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(make_folder, find_kind, read_file, write_file, make_scratch),
        *(remove, list_folder, select_files, pack_files, unpack_files),
    )
}
