"""The tree of folders and jobs under JENKINS_HOME/jobs: reads, creates, copies, changes, renames and deletes items."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..failures import Refused, failure
from . import item_xml, xmlfile
from .items import Folder, Item, check_name
from .job_configuration import PIPELINE
from .jobs import Job
from .views import views_of

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
FREESTYLE = "project"
# Root elements that can be made here, with the plugin that brings each.
ROOTS = {FREESTYLE: "", PIPELINE: "workflow-job", FOLDER: "cloudbees-folder"}


class Tree:
    """All items, stored as Jenkins stores them."""

    def __init__(self, home: Path, plugins: Mapping[str, str]) -> None:
        self.root = Folder(None, "", home, xmlfile.element("root"))
        self._plugins = plugins

    def load(self) -> None:
        """Read every jobs/<name>/config.xml; a damaged one is left out, as Jenkins leaves it out."""
        self._load(self.root)

    def _load(self, folder: Folder) -> None:
        jobs = folder.directory / "jobs"
        for path in sorted(jobs.glob("*/config.xml")) if jobs.is_dir() else []:
            try:
                item = self._make(folder, path.parent.name, xmlfile.parse(path.read_bytes()))
            except (xmlfile.BadXml, Refused):
                continue
            folder.children[item.name.lower()] = item
            if isinstance(item, Folder):
                item.views = views_of(item.root.find("folderViews/views"))
                self._load(item)
            elif isinstance(item, Job):
                item.history.load(item)

    def _make(self, folder: Folder, name: str, root: Any) -> Item:
        self.check(root)
        directory = folder.directory / "jobs" / name
        return Folder(folder, name, directory, root) if root.tag == FOLDER else Job(folder, name, directory, root)

    def check(self, root: Any) -> None:
        """Refuse a document whose root element no class stands for; anything else is kept as far as Jenkins knows it."""
        if root.tag not in ROOTS or (ROOTS[root.tag] and ROOTS[root.tag] not in self._plugins):
            raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
        item_xml.rewrite(root, self._plugins)

    def find(self, full_name: str, start: Folder | None = None) -> Item | None:
        """The item of a full name; relative names begin at `start`, names with a leading slash at the root."""
        item: Item | None = self.root if start is None or full_name.startswith("/") else start
        for part in filter(None, full_name.split("/")):
            if part == "..":
                item = item.parent if item and item.parent else self.root
            elif part != ".":
                item = item.child(part) if isinstance(item, Folder) else None
        return item

    @property
    def jobs(self) -> list[Job]:
        """Every job, anywhere."""
        return [item for item in self.root.walk() if isinstance(item, Job)]

    def create(self, folder: Folder, name: str, content: bytes) -> Item:
        """A new item from its config.xml; refused as Jenkins refuses it, and nothing is kept then."""
        self._free(folder, name)
        try:
            root = xmlfile.parse(content)
        except xmlfile.BadXml as fault:
            raise Refused(500, f"java.io.IOException: Unable to read config.xml of {name}: {fault}") from fault
        return self.add(folder, name, root)

    def add(self, folder: Folder, name: str, root: Any) -> Item:
        """Store a new item."""
        item = self._make(folder, name, root)
        item.save()
        folder.children[name.lower()] = item
        if isinstance(item, Job):
            item.history.load(item)
        return item

    def copy(self, folder: Folder, name: str, source: Item) -> Item:
        """A copy under another name; a copied job is held until it is saved once."""
        self._free(folder, name)
        item = self.add(folder, name, xmlfile.parse(xmlfile.serialise(source.root)))
        if isinstance(item, Job):
            item.is_held = True
        if isinstance(source, Folder) and isinstance(item, Folder):
            for child in source.items:
                self.copy(item, child.name, child)
        return item

    def replace(self, item: Item, content: bytes) -> None:
        """A new config.xml for an item; its type cannot change."""
        try:
            root = xmlfile.parse(content)
        except xmlfile.BadXml as fault:
            raise Refused(
                500, f"java.io.IOException: Unable to read config.xml of {item.full_name}: {fault}"
            ) from fault
        self.check(root)
        if root.tag != item.root.tag:
            raise Refused(500, f"java.io.IOException: Expecting {item.root.tag} but got {root.tag} instead")
        item.root = root
        if isinstance(item, Job):
            item.is_held = False
        elif isinstance(item, Folder):
            item.views = views_of(root.find("folderViews/views"))
        item.save()

    def rename(self, item: Item, name: str) -> None:
        """Give an item another name; its history moves with it."""
        check_name(name)
        if name == item.name:
            raise failure("The new name is the same as the current name.")
        assert item.parent is not None
        other = item.parent.child(name)
        if other is not None and other is not item:
            raise failure(f"The name “{name}” is already in use.")
        target = item.directory.with_name(name)
        item.directory.rename(target)
        del item.parent.children[item.name.lower()]
        item.name = name
        item.parent.children[name.lower()] = item
        self._move(item, target)

    def _move(self, item: Item, directory: Path) -> None:
        item.directory = directory
        if isinstance(item, Job):
            item.history.move(directory)
        elif isinstance(item, Folder):
            for child in item.items:
                self._move(child, directory / "jobs" / child.name)

    def delete(self, item: Item) -> None:
        """Delete an item and everything below it."""
        assert item.parent is not None
        item.parent.children.pop(item.name.lower(), None)
        shutil.rmtree(item.directory, ignore_errors=True)

    @staticmethod
    def _free(folder: Folder, name: str) -> None:
        check_name(name)
        if folder.child(name) is not None:
            raise failure(f"A job already exists with the name ‘{name}’")
