"""Adds entries to the lists of settings files, as text, so that nothing else in the files changes.

The entries are written as JSON, which is YAML in every style around it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bootstrap.jenkins.definitions import casc_tree
from bootstrap.jenkins.definitions.casc_tree import Kind, Node

Addition = tuple[str, Node, Sequence[Mapping[str, Any]]]
"""The name of a file, a list in it, and the entries that the list gets."""


def find_list(files: Mapping[str, str], path: Sequence[Collection[str]]) -> tuple[str, Node] | None:
    """The first list at a path, with the name of its file; None if no file has one.

    Each part of the path has the keys that are possible there, in lower case, because Jenkins ignores the case of keys.
    """
    for file, text in files.items():
        root = casc_tree.parse(text)
        for found in _walk_path([root] if root else [], path):
            if found.kind is Kind.LIST:
                return file, found
    return None


def _walk_path(nodes: Sequence[Node], path: Sequence[Collection[str]]) -> list[Node]:
    """The values at a path below any of the nodes."""
    if not path:
        return list(nodes)
    below = [value.meant for node in nodes for key, value in node.meant.entries if key.meant.text.lower() in path[0]]
    return _walk_path(below, path[1:])


def list_keys(text: str, path: Sequence[str]) -> list[tuple[int, int, str]]:
    """Line, column and text of each key of the mappings at a path, whatever the case of its parts."""
    root = casc_tree.parse(text)
    found = _walk_path([root] if root else [], [{part.lower()} for part in path])
    return [(key.line, key.column, key.meant.text) for node in found for key, _ in node.entries]


def find_value(node: Node | None, key: str) -> Node | None:
    """The value of a key, whatever its case; None if the node is no mapping with the key."""
    entries = node.meant.entries if node else ()
    return next((value.meant for name, value in entries if name.meant.text.lower() == key.lower()), None)


def find_text(node: Node, key: str) -> str:
    """The scalar of a key as it is written; '' if there is none."""
    found = find_value(node, key)
    return found.text if found else ""


def add_entries(files: Mapping[str, str], additions: Iterable[Addition]) -> dict[str, str]:
    """The files, in which each of the lists ends with its new entries."""
    wished = list(additions)
    changed = dict(files)
    for name in files:
        # From the end of a file to its begin: what is added moves what follows.
        inserted = [(_find_end(files[name], node), node, entries) for file, node, entries in wished if file == name]
        for end, node, entries in sorted(inserted, key=lambda addition: addition[0], reverse=True):
            changed[name] = _insert(changed[name], end, node, entries)
    return changed


def _find_end(text: str, node: Node) -> int:
    """Where an entry is added to a list: before the bracket of one in brackets, else behind the line of its last value."""
    if text[node.start] == "[":
        return node.end - 1
    # A list or mapping in block style ends where the next thing begins, behind the comments between them.
    ended = (it for it in casc_tree.walk(node) if it.kind in {Kind.SCALAR, Kind.ALIAS} or text[it.start] in "[{")
    end = text.find("\n", max(it.end for it in ended) - 1)
    return len(text) if end < 0 else end + 1


def _insert(text: str, end: int, node: Node, entries: Sequence[Mapping[str, Any]]) -> str:
    written = [json.dumps(entry, ensure_ascii=False) for entry in entries]
    if text[node.start] == "[":
        is_first = not node.items or text[:end].rstrip().endswith(",")
        return f"{text[:end]}{'' if is_first else ', '}{', '.join(written)}{text[end:]}"
    before = "" if end == 0 or text[end - 1] == "\n" else "\n"
    indentation = " " * (node.column - 1)
    lines = "".join(f"{indentation}- {entry}\n" for entry in written)
    return f"{text[:end]}{before}{lines}{text[end:]}"
