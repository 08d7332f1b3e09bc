"""Finds elements in the XML of a job whose plugin is missing.

Jenkins answers 200 for an element whose plugin is missing, and drops the element. So such an element is reported before
anything is sent. An element that the table does not contain is reported as not checked. The emulator uses the same table of
classes and their plugins (`elements.yaml`).
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CORE = "core"
TABLE = Path(__file__).resolve().parents[2] / "local" / "emulator" / "data" / "elements.yaml"
# Every child of these elements is a class, even if its name has no dot.
LISTS = frozenset({"builders", "publishers", "buildWrappers", "prebuilders", "postbuilders", "properties", "triggers"})


@dataclass(frozen=True)
class Judged:
    """The result for one job: `lacking` are pairs of element and missing plugin; `unknown` elements are not checked."""

    lacking: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def judge(root: ElementTree.Element, plugins: Collection[str]) -> Judged:
    """Check whether the plugin of each element is one of `plugins`."""
    lacking: dict[str, str] = {}
    unknown: dict[str, None] = {}
    for name, declared in list_classes(root):
        owner = find_owner(name) or declared
        if owner is None:
            unknown[name] = None
        elif owner != CORE and owner not in plugins:
            lacking[name] = owner
    return Judged(tuple(lacking.items()), tuple(unknown))


def list_classes(root: ElementTree.Element) -> Iterator[tuple[str, str | None]]:
    """Every class in the document, in its order, with the plugin in its attribute `plugin`, or None."""
    yield decode_class_name(root.tag), _read_plugin(root)
    yield from _list_below(root)


def _list_below(parent: ElementTree.Element) -> Iterator[tuple[str, str | None]]:
    for child in parent:
        tag = decode_class_name(child.tag)
        if "." in tag or parent.tag in LISTS or tag in _load_table():
            yield tag, _read_plugin(child)
        attribute = decode_class_name(child.get("class", ""))
        if "." in attribute or attribute in _load_table():  # short names such as 'vector' and 'string-array' are Java's
            yield attribute, _read_plugin(child)
        yield from _list_below(child)


def decode_class_name(written: str) -> str:
    """The Java name of a class. XStream escapes `$` as `_-` and `_` as `__` in names of elements."""
    return written.replace("__", "\0").replace("_-", "$").replace("\0", "_")


def find_owner(name: str) -> str | None:
    """The plugin that has the class, CORE for a class of Jenkins itself, or None if the table does not know it."""
    table, rest = _load_table(), name
    if owner := table.get(rest.partition("$")[0]):
        return owner
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if owner := table.get(f"{rest}."):
            return owner
    return None


def _read_plugin(element: ElementTree.Element) -> str | None:
    return element.get("plugin", "").partition("@")[0] or None


@cache
def _load_table() -> Mapping[str, str]:
    listed: Mapping[str, list[str]] = yaml.load(TABLE.read_bytes(), yaml.CSafeLoader)
    return {name: plugin for plugin, names in listed.items() for name in names}
