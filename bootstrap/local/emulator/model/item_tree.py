"""The tree of folders and jobs under JENKINS_HOME/jobs: reads, creates, copies, changes, renames and deletes items."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..failures import Refused, make_failure
from . import item_xml, xmlfile
from .items import FOLDER, LONGEST, Folder, Item, check_name
from .job_configuration import MATRIX, PIPELINE
from .jobs import Job
from .views import read_folder_views

MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
ORGANIZATION = "jenkins.branch.OrganizationFolder"
FREESTYLE = "project"
# The root elements of items, each with the plugin that has its class.
ROOTS = {
    FREESTYLE: "",
    PIPELINE: "workflow-job",
    FOLDER: "cloudbees-folder",
    MULTIBRANCH: "workflow-multibranch",
    ORGANIZATION: "branch-api",
    MATRIX: "matrix-project",
}
# Lists without which Jenkins fails when it loads an item.
_NEEDED = {MATRIX: ("builders", "publishers", "buildWrappers"), ORGANIZATION: ("navigators", "projectFactories")}
# Items that hold items. The emulator keeps projects of many branches, and never scans a repository for branches.
FOLDERS = frozenset({FOLDER, MULTIBRANCH, ORGANIZATION})


class Tree:
    """All items, stored as Jenkins stores them."""

    def __init__(self, home: Path, plugins: Mapping[str, str]) -> None:
        self.root = Folder(None, "", home, xmlfile.make_element("root"))
        self._plugins = plugins

    def load(self) -> None:
        """Read every jobs/<name>/config.xml; a damaged one is omitted, as in Jenkins."""
        self._load(self.root)

    def _load(self, folder: Folder) -> None:
        jobs = folder.directory / "jobs"
        for path in sorted(jobs.glob("*/config.xml")) if jobs.is_dir() else []:
            try:
                item = self._make_item(folder, path.parent.name, xmlfile.parse(path.read_bytes()))
            except (xmlfile.BadXml, Refused):
                continue
            folder.children[item.name.lower()] = item
            if isinstance(item, Folder):
                self._load(item)
            elif isinstance(item, Job):
                item.history.load(item)

    def _make_item(self, folder: Folder, name: str, root: Any) -> Item:
        self.check(root)
        directory = folder.directory / "jobs" / name
        if root.tag not in FOLDERS:
            return Job(folder, name, directory, root)
        made = Folder(folder, name, directory, root)
        made.views = read_folder_views(root)
        return made

    def check(self, root: Any) -> None:
        """Refuse (500) a document whose root element has no class; rewrite any other as Jenkins does."""
        if root.tag not in ROOTS or (ROOTS[root.tag] and ROOTS[root.tag] not in self._plugins):
            raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
        for tag in _NEEDED.get(root.tag, ()):
            if root.find(tag) is None:
                raise Refused(500, f"java.lang.NullPointerException: {root.tag} has no {tag}")
        item_xml.rewrite(root, self._plugins)

    def find(self, full_name: str, start: Folder | None = None) -> Item | None:
        """Find an item; a relative name begins at `start`, a name with a leading slash at the root. None if there is none."""
        item: Item | None = self.root if start is None or full_name.startswith("/") else start
        for part in filter(None, full_name.split("/")):
            if part == "..":
                item = item.parent if item and item.parent else self.root
            elif part != ".":
                item = item.find_child(part) if isinstance(item, Folder) else None
        return item

    @property
    def jobs(self) -> list[Job]:
        """All jobs, in all folders."""
        return [item for item in self.root.walk() if isinstance(item, Job)]

    def create(self, folder: Folder, name: str, content: bytes) -> Item:
        """Create an item from its config.xml; raises Refused, without an effect, for a bad name, XML or class."""
        self._check_free(folder, name)
        try:
            root = xmlfile.parse(content)
        except xmlfile.BadXml as fault:
            raise Refused(500, f"java.io.IOException: Unable to read config.xml of {name}: {fault}") from fault
        return self.add(folder, name, root)

    def add(self, folder: Folder, name: str, root: Any) -> Item:
        """Store a new item; its name must have been checked."""
        item = self._make_item(folder, name, root)
        item.save()
        folder.children[name.lower()] = item
        if isinstance(item, Job):
            item.history.load(item)
        return item

    def copy(self, folder: Folder, name: str, source: Item) -> Item:
        """Copy an item, with its children; a copied job cannot be built before it is saved once."""
        self._check_free(folder, name)
        item = self.add(folder, name, xmlfile.parse(xmlfile.serialise(source.root)))
        if isinstance(item, Job):
            item.is_held = True
        if isinstance(source, Folder) and isinstance(item, Folder):
            for child in source.items:
                self.copy(item, child.name, child)
        return item

    def replace(self, item: Item, content: bytes) -> None:
        """Replace the config.xml of an item; raises Refused (500) for bad XML or another type of item."""
        try:
            root = xmlfile.parse(content)
        except xmlfile.BadXml as fault:
            raise Refused(
                500, f"java.io.IOException: Unable to read config.xml of {item.full_name}: {fault}"
            ) from fault
        self.check(root)
        if root.tag != item.root.tag:
            raise Refused(500, f"java.io.IOException: Expecting {item.root.tag} but got {root.tag} instead")
        item.root, item.has_actions = root, False
        if isinstance(item, Job):
            item.is_held = False
        elif isinstance(item, Folder):
            item.views = read_folder_views(root)
        item.save()

    def rename(self, item: Item, name: str) -> None:
        """Rename an item with its history; raises Refused (400) for a bad name, the same name or one that another item has."""
        check_name(name)
        if name == item.name:
            raise make_failure("The new name is the same as the current name.")
        assert item.parent is not None
        other = item.parent.find_child(name)
        if other is not None and other is not item:
            raise make_failure(f"The name “{name}” is already in use.")
        target = item.directory.with_name(name)
        item.directory.rename(target)
        del item.parent.children[item.name.lower()]
        item.name = name
        item.parent.children[name.lower()] = item
        self._relocate(item, target)

    def move(self, item: Item, target: Folder) -> None:
        """Move an item with its history into another folder; raises Refused (400) if a name is taken there."""
        assert item.parent is not None
        self._check_free(target, item.name)
        if isinstance(item, Folder) and (target is item or target in item.walk()):
            raise make_failure("A folder cannot be moved into itself.")
        directory = target.directory / "jobs" / item.name
        directory.parent.mkdir(parents=True, exist_ok=True)
        item.directory.rename(directory)
        del item.parent.children[item.name.lower()]
        item.parent = target
        target.children[item.name.lower()] = item
        self._relocate(item, directory)

    def reload(self, item: Item) -> None:
        """Read the config.xml of an item from the disk again."""
        self.replace(item, (item.directory / "config.xml").read_bytes())

    def _relocate(self, item: Item, directory: Path) -> None:
        item.directory = directory
        if isinstance(item, Job):
            item.history.move(directory)
        elif isinstance(item, Folder):
            for child in item.items:
                self._relocate(child, directory / "jobs" / child.name)

    def delete(self, item: Item) -> None:
        """Delete an item with its files and its children."""
        assert item.parent is not None
        item.parent.children.pop(item.name.lower(), None)
        shutil.rmtree(item.directory, ignore_errors=True)

    @staticmethod
    def _check_free(folder: Folder, name: str) -> None:
        check_name(name)
        if folder.find_child(name) is not None:
            raise make_failure(f"A job already exists with the name ‘{name}’")
        if len(name.encode()) > LONGEST:
            raise Refused(500, "java.nio.file.FileSystemException: File name too long")
