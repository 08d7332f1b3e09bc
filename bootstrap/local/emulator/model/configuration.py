"""Reads the applied configuration: the checked tree of Configuration as Code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

BUILT_IN = "built-in"


@dataclass(frozen=True)
class NodeSettings:
    """A node. The name of the built-in node is empty; every node has its own name as a label; `folder` is that of an agent.

    `variables` are those that the settings give to builds on this agent; `title` is how Jenkins shows a node of a cloud.
    """

    name: str
    description: str
    labels: Collection[str]
    executors: int
    folder: str
    is_exclusive: bool
    variables: Mapping[str, str] = field(default_factory=dict)
    title: str = ""

    @property
    def shown_name(self) -> str:
        """The name of the node in consoles and in the queue."""
        return self.title or self.name or "Jenkins"


def dig(tree: Any, *path: str) -> Any:
    """Find the value at a path of a nested mapping; None if there is none."""
    for name in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(name)
    return tree


def _read_variables(properties: Any) -> dict[str, str]:
    """Read the environment variables of a list of node properties."""
    entries = [variable for entry in properties or [] for variable in dig(entry, "envVars", "env") or []]
    return {str(variable.get("key", "")): str(variable.get("value", "")) for variable in entries}


class Configuration:
    """The present configuration. An absent key has Jenkins' default."""

    def __init__(self, tree: dict[str, Any] | None = None) -> None:
        self.tree = tree or {}
        self.list_added: Callable[[], list[NodeSettings]] = list  # the agents that the settings do not declare

    def read(self, *path: str, default: Any = None) -> Any:
        """Read the value at a path; the default if there is none."""
        value = dig(self.tree, *path)
        return default if value is None else value

    def find_tools(self, kind: str) -> list[dict[str, Any]]:
        """The installations of a kind of tool; Jenkins has a git of its own."""
        own = [{"name": "Default", "home": "git"}] if kind == "git" else []
        installations: list[dict[str, Any]] = self.read("tool", kind, "installations", default=own)
        return installations

    @property
    def tool_names(self) -> dict[str, list[str]]:
        """The names of the installations by the kind of tool."""
        return {kind: [str(entry.get("name")) for entry in self.find_tools(kind)] for kind in ("git", "jdk", "maven")}

    @property
    def executors(self) -> int:
        """Executors of the built-in node."""
        return int(self.read("jenkins", "numExecutors", default=2))

    @property
    def is_exclusive(self) -> bool:
        """Whether only jobs that name one of its labels run on the built-in node."""
        return bool(self.read("jenkins", "mode") == "EXCLUSIVE")

    @property
    def labels(self) -> set[str]:
        """Labels of the built-in node; its own name is one."""
        return {BUILT_IN, *str(self.read("jenkins", "labelString", default="")).split()}

    @property
    def nodes(self) -> list[NodeSettings]:
        """The built-in node, then the declared agents, then the others."""
        words = "the Jenkins controller's built-in node"
        nodes = [NodeSettings("", words, self.labels, self.executors, "", self.is_exclusive)]
        for entry in self.read("jenkins", "nodes", default=[]):
            ((_, settings),) = entry.items()
            name, labels = str(settings.get("name") or ""), str(settings.get("labelString") or "").split()
            nodes.append(
                NodeSettings(
                    name,
                    str(settings.get("nodeDescription") or ""),
                    frozenset({name, *labels}),
                    int(settings.get("numExecutors") or 1),
                    str(settings.get("remoteFS") or ""),
                    settings.get("mode") == "EXCLUSIVE",
                    _read_variables(settings.get("nodeProperties")),
                )
            )
        return [*nodes, *self.list_added()]

    def remove_node(self, name: str) -> None:
        """Remove an agent from the settings; without one of the name nothing happens."""
        declared = self.read("jenkins", "nodes")
        if declared is not None:
            declared[:] = [
                entry for entry in declared if all(str(each.get("name") or "") != name for each in entry.values())
            ]

    def find_node(self, name: str) -> NodeSettings | None:
        """Find a node by its name; None if there is none."""
        return next((node for node in self.nodes if node.name == name), None)

    @property
    def quiet_period(self) -> int:
        """Seconds that an item waits in the queue."""
        return int(self.read("jenkins", "quietPeriod", default=5))

    @property
    def url(self) -> str:
        """The configured root URL; it ends in a slash. Empty if none is configured."""
        url = str(self.read("unclassified", "location", "url", default="")).strip()
        return url + "/" if url and not url.endswith("/") else url

    @property
    def admin_address(self) -> str:
        """The sender of mail."""
        return str(
            self.read("unclassified", "location", "adminAddress", default="")
            or "address not configured yet <nobody@nowhere>"
        )

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables for all builds."""
        paths = ("globalNodeProperties", "nodeProperties")
        return {name: value for path in paths for name, value in _read_variables(self.read("jenkins", path)).items()}

    @property
    def shell(self) -> str:
        """The shell of freestyle steps and of `sh`."""
        return str(self.read("unclassified", "shell", "shell", default="")) or "/bin/sh"

    @property
    def has_timestamps(self) -> bool:
        """Whether every Pipeline's log has times."""
        return bool(self.read("unclassified", "timestamper", "allPipelines", default=False))

    @property
    def rotation(self) -> tuple[int, int]:
        """The global discarder's number of builds and of days; -1 keeps all."""
        for entry in self.read("unclassified", "buildDiscarders", "configuredBuildDiscarders", default=[]):
            rotator = dig(entry, "simpleBuildDiscarder", "discarder", "logRotator")
            if rotator:
                return int(rotator.get("numToKeepStr") or -1), int(rotator.get("daysToKeepStr") or -1)
        return -1, -1

    @property
    def name_pattern(self) -> tuple[str, str]:
        """The pattern of the naming strategy and its description; empty if every name is allowed."""
        pattern = self.read("jenkins", "projectNamingStrategy", "pattern", default={})
        return str(pattern.get("namePattern", "")), str(pattern.get("description", ""))

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Declared lockable resources."""
        return list(self.read("unclassified", "lockableResourcesManager", "declaredResources", default=[]))
