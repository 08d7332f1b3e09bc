"""Views of the root and of folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..failures import Refused
from . import item_xml, xmlfile

ALL, LIST = "hudson.model.AllView", "hudson.model.ListView"


@dataclass
class View:
    """A view; `root` is its element in the config.xml of its owner."""

    root: Any

    @property
    def name(self) -> str:
        """The view's name."""
        return xmlfile.read_text(self.root, "name")

    @property
    def kind(self) -> str:
        """The Java class."""
        return str(self.root.tag)

    @property
    def is_list(self) -> bool:
        """Whether the view shows only chosen items."""
        return self.kind == LIST

    @property
    def is_recursive(self) -> bool:
        """Whether the view also shows items in the folders of its owner."""
        return xmlfile.read_text(self.root, "recurse").strip() == "true"

    def select(self, names: Iterable[str]) -> list[str]:
        """Select the names, relative to the owner, that are listed or match the pattern."""
        listed = {node.text for node in self.root.findall("jobNames/string")}
        pattern = xmlfile.read_text(self.root, "includeRegex").strip()
        return [name for name in names if name in listed or (pattern and re.fullmatch(pattern, name))]


def parse_view(content: bytes, name: str, plugins: Any) -> View:
    """Parse a posted view; its name becomes that of the URL. Raises Refused (500) for bad XML or an unknown class."""
    try:
        root = xmlfile.parse(content)
    except xmlfile.BadXml as fault:
        raise Refused(500, f"java.io.IOException: Failed to parse the view: {fault}") from fault
    if root.tag not in {ALL, LIST}:
        raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
    item_xml.drop(root, plugins)
    named = root.find("name")
    if named is None:
        named = xmlfile.put(root, "name")
        root.insert(0, named)
    named.text = name
    return View(root)


def make_view(kind: str, name: str, **values: str) -> View:
    """Make a view; `values` become child elements."""
    root = xmlfile.element(kind)
    xmlfile.put(root, "name", name)
    if kind == LIST:
        xmlfile.put(root, "filterExecutors", False)
        xmlfile.put(root, "filterQueue", False)
        xmlfile.put(root, "properties", class_="hudson.model.View$PropertyList")
        xmlfile.put(root, "jobNames")
    for tag, content in values.items():
        xmlfile.put(root, tag, content)
    return View(root)


def read_views(node: Any) -> list[View]:
    """Read the views in the config.xml of an owner."""
    return [] if node is None else [View(child) for child in node if child.tag in {ALL, LIST}]


def make_declared_view(entry: dict[str, Any]) -> View:
    """Make a view from a declaration of Configuration as Code."""
    ((kind, values),) = entry.items()
    name = str(values.get("name") or "all")
    if kind != "list":
        return make_view(ALL, name)
    simple = {key: values[key] for key in ("description", "includeRegex", "recurse") if key in values}
    view = make_view(LIST, name, **simple)
    for job in values.get("jobNames") or []:
        xmlfile.put(view.root.find("jobNames"), "string", job)
    return view
