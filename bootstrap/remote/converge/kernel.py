"""Kernel settings: written for the next boot, and set now if this machine may set them."""

from __future__ import annotations

import os
from pathlib import Path

from bootstrap.remote.converge.core import Context, Finding, Resource
from bootstrap.remote.converge.files import file, write
from bootstrap.remote.converge.open_directories import keep_attributes, open_folder


def sysctl(context: Context, resource: Resource) -> Finding | None:
    """`values` in the file `path` and in the kernel; in a container, keys of the host's kernel are only noted."""
    text = "".join(f"{key} = {value}\n" for key, value in sorted(resource["values"].items()))
    finding = file(context, {**resource, "content": text})
    differing = {key: value for key, value in resource["values"].items() if _read_value(context, key) != value}
    foreign = sorted(key for key in differing if not _is_settable(context, key))
    pending = sorted(set(differing) - set(foreign))
    if foreign:
        context.notes.append(f"set by the host's kernel, not changed: {', '.join(foreign)}")
    if not finding and not pending:
        return None

    def act() -> None:
        path = context.path(resource["path"])
        with open_folder(context, path.parent, keep_attributes) as folder:
            write(folder, path.name, text.encode(), resource, resource.get("mode", "0644"))
        for key in pending:
            _make_key_path(context, key).write_text(resource["values"][key])

    kind = finding.kind if finding else "alter"
    return Finding(kind, ", ".join([*([finding.detail] if finding else []), *pending]), act)


def _make_key_path(context: Context, key: str) -> Path:
    return context.path("/proc/sys") / key.replace(".", "/")


def _read_value(context: Context, key: str) -> str | None:
    try:
        return " ".join(_make_key_path(context, key).read_text().split())
    except OSError:
        return None


def _is_settable(context: Context, key: str) -> bool:
    """Whether this machine may set the key. In a container: only keys of its own network, if they are writable."""
    path = _make_key_path(context, key)
    is_container = context.path("/run/.containerenv").exists() or context.path("/run/systemd/container").exists()
    return os.access(path, os.W_OK) and (not is_container or key.startswith("net."))
