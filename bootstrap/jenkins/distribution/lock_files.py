"""Edits `jenkins.lock.yaml` and `jenkins.needs.yaml` as text that people also write: comments, order and quotes stay.

Each file is replaced in one step, and no file is replaced before every new text is on the disk.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bootstrap.environment import user_files, yaml_source
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution.lock import Pin
from bootstrap.jenkins.distribution.needs import Needs, compute_record

_STALE = 3600  # seconds after which a half-written file belongs to no running command


def _make_yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = 4096  # never fold a line that a person wrote
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    # By default, null is written as an empty value, which looks like a forgotten one.
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def read(path: Path) -> CommentedMap:
    """The document in the file, to be changed and written again."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> CommentedMap:
    """The document in a text that was read from a file, to be changed and written into it."""
    document: CommentedMap = _make_yaml().load(text.replace("\r\n", "\n"))
    return document


def write(documents: Mapping[Path, CommentedMap], originals: Mapping[Path, str] | None = None) -> None:
    """Write each document into its file; all are on the disk before the first file is replaced, in this order.

    `originals` are the texts from which the documents were made. If a file has another one now, nothing is replaced, and
    DistributionFailed is raised, as where a file cannot be written.
    """
    require_writable(documents)
    ready: dict[Path, Path] = {}
    try:
        # A link stays one: its target is replaced.
        for path, document in ((path.resolve(), document) for path, document in documents.items()):
            _remove_stale(path)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            ready[path] = Path(temporary)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                _make_yaml().dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            ready[path].chmod(path.stat().st_mode & 0o777)
        _refuse_changed(originals or {})
        for path, temporary_path in ready.items():
            temporary_path.replace(path)
    except OSError as error:
        raise DistributionFailed(
            f"writing {' and '.join(path.name for path in documents)}",
            str(error),
            "Run this as the user who may write them, or make room on the disk. Run it again.",
        ) from error
    finally:
        for temporary_path in ready.values():
            temporary_path.unlink(missing_ok=True)


def require_writable(paths: Iterable[Path]) -> None:
    """DistributionFailed if one of the files is read-only."""
    for path in paths:
        if obstacle := user_files.find_obstacle(path):
            raise DistributionFailed(f"writing {path.name}", obstacle, user_files.advise(path))


def _remove_stale(path: Path) -> None:
    """Remove what a command that was killed left beside the file."""
    for stale in path.parent.glob(f".{path.name}.????????"):
        if stale.stat().st_mtime < time.time() - _STALE:
            stale.unlink(missing_ok=True)


def _refuse_changed(originals: Mapping[Path, str]) -> None:
    changed = [path for path, text in originals.items() if not _has_text(path, text)]
    if changed:
        raise DistributionFailed(
            f"writing {' and '.join(path.name for path in originals)}",
            f"{' and '.join(path.name for path in changed)} changed while this command worked",
            "Nothing was written, so that no edit is lost. Run it again.",
        )


def _has_text(path: Path, text: str) -> bool:
    try:
        return yaml_source.read_text(path) == text
    except yaml_source.Unreadable:
        return False


def record_checksums(path: Path, core: str | None, plugins: Mapping[str, str]) -> None:
    """Write the SHA-256 of the core and of plugins into the lock, if it has none for them; existing ones are not replaced."""
    document = read(path)
    if core is not None and document["core"]["sha256"] is None:
        document["core"]["sha256"] = core
    for name, sha256 in plugins.items():
        if document["plugins"][name]["sha256"] is None:
            document["plugins"][name]["sha256"] = sha256
    write({path: document})


def record_needs(path: Path, found: Mapping[str, Needs]) -> None:
    """Write the rows of these plugins into the table of needs, each with its record."""
    document = read(path)
    put_rows(document, found)
    write({path: document})


def put_rows(document: CommentedMap, found: Mapping[str, Needs]) -> None:
    """The same in a document that is not written yet. A row that says this already is not touched."""
    for name, needs in found.items():
        row = make_row(name, needs)
        if name in document and {key: document[name].get(key) for key in row} == row:
            continue
        if name in document:
            document[name] = row
        else:
            insert_sorted(document, name, row, list(document))


def put_requested(document: CommentedMap, requested: Sequence[str]) -> None:
    """Let the list 'requested' of a lock have these names; new ones go to their place in the first group."""
    if "requested" not in document:
        document.insert(list(document).index("plugins"), "requested", CommentedSeq())
    names = document["requested"]
    for name in requested:
        if name not in names:
            group = _find_first_group(list(names))
            names.insert(next((at for at, each in enumerate(group) if each > name), len(group)), name)
    for name in [name for name in names if name not in requested]:
        del names[names.index(name)]


def put_pins(document: CommentedMap, pins: Mapping[str, Pin], requested: Sequence[str]) -> None:
    """Let the section 'plugins' of a lock have these versions and checksums; comments and the order of the others stay."""
    plugins = document["plugins"]
    for name in sorted(pins):
        version, sha256 = DoubleQuotedScalarString(pins[name].version), pins[name].sha256
        if name in plugins:
            if plugins[name]["version"] != version:
                plugins[name]["version"] = version
            plugins[name]["sha256"] = sha256
        else:
            entry = CommentedMap(version=version, sha256=sha256)
            entry.fa.set_flow_style()
            keys = list(plugins)
            group = _find_first_group(keys) if name in requested else _find_last_group(keys)
            insert_sorted(plugins, name, entry, group)
    # At the end, so that the heading of a group whose plugins are all replaced stays above the new ones.
    for name in [name for name in plugins if name not in pins]:
        remove(plugins, name)


def _find_first_group(names: Sequence[str]) -> list[str]:
    """The names at the beginning that are sorted: the first group of a lock."""
    end = next((at for at in range(1, len(names)) if names[at] < names[at - 1]), len(names))
    return list(names[:end])


def _find_last_group(names: Sequence[str]) -> list[str]:
    """The names at the end that are sorted: the last group of a lock."""
    begin = next((at for at in range(len(names) - 1, 0, -1) if names[at] < names[at - 1]), 0)
    return list(names[begin:])


def make_row(name: str, needs: Needs) -> CommentedMap:
    """A row of the table of needs."""
    row = CommentedMap(version=DoubleQuotedScalarString(needs.version))
    if needs.least_core is not None:
        row["least_core"] = DoubleQuotedScalarString(needs.least_core)
    wanted = CommentedMap()
    for needed, least in sorted(needs.needs.items()):
        wanted[needed] = None if least is None else DoubleQuotedScalarString(least)
    if not wanted:
        wanted.fa.set_flow_style()
    row["needs"] = wanted
    row["recorded"] = DoubleQuotedScalarString(compute_record(name, needs))
    return row


def insert_sorted(document: CommentedMap, name: str, value: Any, among: list[str]) -> None:
    """Insert a key before the first of the neighbouring keys `among` that is greater, or behind the last of them."""
    keys = list(document)
    following = next((key for key in among if key > name), None)
    behind = keys.index(among[-1]) + 1 if among else len(keys)
    document.insert(keys.index(following) if following is not None else behind, name, value)


def remove(document: CommentedMap, name: str) -> None:
    """Remove a key; a comment above it, which may be the heading of a group, goes to the key behind it."""
    keys = list(document)
    following = keys[keys.index(name) + 1 :][:1]
    comment = document.ca.items.pop(name, None)
    del document[name]
    if comment and following and following[0] not in document.ca.items:
        document.ca.items[following[0]] = comment
