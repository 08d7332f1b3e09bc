"""Items of the tree under JENKINS_HOME/jobs: what folders and jobs have in common, and folders.

The document of config.xml holds every property of an item; properties are read from it at each access.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..failures import make_failure
from . import xmlfile
from .views import View, write_folder_views

UNSAFE = set("?*/\\%!@#$^&|<>[]:;")  # jenkins.model.Jenkins#checkGoodName
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
LONGEST = 255  # bytes of a name, which is the name of a directory
_PLAIN = "!$&'()*+,-.:=@_"  # hudson.Util#rawEncode leaves these as they are


def encode_name(name: str) -> str:
    """Encode a name for a URL as Jenkins does: `~` is encoded, quotes and brackets are not."""
    return quote(name, safe=_PLAIN).replace("~", "%7E")


def check_name(name: str) -> None:
    """Check the name of an item; raises Refused (400) as Jenkins#checkGoodName does."""
    if not name.strip():
        raise make_failure("No name is specified")
    if name in {".", ".."}:
        raise make_failure(f"“{name}” is not an allowed name")
    for letter in name:
        if ord(letter) < 32 or ord(letter) == 127:
            shown = "".join(f"\\u{ord(other)};" if ord(other) < 32 or ord(other) == 127 else other for other in name)
            raise make_failure(f"No control code is allowed: {shown}")
        if letter in UNSAFE:
            raise make_failure(f"‘{letter}’ is an unsafe character")
    if name.endswith("."):
        raise make_failure("A name cannot end with ‘.’")


class Item:
    """An item of the tree; `root` is the root element of its config.xml."""

    def __init__(self, parent: Folder | None, name: str, directory: Path, root: Any) -> None:
        self.parent, self.name, self.directory, self.root = parent, name, directory, root
        self.has_actions = False  # Jenkins makes the list when it is first asked for, and then saves it, too

    @property
    def full_name(self) -> str:
        """The names of its folders and its own name, joined by slashes."""
        above = self.parent.full_name if self.parent else ""
        return f"{above}/{self.name}" if above else self.name

    @property
    def path(self) -> str:
        """The URL path below the root, such as 'job/a/job/b/'."""
        return (self.parent.path if self.parent else "") + f"job/{encode_name(self.name)}/"

    @property
    def display_name(self) -> str:
        """The display name; the name if there is none."""
        return xmlfile.read_text(self.root, "displayName") or self.name

    @property
    def description(self) -> str:
        """The description, unchanged."""
        return xmlfile.read_text(self.root, "description")

    def describe(self, description: str) -> None:
        """Set the description and save the item."""
        node = self.root.find("description")
        if node is None:
            node = xmlfile.make_element("description")
            self.root.insert(1 if self.root.find("actions") is not None else 0, node)
        node.text = xmlfile.remove_unprintable(description)
        self.save()

    def save(self) -> None:
        """Write config.xml."""
        if self.has_actions and self.root.find("actions") is None:
            self.root.insert(0, xmlfile.make_element("actions"))
        xmlfile.write(self.directory / "config.xml", xmlfile.serialise(self.root))


class Folder(Item):
    """A folder; the root of the tree is a folder without a name."""

    def __init__(self, parent: Folder | None, name: str, directory: Path, root: Any) -> None:
        super().__init__(parent, name, directory, root)
        self.children: dict[str, Item] = {}
        self.views: list[View] = []
        self.primary_view = ""

    @property
    def path(self) -> str:
        return super().path if self.parent else ""

    @property
    def full_name(self) -> str:
        return super().full_name if self.parent else ""

    @property
    def takes_items(self) -> bool:
        """Whether people put items and views into it: a project of many branches makes its items itself."""
        return self.parent is None or self.root.tag == FOLDER

    @property
    def first_view(self) -> View | None:
        """The primary view; None for a folder without views."""
        return self.find_view(self.primary_view) or (self.views[0] if self.views else None)

    def find_view(self, name: str) -> View | None:
        """Find a view by its name; `All` is what Jenkins shows for the view `all`. None if there is none."""
        names = {name, "all"} if name == "All" else {name}
        return next((view for view in self.views if view.name in names), None)

    def find_child(self, name: str) -> Item | None:
        """Find a child by its name; Jenkins ignores the case. None if there is none."""
        return self.children.get(name.lower())

    @property
    def items(self) -> list[Item]:
        """The children, sorted by name."""
        return sorted(self.children.values(), key=lambda item: item.name.lower())

    def walk(self) -> Iterator[Item]:
        """Yield all items below, each folder before its children."""
        for item in self.items:
            yield item
            if isinstance(item, Folder):
                yield from item.walk()

    def list_shown(self, view: View) -> list[Item]:
        """List the items that a view of the folder shows."""
        if not view.is_list:
            return self.items
        above = len(self.full_name) + 1 if self.full_name else 0
        candidates = list(self.walk()) if view.is_recursive else self.items
        relative = {item.full_name[above:]: item for item in candidates}
        return [relative[name] for name in view.select(relative)]

    def save(self) -> None:
        """Write config.xml with the views of the folder."""
        if self.root.tag == FOLDER:
            write_folder_views(self.root, self.views)
        super().save()
