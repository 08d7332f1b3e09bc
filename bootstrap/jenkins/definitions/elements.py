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
    for name, told in named(root):
        owner = owner_of(name) or told
        if owner is None:
            unknown[name] = None
        elif owner != CORE and owner not in plugins:
            lacking[name] = owner
    return Judged(tuple(lacking.items()), tuple(unknown))


def named(root: ElementTree.Element) -> Iterator[tuple[str, str | None]]:
    """Every class that a document names, in its order, each with the plugin that the document itself says, if it does."""
    yield class_name(root.tag), _told(root)
    yield from _below(root)


def _below(parent: ElementTree.Element) -> Iterator[tuple[str, str | None]]:
    for child in parent:
        tag = class_name(child.tag)
        if "." in tag or parent.tag in LISTS or tag in _names():
            yield tag, _told(child)
        attribute = class_name(child.get("class", ""))
        if "." in attribute or attribute in _names():  # 'vector' and 'string-array' are short names of Java's own
            yield attribute, _told(child)
        yield from _below(child)


def class_name(written: str) -> str:
    """A class' name as Java has it: XML names cannot hold a dollar sign, and '_' is the letter that escapes it."""
    return written.replace("__", "\0").replace("_-", "$").replace("\0", "_")


def owner_of(name: str) -> str | None:
    """The plugin that a class belongs to, CORE for Jenkins' own; None where the table does not know it."""
    table, rest = _names(), name
    if found := table.get(rest.partition("$")[0]):
        return found
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if found := table.get(f"{rest}."):
            return found
    return None


def _told(element: ElementTree.Element) -> str | None:
    return element.get("plugin", "").partition("@")[0] or None


@cache
def _names() -> Mapping[str, str]:
    listed: Mapping[str, list[str]] = yaml.load(_TABLE.read_bytes(), yaml.CSafeLoader)
    return {name: plugin for plugin, names in listed.items() for name in names}
