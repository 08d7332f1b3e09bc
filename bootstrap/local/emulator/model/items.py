"""Folders and jobs: the tree under JENKINS_HOME/jobs, and what a job's config.xml says.

config.xml is the only truth about a job; every property below is read from it when it is asked for.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..failures import Refused, failure
from . import rewriting, xmlfile
from .builds import Build, History
from .views import View, views_of

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
PIPELINE = "flow-definition"
FREESTYLE = "project"
# Root elements that can be made here, with the plugin that brings each.
ROOTS = {FREESTYLE: "", PIPELINE: "workflow-job", FOLDER: "cloudbees-folder"}
UNSAFE = set("?*/\\%!@#$^&|<>[]:;")  # jenkins.model.Jenkins#checkGoodName
PIPELINE_PROPERTIES = "org.jenkinsci.plugins.workflow.job.properties."


@dataclass(frozen=True)
class ParameterDefinition:
    """One declared parameter; `kind` is the simple Java class name, such as 'StringParameterDefinition'."""

    name: str
    kind: str
    default: str
    description: str
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """Passwords are never shown nor logged."""
        return self.kind == "PasswordParameterDefinition"


@dataclass(frozen=True)
class Trigger:
    """A trigger of a job: the simple class name ('TimerTrigger', 'SCMTrigger', 'ReverseBuildTrigger') and its text."""

    kind: str
    spec: str
    threshold: str = "SUCCESS"


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


class Job(Item):
    """A freestyle or Pipeline job with its history."""

    def __init__(self, parent: Folder, name: str, directory: Path, root: Any) -> None:
        super().__init__(parent, name, directory, root)
        self.history = History(directory)
        self.is_held = False  # a fresh copy cannot be built before it is saved once

    @property
    def is_pipeline(self) -> bool:
        """True for Pipeline, false for freestyle."""
        return bool(self.root.tag == PIPELINE)

    @property
    def is_disabled(self) -> bool:
        """Disabled jobs refuse to be built."""
        return xmlfile.text(self.root, "disabled").strip() == "true"

    def disable(self, is_disabled: bool) -> None:
        """Write the flag; a copy becomes buildable by it, as any save makes it."""
        node = self.root.find("disabled")
        if node is None:
            node = xmlfile.put(self.root, "disabled")
        node.text = "true" if is_disabled else "false"
        self.is_held = False
        self.save()

    @property
    def is_concurrent(self) -> bool:
        """Whether two builds may run at the same time."""
        if self.is_pipeline:
            return self.root.find(f"properties/{PIPELINE_PROPERTIES}DisableConcurrentBuildsJobProperty") is None
        return xmlfile.text(self.root, "concurrentBuild").strip() == "true"

    @property
    def label(self) -> str:
        """The label expression that a freestyle job asks for; empty for any node."""
        if xmlfile.text(self.root, "canRoam", "true").strip() == "true":
            return ""
        return xmlfile.text(self.root, "assignedNode").strip()

    @property
    def quiet_period(self) -> int | None:
        """Seconds to wait in the queue; None means the controller's own."""
        own = xmlfile.text(self.root, "quietPeriod").strip()
        return int(own) if own.isdigit() else None

    @property
    def parameters(self) -> tuple[ParameterDefinition, ...]:
        """The declared parameters, in order."""
        found = self.root.find("properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions")
        return () if found is None else tuple(_parameter(node) for node in found)

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers of a freestyle job, or of a Pipeline job's property."""
        nodes = [
            *self.root.findall("triggers/*"),
            *self.root.findall(f"properties/{PIPELINE_PROPERTIES}PipelineTriggersJobProperty/triggers/*"),
        ]
        return tuple(_trigger(node) for node in nodes)

    @property
    def rotation(self) -> tuple[int, int]:
        """How many builds and how many days are kept; -1 keeps all."""
        node = self.root.find("properties/jenkins.model.BuildDiscarderProperty/strategy")
        if node is None:
            node = self.root.find("logRotator")
        return (-1, -1) if node is None else (_number(node, "numToKeep"), _number(node, "daysToKeep"))

    @property
    def workspace_name(self) -> str:
        """The directory below JENKINS_HOME/workspace."""
        return self.full_name

    def build(self, reference: str) -> Build | None:
        """The build of a number or a permalink such as 'lastSuccessfulBuild'."""
        return self.history.find(reference)


def _number(node: Any, tag: str) -> int:
    found = xmlfile.text(node, tag).strip()
    return int(found) if re.fullmatch(r"-?\d+", found) else -1


def _parameter(node: Any) -> ParameterDefinition:
    kind = str(node.tag).rpartition(".")[2]
    choices = tuple(entry.text or "" for entry in node.findall("choices//string"))
    default = xmlfile.text(node, "defaultValue")
    if kind == "ChoiceParameterDefinition" and choices:
        default = default or choices[0]
    return ParameterDefinition(xmlfile.text(node, "name"), kind, default, xmlfile.text(node, "description"), choices)


def _trigger(node: Any) -> Trigger:
    kind = str(node.tag).rpartition(".")[2]
    spec = xmlfile.text(node, "upstreamProjects") if kind == "ReverseBuildTrigger" else xmlfile.text(node, "spec")
    return Trigger(kind, spec, xmlfile.text(node, "threshold/name", "SUCCESS"))


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


class Tree:
    """All items, kept on the disk as Jenkins keeps them."""

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
        rewriting.rewrite(root, self._plugins)

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
        """Keep a new item."""
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
        """Forget an item and everything below it."""
        assert item.parent is not None
        item.parent.children.pop(item.name.lower(), None)
        shutil.rmtree(item.directory, ignore_errors=True)

    @staticmethod
    def _free(folder: Folder, name: str) -> None:
        check_name(name)
        if folder.child(name) is not None:
            raise failure(f"A job already exists with the name ‘{name}’")
