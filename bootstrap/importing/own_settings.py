"""The settings that the toolkit has itself: which value is in which file, and where two files cannot share a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bootstrap.acts import casc
from bootstrap.errors import CascRejected
from bootstrap.importing import settings_tree
from bootstrap.jenkins.definitions.casc import find_variables
from bootstrap.jenkins.definitions.casc_schema import load_vocabulary
from bootstrap.projects import folders


def read_layers(folder: Path, project: Path | None) -> dict[str, str]:
    """The texts of the toolkit's settings files and of those of a project above them, as a launch sends them."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in folders.list_layered_files(folder, project)}
    try:
        # Secrets of one's own that the files use belong to an environment, which is not opened here.
        return casc.read(folder, own=find_variables(texts), own_folder=project)
    except CascRejected:
        return texts  # a launch tells the faults


def read_files(folder: Path, project: Path | None) -> tuple[dict[str, Any], dict[tuple[str, ...], str]]:
    """The settings of both folders as one tree, and the file of each value by its path in small letters."""
    tree: dict[str, Any] = {}
    files: dict[tuple[str, ...], str] = {}
    upper = project or folder
    for path in folders.list_layered_files(folder, project):
        settings = settings_tree.parse(path.read_text(encoding="utf-8"))
        whose = "" if path.parent == upper else "the toolkit's "
        for at in _list_leaves(settings, ()):
            files[tuple(part.lower() for part in at)] = f"{whose}{path.parent.name}/{path.name}"
        _merge(tree, settings)
    return tree, files


def _list_leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _list_leaves(inner, (*path, key))
    else:
        yield path


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def find_list(tree: Any, path: Sequence[str]) -> list[Any]:
    """The list at a path; empty if there is none."""
    for part in path:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree if isinstance(tree, list) else []


def does_overlap(own: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a value of the toolkit is at this path, above it or below it."""
    length = min(len(own), len(path))
    return own[:length] == tuple(part.lower() for part in path[:length])


def is_choice(path: tuple[str, ...]) -> bool:
    """Whether Jenkins takes one of several implementations at this path: then two files cannot share it."""
    known = load_vocabulary()
    attributes: Mapping[str, str] = known["roots"].get(path[0], {})
    kind = ""
    for part in path[1:]:
        kind = next((kind for name, kind in attributes.items() if name.lower() == part.lower()), "")
        attributes = known["classes"].get(kind) or known["choices"].get(kind) or {}
    return kind in known["choices"]
