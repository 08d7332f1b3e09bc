"""Settings in two layers: the toolkit's files, and above them those of a project, which say what they say otherwise.

Jenkins itself merges the files, and refuses a key that two of them have. So a value or a list that a file of the project has is
taken out of the toolkit's files before they are sent. A list is replaced as a whole. A file of the project takes the place of
its namesake.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from bootstrap.environment import yaml_source

Keys = tuple[str, ...]


def list_keys(files: Collection[Path]) -> set[Keys]:
    """The paths of all values and lists in the files; none of a file that cannot be read: `casc` tells its faults."""
    keys: set[Keys] = set()
    for path in files:
        try:
            document, _ = yaml_source.parse_mapping(path.name, yaml_source.read_text(path))
        except yaml_source.Unreadable:
            continue
        keys.update(_list_leaves((), document))
    return keys


def take_out(text: str, keys: Collection[Keys]) -> str:
    """The text of a file without these keys and what is below them; '' if nothing is left.

    A value goes, too, where a key wants a mapping. A text that has none of the keys stays as it is, character by character.
    """
    yaml = YAML(typ="rt")
    yaml.width = 4096  # never fold a line that a person wrote
    yaml.preserve_quotes = True
    document = yaml.load(text)
    removed = [_remove(document, key) for key in sorted(keys)] if isinstance(document, CommentedMap) else []
    if not any(removed):
        return text
    if not document:
        return ""
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _list_leaves(above: Keys, node: CommentedMap) -> Iterator[Keys]:
    for key, value in node.items():
        here = (*above, str(key))
        if isinstance(value, CommentedMap) and value:
            yield from _list_leaves(here, value)
        else:
            yield here


def _remove(node: CommentedMap, key: Keys) -> bool:
    """Remove the key, and the mappings above it that are empty then; whether there was anything."""
    first, *rest = key
    if first not in node:
        return False
    value = node[first]
    if rest and isinstance(value, CommentedMap) and value:
        was_there = _remove(value, tuple(rest))
        if was_there and not value:
            del node[first]
        return was_there
    del node[first]
    return True
