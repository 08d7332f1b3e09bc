"""Views of the root and of folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..failures import Refused
from . import item_xml, xmlfile

ALL, LIST, OWN = "hudson.model.AllView", "hudson.model.ListView", "hudson.model.MyView"
KINDS = frozenset({ALL, LIST, OWN})
_LISTED = "com.cloudbees.hudson.plugins.folder."
_COLUMNS = ("Status", "Weather", "Job", "LastSuccess", "LastFailure", "LastDuration", "BuildButton")


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

    @property
    def description(self) -> str | None:
        """The description; None if there is none."""
        return xmlfile.read_text(self.root, "description") or None

    def add_properties(self) -> None:
        """Add the list of properties, which Jenkins makes when it is first asked for."""
        if self.root.find("properties") is None:
            after = max(
                _find_index(self.root, tag) for tag in ("name", "description", "filterExecutors", "filterQueue")
            )
            self.root.insert(after + 1, xmlfile.make_element("properties", class_="hudson.model.View$PropertyList"))

    def describe(self, description: str) -> None:
        """Set the description."""
        node = self.root.find("description")
        if node is None:
            node = xmlfile.make_element("description")
            self.root.insert(_find_index(self.root, "name") + 1, node)
        node.text = xmlfile.remove_unprintable(description)

    def add(self, name: str) -> None:
        """List the item of a name, relative to the owner."""
        names = self.root.find("jobNames")
        if names is None:
            raise Refused(500, "java.lang.NullPointerException: the view has no jobNames")
        xmlfile.put(names, "string", name)
        names[:] = sorted(names, key=lambda node: "" if node.tag != "string" else (node.text or "").lower())

    def remove(self, name: str) -> None:
        """Take an item from the list."""
        for node in self.root.findall("jobNames/string"):
            if node.text == name:
                node.getparent().remove(node)

    def select(self, names: Iterable[str]) -> list[str]:
        """Select the names, relative to the owner, that are listed or match the pattern.

        A list view whose XML was replaced by one without names fails, in Jenkins too.
        """
        if self.root.find("jobNames") is None:
            raise Refused(500, "java.lang.NullPointerException: the view has no jobNames")
        listed = {node.text for node in self.root.findall("jobNames/string")}
        pattern = xmlfile.read_text(self.root, "includeRegex").strip()
        return [name for name in names if name in listed or (pattern and re.fullmatch(pattern, name))]


def _find_index(root: Any, tag: str) -> int:
    child = root.find(tag)
    return -1 if child is None else int(root.index(child))


def parse_view(content: bytes, name: str, plugins: Any, *, is_new: bool) -> View:
    """Parse a posted view; its name becomes that of the URL. Raises Refused (500) for bad XML or an unknown class.

    Jenkins gives a new list view its default names, filters and columns, but not one that replaces another.
    """
    try:
        root = xmlfile.parse(content)
    except xmlfile.BadXml as fault:
        raise Refused(500, f"java.io.IOException: Failed to parse the view: {fault}") from fault
    if root.tag not in KINDS:
        raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
    for tag in ("name", "owner"):
        for stale in root.findall(tag):
            root.remove(stale)
    xmlfile.put(root, "name", name)
    if is_new and root.tag == LIST:
        _add_defaults(root)
    item_xml.rewrite(root, plugins)
    return View(root)


def _add_defaults(root: Any) -> None:
    if root.find("jobNames") is None:
        xmlfile.put(xmlfile.put(root, "jobNames"), "comparator", class_="java.lang.String$CaseInsensitiveComparator")
    if root.find("jobFilters") is None:
        xmlfile.put(root, "jobFilters")
    if root.find("columns") is None:
        columns = xmlfile.put(root, "columns")
        for column in _COLUMNS:
            xmlfile.put(columns, f"hudson.views.{column}Column")


def make_view(kind: str, name: str, **values: str) -> View:
    """Make a view; `values` become child elements."""
    root = xmlfile.make_element(kind)
    xmlfile.put(root, "name", name)
    xmlfile.put(root, "properties", class_="hudson.model.View$PropertyList")
    for tag, content in values.items():
        xmlfile.put(root, tag, content)
    if kind == LIST:
        _add_defaults(root)
    item_xml.rewrite(root, {})
    return View(root)


def read_views(node: Any) -> list[View]:
    """Read the views in the config.xml of an owner."""
    return [] if node is None else [View(child) for child in node if child.tag in KINDS]


def read_folder_views(root: Any) -> list[View]:
    """Read the views of a folder; a folder always has one, and a new one has the view `All`."""
    return read_views(root.find("folderViews/views")) or [make_view(ALL, "All")]


def write_folder_views(root: Any, views: Iterable[View]) -> None:
    """Write the views into the document of their folder, each with a reference to it."""
    holder = root.find("folderViews")
    if holder is None:
        holder = xmlfile.make_element("folderViews", class_=f"{_LISTED}views.DefaultFolderViewHolder")
        root.insert(_find_index(root, "properties") + 1, holder)
    for stale in holder.findall("views"):
        holder.remove(stale)
    listed = xmlfile.make_element("views")
    holder.insert(0, listed)
    for view in views:
        if view.root.find("owner") is None:
            view.root.insert(0, xmlfile.make_element("owner", class_=str(root.tag), reference="../../../.."))
        listed.append(view.root)
    if holder.find("tabBar") is None:
        xmlfile.put(holder, "tabBar", class_="hudson.views.DefaultViewsTabBar")


def render_view(view: View) -> bytes:
    """Render the XML of a view for a client: without its owner."""
    root = xmlfile.parse(xmlfile.serialise(view.root))
    for owner in root.findall("owner"):
        root.remove(owner)
    return xmlfile.serialise_for_client(root)


def make_declared_view(entry: dict[str, Any]) -> View:
    """Make a view from a declaration of Configuration as Code."""
    ((kind, values),) = entry.items()
    name = str(values.get("name") or "all")
    if kind != "list":
        return make_view(OWN if kind == "myView" else ALL, name)
    simple = {key: values[key] for key in ("description", "includeRegex", "recurse") if key in values}
    view = make_view(LIST, name, **simple)
    for job in values.get("jobNames") or []:
        xmlfile.put(view.root.find("jobNames"), "string", job)
    return view
