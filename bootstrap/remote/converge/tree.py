"""A folder of many files that is to be exactly so: what differs is written, and strangers are removed."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.files import DEFAULT_MODE, dress, trappings, write

_BYTE_CODE = "__pycache__"


def tree(context: Context, resource: Resource) -> Finding | None:
    """`files` ({path, sha256 or content, mode}) under `path`; with `archive`, their bytes come from that tar artifact.

    Files that match a pattern of `strangers` (default all) and are not wished are removed. With `once`, a folder that holds
    anything is left alone, and an empty one gets all files in one rename: others own it from then on.
    """
    path = context.path(resource["path"])
    if resource.get("once"):
        return _once(context, resource, path)
    wished = {entry["path"]: entry for entry in resource["files"]}
    differing = [entry for name, entry in wished.items() if _differs(context, resource, path / name, entry)]
    strangers = _strangers(path, wished, resource.get("strangers", ["*"]))
    if not differing and not strangers:
        return None

    def act() -> None:
        _fill(context, resource, path, differing)
        for stranger in strangers:
            (path / stranger).unlink()
            _drop_empty(path, (path / stranger).parent)

    detail = f"{len(differing)} of {len(wished)} files" + (
        f", {len(strangers)} unknown files removed" if strangers else ""
    )
    return Finding("alter" if path.is_dir() else "add", detail, act, _needed(context, resource, differing))


def _once(context: Context, resource: Resource, path: Path) -> Finding | None:
    if path.is_dir() and any(path.iterdir()):
        return None
    entries = list(resource["files"])

    def act() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            _fill(context, resource, whole, entries)
            dress(whole, resource, resource.get("directory_mode", "0755"))
            whole.replace(path)
        except BaseException:
            shutil.rmtree(whole, ignore_errors=True)
            raise

    return Finding("add", f"{len(entries)} files", act, _needed(context, resource, entries), settles=bool(entries))


def _differs(context: Context, resource: Resource, path: Path, entry: Mapping[str, Any]) -> bool:
    if path.is_symlink() or not path.is_file():
        return True
    wished = entry["sha256"] if "sha256" in entry else hashlib.sha256(entry["content"].encode()).hexdigest()
    return context.digest(path) != wished or bool(trappings(path, resource, entry.get("mode", DEFAULT_MODE)))


def _strangers(path: Path, wished: Mapping[str, Any], patterns: list[str]) -> list[str]:
    """Files that are not wished, as sorted relative paths; Python's own byte code is nobody's stranger."""
    found = []
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = sorted(name for name in subfolders if name != _BYTE_CODE)
        for name in sorted(names):
            relative = str((Path(folder) / name).relative_to(path))
            if relative not in wished and any(fnmatch(relative, pattern) for pattern in patterns):
                found.append(relative)
    return found


def _needed(context: Context, resource: Resource, entries: list[Mapping[str, Any]]) -> tuple[str, ...]:
    digests = [entry["sha256"] for entry in entries if "sha256" in entry]
    if digests and "archive" in resource:
        return context.missing(resource["archive"])
    return context.missing(*digests)


def _fill(context: Context, resource: Resource, path: Path, entries: list[Mapping[str, Any]]) -> None:
    archive: dict[str, bytes] = {}
    if "archive" in resource and any("sha256" in entry for entry in entries):
        archive = _unpacked(context.open_artifact(resource["archive"]))
    for entry in entries:
        target = path / entry["path"]
        for folder in reversed([folder for folder in target.parents if not folder.exists()]):
            folder.mkdir()
            dress(folder, resource, resource.get("directory_mode", "0755"))
        write(target, _source(context, entry, archive), resource, entry.get("mode", DEFAULT_MODE))


def _source(context: Context, entry: Mapping[str, Any], archive: dict[str, bytes]) -> bytes | Path:
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


def _unpacked(archive: Path) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as bundle:
        for member in bundle:
            stream = bundle.extractfile(member) if member.isfile() else None
            if stream:
                files[member.name] = stream.read()
    return files


def _drop_empty(top: Path, folder: Path) -> None:
    while folder != top:
        shutil.rmtree(folder / _BYTE_CODE, ignore_errors=True)
        if any(folder.iterdir()):
            return
        folder.rmdir()
        folder = folder.parent
