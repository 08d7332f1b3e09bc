"""Rewrites the XML of an item as Jenkins does when it reads it: removes elements without a class, and writes defaults.

Jenkins answers 200 nevertheless. Only a root element without a class is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from ..options import BUNDLED_PLUGINS
from . import xmlfile

DATA = Path(__file__).parents[1] / "data"
CORE = "core"
# Every child of these elements is a class, also if its name has no dot.
LISTS = {"builders", "publishers", "buildWrappers", "properties", "triggers", "columns", "jobFilters"}
NUMBERS = {"quietPeriod", "scmCheckoutRetryCount", "unstableReturn"}
DECLARED = "org.jenkinsci.plugins.pipeline.modeldefinition.actions.Declarative"
_NOTED = ("jobProperties", "triggers", "parameters", "options")


def rewrite(root: Any, plugins: Mapping[str, str]) -> None:
    """Rewrite a posted document, in place, to the form that Jenkins stores."""
    drop(root, plugins)
    _complete_root(root)
    for node in root.iter():
        _rewrite_fields(node)
    _order_all_fields(root)
    for node in root.iter():
        node.attrib.pop("plugin", None)
    _stamp(root, plugins, "")


def drop(parent: Any, plugins: Mapping[str, str]) -> None:
    """Remove the elements below `parent` whose class belongs to no installed plugin."""
    for child in list(parent):
        is_known = isinstance(child.tag, str) and all(
            _has_class(child, name, plugins) for name in _find_classes(parent, child)
        )
        if is_known:
            drop(child, plugins)
        else:
            parent.remove(child)


def record_declarations(root: Any, plugins: Mapping[str, str], noted: Mapping[str, list[str]]) -> None:
    """Write the names of what a Jenkinsfile declares into its job, so that it can be undone after it leaves the Jenkinsfile."""
    for stale in root.findall("actions"):
        root.remove(stale)
    actions = xmlfile.make_element("actions")
    root.insert(0, actions)  # actions is the first field of every item
    version = f"pipeline-model-definition@{plugins.get('pipeline-model-definition', '')}"
    xmlfile.put(actions, f"{DECLARED}JobAction", plugin=version)
    tracker = xmlfile.put(actions, f"{DECLARED}JobPropertyTrackerAction", plugin=version)
    for tag in _NOTED:
        holder = xmlfile.put(tracker, tag)
        for name in dict.fromkeys(noted[tag]):
            xmlfile.put(holder, "string", name)


def read_declarations(root: Any) -> dict[str, list[str]]:
    """Read what `record_declarations` wrote."""
    tracker = f"actions/{DECLARED}JobPropertyTrackerAction"
    return {tag: [node.text or "" for node in root.iterfind(f"{tracker}/{tag}/string")] for tag in _NOTED}


def complete(root: Any) -> None:
    """Give the elements of a document that changed the fields of their classes, as in `rewrite`."""
    _order_all_fields(root)


def _find_classes(parent: Any, child: Any) -> Iterator[str]:
    table, tag, attribute = _load_owners(), decode_class(child.tag), decode_class(child.get("class", ""))
    if "." in tag or parent.tag in LISTS or tag in table:
        yield tag
    if "." in attribute or attribute in table:
        yield attribute


def _has_class(node: Any, name: str, plugins: Mapping[str, str]) -> bool:
    owner = find_owner(name) or str(node.get("plugin", "")).partition("@")[0]
    return owner == CORE or owner in plugins or (not owner and bool(list_unrecorded(plugins)))


def list_unrecorded(plugins: Mapping[str, str]) -> list[str]:
    """The installed plugins whose elements are not known here; a class that belongs to no known plugin may be theirs."""
    return sorted(set(plugins) - set(_load_owners().values()) - _list_recorded())


def find_unjudged(root: Any, plugins: Mapping[str, str]) -> list[str]:
    """The classes of a document that were kept though nothing is known of them."""
    classes = {
        name
        for parent in root.iter(etree.Element)
        for child in parent
        for name in _find_classes(parent, child)
        if find_owner(name) is None
    }
    return sorted(classes) if list_unrecorded(plugins) else []


def find_owner(name: str) -> str | None:
    """Find the plugin of a class: the entry of the table with the longest matching prefix decides; None if none matches."""
    table, rest = _load_owners(), name
    if plugin := table.get(rest.partition("$")[0]):
        return plugin
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if plugin := table.get(f"{rest}."):
            return plugin
    return None


def _complete_root(root: Any) -> None:
    """Remove fields of a class that Jenkins replaces, and add the members that Jenkins adds to lists."""
    rewrites = _load_rewrites()
    for tag, kind in rewrites["replaced"].get(root.tag, {}).items():
        for field in root.findall(tag):
            if field.get("class") != kind:
                root.remove(field)
    for tag, members in rewrites["members"].get(root.tag, {}).items():
        for member in map(xmlfile.parse, members):
            holder = root.find(tag)
            if holder is None:
                holder = xmlfile.put(root, tag)
            if holder.find(member.tag) is None:
                holder.append(member)


def _rewrite_fields(node: Any) -> None:
    kind = decode_class(node.get("class") or node.tag)
    for tag in _load_rewrites()["dropped"].get(kind, ()):
        for former in node.findall(tag):
            node.remove(former)
    for tag, value in _load_rewrites()["added"].get(kind, {}).items():
        if node.find(tag) is None:
            xmlfile.put(node, tag, value)


def _order_all_fields(root: Any) -> None:
    """Order the fields of the root, and of each element below it whose class has a dot: a field may have any other name."""
    orders = _load_rewrites()["order"]
    if order := orders.get(root.tag):
        _order_fields(root, order)
    for node in list(root.iterdescendants(etree.Element)):
        kind = decode_class(node.get("class") or node.tag)
        if "." in kind and kind in orders and node.get("reference") is None:
            _order_fields(node, orders[kind])


def _order_fields(root: Any, order: Mapping[str, Any]) -> None:
    kept = []
    for tag, value in order.items():
        elements = root.findall(tag)[:1]
        if tag in NUMBERS and elements and not re.fullmatch(r"\s*-?\d+\s*", elements[0].text or ""):
            elements = []  # Jenkins removes a text that is no number
        if elements and value in ("true", "false"):
            elements[0].text = "true" if (elements[0].text or "").strip().lower() == "true" else "false"
        if not elements and value is not None:
            elements = [_make_field(tag, value)]
        kept += elements
    root[:] = kept


def _make_field(tag: str, value: Any) -> Any:
    """A field that was not given: a whole element, one with attributes, or one with a text."""
    if isinstance(value, Mapping):
        return xmlfile.parse(value["xml"]) if "xml" in value else xmlfile.make_element(tag, **value)
    field = xmlfile.make_element(tag)
    field.text = value or None
    return field


def _stamp(node: Any, plugins: Mapping[str, str], above: str) -> None:
    """Write the plugin with its version at each element whose plugin differs from that of the element around it."""
    owner = find_owner(decode_class(node.get("class") or node.tag))
    is_written = node.get("reference") is None  # XStream refers to what it has written, and says nothing more about it
    if is_written and owner is not None and owner != CORE and owner != above and owner in plugins:
        node.set("plugin", f"{owner}@{plugins[owner]}")
    for child in node:
        _stamp(child, plugins, owner if owner is not None else above)


def stamp(root: Any, plugins: Mapping[str, str]) -> None:
    """Write the plugin with its version where it belongs, as in `rewrite`; nothing else changes."""
    _stamp(root, plugins, "")


def decode_class(written: str) -> str:
    """Decode the name of a class as XStream writes it as a tag."""
    return written.replace("__", "\0").replace("_-", "$").replace("\0", "_")


@cache
def _load_owners() -> dict[str, str]:
    listed = yaml.safe_load((DATA / "elements.yaml").read_text(encoding="utf-8"))
    return {name: plugin for plugin, names in listed.items() for name in names}


@cache
def _list_recorded() -> frozenset[str]:
    listed = json.loads(BUNDLED_PLUGINS.read_text(encoding="utf-8"))
    return frozenset(listed.get("plugins", listed))


@cache
def _load_rewrites() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / "rewrites.yaml").read_text(encoding="utf-8"))
    return loaded
