"""Changes the XML of an item as Jenkins does when it reads it: drops elements without a class, and writes defaults.

Jenkins answers 200 all the same; only a root element that no class stands for is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from . import xmlfile

DATA = Path(__file__).parents[1] / "data"
CORE = "core"
# Each entry of these is a class, with a dot in its name or without one.
LISTS = {"builders", "publishers", "buildWrappers", "properties", "triggers", "columns", "jobFilters"}
NUMBERS = {"quietPeriod", "scmCheckoutRetryCount"}
DECLARED = "org.jenkinsci.plugins.pipeline.modeldefinition.actions.Declarative"


def rewrite(root: Any, plugins: Mapping[str, str]) -> None:
    """Change a posted document to the form that Jenkins stores."""
    drop(root, plugins)
    for node in root.iter():
        _fields(node)
    order = _rewrites()["order"].get(root.tag)
    if order:
        _ordered(root, order)
    for node in root.iter():
        node.attrib.pop("plugin", None)
    _stamp(root, plugins, "")


def drop(parent: Any, plugins: Mapping[str, str]) -> None:
    """Take out what no plugin that is there has a class for."""
    for child in list(parent):
        is_known = isinstance(child.tag, str) and all(
            _is_there(child, name, plugins) for name in _classes(parent, child)
        )
        if is_known:
            drop(child, plugins)
        else:
            parent.remove(child)


def note_declared(root: Any, plugins: Mapping[str, str], declared: Mapping[str, Any]) -> None:
    """Write into a job what a declarative build found of it, as Jenkins does to take it back when it leaves the script."""
    for stale in root.findall("actions"):
        root.remove(stale)
    actions = xmlfile.element("actions")
    root.insert(0, actions)  # the first field of every item
    version = f"pipeline-model-definition@{plugins.get('pipeline-model-definition', '')}"
    xmlfile.put(actions, f"{DECLARED}JobAction", plugin=version)
    tracker = xmlfile.put(actions, f"{DECLARED}JobPropertyTrackerAction", plugin=version)
    names = {
        "jobProperties": (),
        "triggers": [entry["$class"] for entry in declared.get("triggers") or []],
        "parameters": [entry.get("name") for entry in declared.get("parameters") or []],
        "options": [entry["$class"] for entry in declared.get("options") or []],
    }
    for tag, listed in names.items():
        holder = xmlfile.put(tracker, tag)
        for name in listed:
            xmlfile.put(holder, "string", name)


def _classes(parent: Any, child: Any) -> Iterator[str]:
    table, tag, attribute = _owners(), _class_name(child.tag), _class_name(child.get("class", ""))
    if "." in tag or parent.tag in LISTS or tag in table:
        yield tag
    if "." in attribute or attribute in table:
        yield attribute


def _is_there(node: Any, name: str, plugins: Mapping[str, str]) -> bool:
    owner = owner_of(name) or str(node.get("plugin", "")).partition("@")[0]
    return owner == CORE or owner in plugins


def owner_of(name: str) -> str | None:
    """The plugin of a class; the longest name of the table that fits is right."""
    table, rest = _owners(), name
    if found := table.get(rest.partition("$")[0]):
        return found
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if found := table.get(f"{rest}."):
            return found
    return None


def _fields(node: Any) -> None:
    kind = _class_name(node.get("class") or node.tag)
    for tag in _rewrites()["dropped"].get(kind, ()):
        for former in node.findall(tag):
            node.remove(former)
    for tag, value in _rewrites()["added"].get(kind, {}).items():
        if node.find(tag) is None:
            xmlfile.put(node, tag, value)


def _ordered(root: Any, order: Mapping[str, Any]) -> None:
    kept = []
    for tag, value in order.items():
        elements = root.findall(tag)[:1]
        if tag in NUMBERS and elements and not re.fullmatch(r"\s*-?\d+\s*", elements[0].text or ""):
            elements = []  # what is no number is dropped
        if elements and value == "false":
            elements[0].text = "true" if (elements[0].text or "").strip().lower() == "true" else "false"
        if not elements and value is not None:
            elements = [xmlfile.element(tag, **value)] if isinstance(value, Mapping) else [xmlfile.element(tag)]
            elements[0].text = value if isinstance(value, str) and value else None
        kept += elements
    root[:] = kept


def _stamp(node: Any, plugins: Mapping[str, str], above: str) -> None:
    """Name the plugin of a class, with its version, wherever it is another than the one around it."""
    owner = owner_of(_class_name(node.get("class") or node.tag))
    if owner is not None and owner != CORE and owner != above and owner in plugins:
        node.set("plugin", f"{owner}@{plugins[owner]}")
    for child in node:
        _stamp(child, plugins, owner if owner is not None else above)


def _class_name(written: str) -> str:
    return written.replace("__", "\0").replace("_-", "$").replace("\0", "_")


@cache
def _owners() -> dict[str, str]:
    listed = yaml.safe_load((DATA / "elements.yaml").read_text(encoding="utf-8"))
    return {name: plugin for plugin, names in listed.items() for name in names}


@cache
def _rewrites() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / "rewrites.yaml").read_text(encoding="utf-8"))
    return loaded
