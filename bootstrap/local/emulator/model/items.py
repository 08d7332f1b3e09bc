"""What folders and jobs share, and folders: a place in the tree under JENKINS_HOME/jobs and a config.xml.

config.xml is the only truth about an item; what it says is read from it when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..failures import failure
from . import xmlfile
from .views import View

UNSAFE = set("?*/\\%!@#$^&|<>[]:;")  # jenkins.model.Jenkins#checkGoodName


def check_name(name: str) -> None:
    """Refuse what Jenkins refuses as a name (Jenkins#checkGoodName)."""
    if not name.strip():
        raise failure("No name is specified")
    if name in {".", ".."}:
        raise failure(f"“{name}” is not an allowed name")
    for letter in name:
        if ord(letter) < 32 or ord(letter) == 127:
            raise failure("No control code is allowed")
        if letter in UNSAFE:
            raise failure(f"‘{letter}’ is an unsafe character")
    if name.endswith("."):
        raise failure("A name cannot end with ‘.’")


class Item:
    """What folders and jobs share: a place in the tree and a config.xml."""

    def __init__(self, parent: Folder | None, name: str, directory: Path, root: Any) -> None:
        self.parent, self.name, self.directory, self.root = parent, name, directory, root

    @property
    def full_name(self) -> str:
        """Names from the root, joined by slashes."""
        above = self.parent.full_name if self.parent else ""
        return f"{above}/{self.name}" if above else self.name

    @property
    def path(self) -> str:
        """The URL path below the root, 'job/a/job/b/'."""
        return (self.parent.path if self.parent else "") + f"job/{quote(self.name)}/"

    @property
    def display_name(self) -> str:
        """The shown name."""
        return xmlfile.text(self.root, "displayName") or self.name

    @property
    def description(self) -> str:
        """The description as it was given."""
        return xmlfile.text(self.root, "description")

    def save(self) -> None:
        """Write config.xml."""
        xmlfile.write(self.directory / "config.xml", xmlfile.serialise(self.root))


class Folder(Item):
    """A folder; the root of the tree is one without a name."""

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

    def child(self, name: str) -> Item | None:
        """The child of that name; Jenkins compares names without case."""
        return self.children.get(name.lower())

    @property
    def items(self) -> list[Item]:
        """Children by name."""
        return sorted(self.children.values(), key=lambda item: item.name.lower())

    def walk(self) -> Iterator[Item]:
        """Every item below, folders before what they hold."""
        for item in self.items:
            yield item
            if isinstance(item, Folder):
                yield from item.walk()

    def shown_in(self, view: View) -> list[Item]:
        """The items that one of the folder's views shows."""
        if not view.is_list:
            return self.items
        above = len(self.full_name) + 1 if self.full_name else 0
        candidates = list(self.walk()) if view.is_recursive else self.items
        relative = {item.full_name[above:]: item for item in candidates}
        return [relative[name] for name in view.select(relative)]

    def save(self) -> None:
        for stale in self.root.findall("folderViews"):
            self.root.remove(stale)
        if self.views:
            holder = xmlfile.put(
                self.root, "folderViews", class_="com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder"
            )
            listed = xmlfile.put(holder, "views")
            for view in self.views:
                listed.append(view.root)
        super().save()
