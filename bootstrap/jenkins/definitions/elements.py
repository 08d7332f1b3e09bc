"""Whose elements a job's XML has: by the table of classes and plugins that the emulator keeps plugins by, too.

Jenkins reads an element whose plugin it does not have with 200 and drops it without a word, so it is told before anything is
sent. What the table does not know is not judged; it is named, so that nobody takes it for proven.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CORE = "core"
_TABLE = Path(__file__).resolve().parents[2] / "local" / "emulator" / "data" / "elements.yaml"
# Each entry of these is a class, with a dot in its name or without one.
LISTS = frozenset({"builders", "publishers", "buildWrappers", "prebuilders", "postbuilders", "properties", "triggers"})


@dataclass(frozen=True)
class Judged:
    """What was found in one job: elements with the plugin that each lacks, and those that nothing is known of."""

    lacking: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def judge(root: ElementTree.Element, plugins: Collection[str]) -> Judged:
    """Hold each element that names a class against the plugins that there are."""
    lacking: dict[str, str] = {}
    unknown: dict[str, None] = {}
    for name, told in list_classes(root):
        owner = find_owner(name) or told
        if owner is None:
            unknown[name] = None
        elif owner != CORE and owner not in plugins:
            lacking[name] = owner
    return Judged(tuple(lacking.items()), tuple(unknown))


def list_classes(root: ElementTree.Element) -> Iterator[tuple[str, str | None]]:
    """Every class that a document names, in its order, each with the plugin that the document itself says, if it does."""
    yield decode_class_name(root.tag), _read_plugin(root)
    yield from _list_below(root)


def _list_below(parent: ElementTree.Element) -> Iterator[tuple[str, str | None]]:
    for child in parent:
        tag = decode_class_name(child.tag)
        if "." in tag or parent.tag in LISTS or tag in _load_table():
            yield tag, _read_plugin(child)
        attribute = decode_class_name(child.get("class", ""))
        if "." in attribute or attribute in _load_table():  # 'vector' and 'string-array' are short names of Java's own
            yield attribute, _read_plugin(child)
        yield from _list_below(child)


def decode_class_name(written: str) -> str:
    """A class' name as Java has it: XML names cannot hold a dollar sign, and '_' is the letter that escapes it."""
    return written.replace("__", "\0").replace("_-", "$").replace("\0", "_")


def find_owner(name: str) -> str | None:
    """The plugin that a class belongs to, CORE for Jenkins' own; None where the table does not know it."""
    table, rest = _load_table(), name
    if found := table.get(rest.partition("$")[0]):
        return found
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if found := table.get(f"{rest}."):
            return found
    return None


def _read_plugin(element: ElementTree.Element) -> str | None:
    return element.get("plugin", "").partition("@")[0] or None


@cache
def _load_table() -> Mapping[str, str]:
    listed: Mapping[str, list[str]] = yaml.load(_TABLE.read_bytes(), yaml.CSafeLoader)
    return {name: plugin for plugin, names in listed.items() for name in names}
