"""Keeps the agents that were created by the REST interface, in nodes/<name>/config.xml, and which nodes are marked offline.

Agents that the settings declare are in the settings. As in Jenkins, applying settings that declare agents removes the others.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..failures import Refused
from . import item_xml, xmlfile
from .configuration import NodeSettings

AGENT = "slave"


@dataclass(frozen=True)
class OfflineCause:
    """Why and when a node is offline; `timestamp` in milliseconds, `user` is who marked it so, empty for other causes.

    `kind` is the class of the cause within Jenkins' OfflineCause.
    """

    user: str
    message: str
    timestamp: int
    kind: str = "UserCause"

    @property
    def description(self) -> str:
        """The text that Jenkins shows."""
        if not self.user:
            return self.message
        return f"Disconnected by {self.user}" + (f" : {self.message}" if self.message else "")


class Nodes:
    """The agents of the REST interface by their names."""

    def __init__(self, home: Path, plugins: Mapping[str, str]) -> None:
        self._folder, self._plugins = home / "nodes", plugins
        self._documents: dict[str, Any] = {}
        self._offline: dict[str, OfflineCause] = {}
        self._ephemeral: dict[str, NodeSettings] = {}

    def load(self) -> None:
        """Read every nodes/<name>/config.xml; a damaged one is omitted."""
        for path in sorted(self._folder.glob("*/config.xml")):
            try:
                self._documents[path.parent.name] = xmlfile.parse(path.read_bytes())
            except xmlfile.BadXml:
                continue

    @property
    def settings(self) -> list[NodeSettings]:
        """The settings of all these agents, and of the nodes of clouds."""
        return [*(read_node(root) for root in self._documents.values()), *self._ephemeral.values()]

    def put_ephemeral(self, node: NodeSettings) -> None:
        """Add a node of a cloud, or replace the one with its name; it is in memory only, and no settings remove it."""
        self._ephemeral[node.name] = node

    def remove_ephemeral(self, name: str) -> None:
        """Delete a node of a cloud; without one of the name nothing happens."""
        self._ephemeral.pop(name, None)
        self._offline.pop(name, None)

    def find(self, name: str) -> Any:
        """Find the document of an agent; None if no agent of the REST interface has the name."""
        return self._documents.get(name)

    def parse(self, content: bytes, name: str) -> Any:
        """Parse the posted document of the agent `name`; raises Refused (500) for bad XML or another class."""
        try:
            root = xmlfile.parse(content)
        except xmlfile.BadXml as fault:
            raise Refused(500, f"java.io.IOException: Unable to read the agent {name}: {fault}") from fault
        if root.tag != AGENT:
            raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
        named = root.find("name")
        if named is None:
            named = xmlfile.put(root, "name")
        named.text = name
        return root

    def put(self, name: str, root: Any) -> None:
        """Add an agent, or replace the one with its name."""
        item_xml.rewrite(root, self._plugins)
        self._documents[name] = root
        xmlfile.write(self._folder / name / "config.xml", xmlfile.serialise(root))

    def remove(self, name: str) -> None:
        """Delete an agent; without one of the name nothing happens."""
        self._documents.pop(name, None)
        self._offline.pop(name, None)
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def clear(self) -> None:
        """Delete all agents of the REST interface."""
        for name in list(self._documents):
            self.remove(name)

    def find_offline_cause(self, name: str) -> OfflineCause | None:
        """Find why a node is marked as offline; None if it is not."""
        return self._offline.get(name)

    def mark_offline(self, name: str, user: str, message: str) -> None:
        """Mark a node as temporarily offline: builds do not begin there."""
        self._offline[name] = OfflineCause(user, message, int(time.time() * 1000))

    def mark_online(self, name: str) -> None:
        """Take the mark from a node."""
        self._offline.pop(name, None)


def read_node(root: Any) -> NodeSettings:
    """Read the settings of an agent from its document."""
    name, labels = xmlfile.read_text(root, "name"), xmlfile.read_text(root, "label").split()
    number = xmlfile.read_text(root, "numExecutors", "1").strip()
    return NodeSettings(
        name,
        xmlfile.read_text(root, "description"),
        frozenset({name, *labels}),
        int(number) if number.isdigit() else 1,
        xmlfile.read_text(root, "remoteFS"),
        xmlfile.read_text(root, "mode") == "EXCLUSIVE",
    )


def render_node(node: NodeSettings) -> Any:
    """Render the document of an agent that the settings declare, or that a form described."""
    root = xmlfile.make_element(AGENT)
    xmlfile.put(root, "name", node.name)
    if node.description:
        xmlfile.put(root, "description", node.description)
    xmlfile.put(root, "remoteFS", node.folder)
    xmlfile.put(root, "numExecutors", node.executors)
    xmlfile.put(root, "mode", "EXCLUSIVE" if node.is_exclusive else "NORMAL")
    xmlfile.put(root, "retentionStrategy", class_="hudson.slaves.RetentionStrategy$Always")
    launcher = xmlfile.put(root, "launcher", class_="hudson.slaves.JNLPLauncher")
    directory = xmlfile.put(launcher, "workDirSettings")
    xmlfile.put(directory, "disabled", False)
    xmlfile.put(directory, "internalDir", "remoting")
    xmlfile.put(directory, "failIfWorkDirIsMissing", False)
    xmlfile.put(launcher, "webSocket", False)
    listed = node.labels if isinstance(node.labels, tuple) else sort_labels(node.labels)
    xmlfile.put(root, "label", " ".join(label for label in listed if label != node.name))
    xmlfile.put(root, "nodeProperties")
    return root


def sort_labels(names: Any) -> list[str]:
    """Sort names into the order in which Java's HashSet has them, which is the order of Jenkins' answers."""
    listed = sorted(names)
    size = 16
    while len(listed) > size * 3 // 4:
        size *= 2

    def find_place(name: str) -> int:
        number = 0
        for unit in memoryview(name.encode("utf-16-le")).cast("H"):
            number = (31 * number + unit) & 0xFFFFFFFF
        return (number ^ (number >> 16)) % size

    return sorted(listed, key=find_place)
