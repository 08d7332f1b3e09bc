"""A folder of many files: files that differ are written, and files that are not listed are removed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.files import DEFAULT_MODE, attribute_differences, set_attributes, write
from bootstrap.remote.converge.open_directories import Folder, SetAttributes, free_name, keep_attributes, open_folder

Entry = Mapping[str, Any]
_BYTE_CODE = "__pycache__"


def tree(context: Context, resource: Resource) -> Finding | None:
    """`files` ({path, sha256 or content, mode}) under `path`; with `archive`, their bytes come from that tar artifact.

    Files that match a pattern of `unlisted` (default all) and are not in `files` are removed. With `once`, a folder that has
    any content is not changed, and an empty one gets all files in one rename: from then on it belongs to others.
    """
    path = context.path(resource["path"])
    if resource.get("once"):
        return _compare_once(context, resource, path)
    listed = {entry["path"]: entry for entry in resource["files"]}
    try:
        with open_folder(context, path) as top:
            differing = [entry for entry in listed.values() if _differs(context, resource, top, entry)]
            unlisted = _find_unlisted(top, listed, resource.get("unlisted", ["*"]))
    except FileNotFoundError:
        return _compare_tree(context, resource, path, "add", list(listed.values()), [])
    if not differing and not unlisted:
        return None
    return _compare_tree(context, resource, path, "alter", differing, unlisted)


def _compare_tree(
    context: Context, resource: Resource, path: Path, kind: str, differing: list[Entry], unlisted: list[str]
) -> Finding:
    def act() -> None:
        with (
            open_folder(context, path.parent, keep_attributes) as parent,
            parent.enter_or_make(path.name, _make_directory_attributes(resource)) as top,
        ):
            _write_files(context, resource, top, differing)
            for name in unlisted:
                _remove(top, PurePosixPath(name).parts)

    count = len(resource["files"])
    detail = f"{len(differing)} of {count} files" + (f", {len(unlisted)} unknown files removed" if unlisted else "")
    return Finding(kind, detail, act, _list_missing_artifacts(context, resource, differing))


def _compare_once(context: Context, resource: Resource, path: Path) -> Finding | None:
    try:
        with open_folder(context, path) as folder:
            if folder.names():
                return None
    except FileNotFoundError:
        pass
    entries = list(resource["files"])

    def act() -> None:
        with open_folder(context, path.parent, keep_attributes) as parent:
            name = free_name(path.name)
            try:
                with parent.enter_or_make(name) as new:
                    os.fchmod(new.descriptor, 0o700)
                    _write_files(context, resource, new, entries)
                    _make_directory_attributes(resource)(new.descriptor)
                parent.rename(name, path.name)
            except BaseException:
                with contextlib.suppress(OSError):
                    parent.remove_tree(name)
                raise

    return Finding(
        "add", f"{len(entries)} files", act, _list_missing_artifacts(context, resource, entries), settles=bool(entries)
    )


def _make_directory_attributes(resource: Resource) -> SetAttributes:
    """Owner and mode of the tree's directories."""
    return lambda descriptor: set_attributes(descriptor, resource, resource.get("directory_mode", "0755"))


def _differs(context: Context, resource: Resource, top: Folder, entry: Entry) -> bool:
    *folders, name = PurePosixPath(entry["path"]).parts
    try:
        with top.descend(folders) as folder:
            stream = folder.open_file(name)
            if stream is None:
                return True
            with stream:
                status = os.fstat(stream.fileno())
                digest = context.digest(folder.path / name, stream)
    except FileNotFoundError:
        return True
    desired = entry["sha256"] if "sha256" in entry else hashlib.sha256(entry["content"].encode()).hexdigest()
    # A file with a second hard link may belong to somebody else: it is replaced, its owner is not changed.
    is_shared = status.st_nlink > 1
    return (
        is_shared or digest != desired or bool(attribute_differences(status, resource, entry.get("mode", DEFAULT_MODE)))
    )


def _find_unlisted(top: Folder, listed: Mapping[str, Any], patterns: list[str]) -> list[str]:
    """Files that are not listed, as sorted relative paths; Python's byte code does not count."""
    unlisted = []
    for folder, subfolders, names, _ in os.fwalk(".", dir_fd=top.descriptor):
        subfolders[:] = sorted(name for name in subfolders if name != _BYTE_CODE)
        for name in sorted(names):
            relative = str(PurePosixPath(folder, name))
            if relative not in listed and any(fnmatch(relative, pattern) for pattern in patterns):
                unlisted.append(relative)
    return unlisted


def _list_missing_artifacts(context: Context, resource: Resource, entries: list[Entry]) -> tuple[str, ...]:
    digests = [entry["sha256"] for entry in entries if "sha256" in entry]
    if digests and "archive" in resource:
        return context.missing(resource["archive"])
    return context.missing(*digests)


def _write_files(context: Context, resource: Resource, top: Folder, entries: list[Entry]) -> None:
    archive: dict[str, bytes] = {}
    if "archive" in resource and any("sha256" in entry for entry in entries):
        archive = _unpack(context.open_artifact(resource["archive"]))
    for entry in entries:
        *folders, name = PurePosixPath(entry["path"]).parts
        with top.descend(folders, _make_directory_attributes(resource)) as folder:
            write(folder, name, _find_source(context, entry, archive), resource, entry.get("mode", DEFAULT_MODE))


def _find_source(context: Context, entry: Mapping[str, Any], archive: dict[str, bytes]) -> bytes | Path:
    if "content" in entry:
        return str(entry["content"]).encode()
    if not archive:
        return context.open_artifact(entry["sha256"])
    try:
        content = archive[entry["path"]]
    except KeyError as error:
        raise Failed(f"the archive has no {entry['path']}") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise Failed(f"the archive has another {entry['path']} than the desired state")
    return content


def _unpack(archive: Path) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as bundle:
        for member in bundle:
            stream = bundle.extractfile(member) if member.isfile() else None
            if stream:
                files[member.name] = stream.read()
    return files


def _remove(top: Folder, parts: Sequence[str]) -> None:
    """Remove a file, and the directories above it that are then empty but for Python's byte code."""
    *folders, name = parts
    try:
        with top.descend(folders) as folder:
            folder.unlink(name)
        while folders and _remove_empty(top, folders):
            folders.pop()
    except FileNotFoundError:
        return  # somebody else has removed it


def _remove_empty(top: Folder, parts: Sequence[str]) -> bool:
    *folders, name = parts
    with top.descend(folders) as parent:
        with parent.enter(name) as folder:
            status = folder.status(_BYTE_CODE)
            if status is not None and stat.S_ISDIR(status.st_mode):
                folder.remove_tree(_BYTE_CODE)
            if folder.names():
                return False
        parent.remove_directory(name)
    return True
