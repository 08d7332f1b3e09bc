"""Exports nodes, their executors and labels, and the load of all, for the remote API."""

from __future__ import annotations

import os
import platform
import shutil
import time
from typing import Any

from ..model.builds import Build
from ..model.configuration import NodeSettings
from ..model.nodes import OfflineCause, sort_labels
from .api import Exported
from .exports_items import PART, ItemExports

PLACEHOLDER = f"{PART}$PlaceholderExecutable"
_SERIES = (
    *("availableExecutors", "busyExecutors", "connectingExecutors", "definedExecutors", "idleExecutors"),
    *("onlineExecutors", "queueLength", "totalExecutors"),
)
_FLEET = "com.amazon.jenkins.ec2fleet."
_MONITORS = "hudson.node_monitors."
_SPACE = f"{_MONITORS}DiskSpaceMonitorDescriptor$DiskSpace"
_GIB = 2**30


class NodeExports(ItemExports):
    """Exports the nodes."""

    def export_computers(self) -> Exported:
        """Export all nodes: the built-in node and the agents."""
        nodes, executors = self._controller.home.configuration.nodes, self._controller.executors
        properties = {
            "busyExecutors": len(executors.busy),
            "computer": [self.export_computer(node, is_inline=True) for node in nodes],
            "displayName": "Nodes",
            "totalExecutors": sum(node.executors for node in nodes if executors.is_online(node.name)),
        }
        return Exported("hudson.model.ComputerSet", properties)

    def export_computer(self, node: NodeSettings, *, is_inline: bool = False) -> Exported:
        """Export a node. A Pipeline runs on the built-in node without an executor, wherever its steps run."""
        controller, is_online = self._controller, self._controller.executors.is_online(node.name)
        pipelines = [build for build in controller.running if build.job.is_pipeline and not node.name]
        cause, computer = (
            controller.home.nodes.find_offline_cause(node.name),
            controller.clouds.computers.get(node.name),
        )
        is_marked = cause is not None
        if computer is not None and cause is None and not is_online:
            cause = computer.cause
        is_idle = not pipelines and all(slot.node != node.name for slot in controller.executors.busy)
        icon = "symbol-computer" if is_online else "symbol-computer-offline"
        properties: dict[str, Any] = {
            "actions": [],
            "assignedLabels": [self.export_label(label) for label in sort_labels(node.labels)],
            "description": node.description,
            "displayName": computer.shown_title if computer else node.name or "Built-In Node",
            "executors": [self.export_executor(node, number) for number in range(node.executors)],
            "icon": icon,
            "iconClassName": icon,
            "idle": is_idle,
            "jnlpAgent": bool(node.name) and computer is None,
            "launchSupported": not node.name or computer is not None,
            "loadStatistics": self.export_load("hudson.model.Label$1"),
            "manualLaunchAllowed": True,
            "monitorData": self._export_monitors(node),
            "numExecutors": node.executors,
            "offline": not is_online,
            "offlineCause": _export_cause(cause) if cause else None,
            "offlineCauseReason": cause.message if cause else "",
            "oneOffExecutors": [self._export_flyweight(build) for build in pipelines],
            "temporarilyOffline": is_marked,
        }
        if node.name:
            properties["absoluteRemotePath"] = node.folder if is_online else None
        kind = "hudson.slaves.SlaveComputer" if node.name else "hudson.model.Hudson$MasterComputer"
        kind = f"{_FLEET}EC2FleetNodeComputer" if computer is not None else kind
        return Exported(kind, properties, is_inline=is_inline)

    def _export_monitors(self, node: NodeSettings) -> dict[str, Exported | str | None]:
        """Export what the monitors measured: this machine for the built-in node; agents are not measured here."""
        names = ("SwapSpace", "TemporarySpace", "DiskSpace", "Architecture", "ResponseTime", "Clock")
        if node.name:
            return {f"{_MONITORS}{name}Monitor": None for name in names}
        now, home = int(time.time() * 1000), str(self._controller.home.directory)
        free, size = (os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"))
        memory = {
            "availablePhysicalMemory": free,
            "availableSwapSpace": 0,
            "totalPhysicalMemory": size,
            "totalSwapSpace": 0,
        }
        machine = {"x86_64": "amd64"}.get(platform.machine(), platform.machine())
        measured: tuple[Exported | str, ...] = (
            Exported(f"{_MONITORS}SwapSpaceMonitor$MemoryUsage2", memory, is_whole=True),
            _export_space("/tmp", now),
            _export_space(home, now),
            f"{platform.system()} ({machine})",
            Exported(f"{_MONITORS}ResponseTimeMonitor$Data", {"timestamp": now, "average": 0}, is_whole=True),
            Exported("hudson.util.ClockDifference", {"diff": 0}, is_whole=True),
        )
        return {f"{_MONITORS}{name}Monitor": value for name, value in zip(names, measured, strict=True)}

    def export_executor(self, node: NodeSettings, number: int) -> Exported:
        """Export one executor of a node."""
        busy = {slot.number: build for slot, build in self._controller.executors.busy.items() if slot.node == node.name}
        build = busy.get(number)
        return self._export_slot("hudson.model.Executor", number, build, self._export_executable(build))

    def _export_flyweight(self, build: Build) -> Exported:
        return self._export_slot("hudson.model.OneOffExecutor", -1, build, self.export_if_any(build))

    @staticmethod
    def _export_slot(kind: str, number: int, build: Build | None, running: Exported | None) -> Exported:
        progress = -1
        if build is not None and (expected := build.history.estimated) > 0:
            progress = min(99, int(100 * (time.time() * 1000 - build.timestamp) / expected))
        properties = {
            "currentExecutable": running,
            "idle": build is None,
            "likelyStuck": False,
            "number": number,
            "progress": progress,
        }
        return Exported(kind, properties, brief=frozenset(), is_exact=True)

    def _export_executable(self, build: Build | None) -> Exported | None:
        """Export what holds an executor: a freestyle build, or the placeholder task of a Pipeline."""
        if build is None or not build.job.is_pipeline:
            return self.export_if_any(build)
        name = f"part of {build.job.full_name.replace('/', ' » ')} {build.shown_name}"
        properties = {
            "displayName": name,
            "estimatedDuration": build.history.estimated,
            "fullDisplayName": name,
            "number": build.number,
            "timestamp": build.timestamp,
            "url": self.locate(build.path),
        }
        return Exported(PLACEHOLDER, properties)

    def export_label(self, name: str) -> Exported:
        """Export a label; one that no node has is known, too."""
        executors = self._controller.executors
        nodes = [node for node in self._controller.home.configuration.nodes if name in node.labels]
        online = [node for node in nodes if executors.is_online(node.name)]
        total = sum(node.executors for node in online)
        busy = sum(slot.node in {node.name for node in nodes} for slot in executors.busy)
        properties: dict[str, Any] = {
            "actions": [],
            "busyExecutors": busy,
            "clouds": [_export_cloud() for fleet in self._controller.clouds.fleets if fleet.can_provision(name)],
            "description": None,
            "idleExecutors": total - busy if online else 0,
            "loadStatistics": self.export_load("hudson.model.Label$1"),
            "name": name,
            "nodes": lambda: [self.export_node(node) for node in nodes],
            "offline": not online,
            "tiedJobs": lambda: [self.export_item(job) for job in self._controller.home.tree.jobs if job.label == name],
            "totalExecutors": total,
            "propertiesList": [],
        }
        return Exported("hudson.model.labels.LabelAtom", properties, brief=frozenset({"name"}), is_exact=True)

    def export_node(self, node: NodeSettings) -> Exported:
        """Export a node as the object that holds its settings."""
        is_of_cloud = node.name in self._controller.clouds.computers
        kind = f"{_FLEET}EC2FleetNode" if is_of_cloud else "hudson.slaves.DumbSlave"
        return Exported(kind, self._list_settings(node), brief=frozenset({"nodeName"}))

    def _list_settings(self, node: NodeSettings) -> dict[str, Any]:
        return {
            "assignedLabels": lambda: [self.export_label(label) for label in sort_labels(node.labels)],
            "mode": "EXCLUSIVE" if node.is_exclusive else "NORMAL",
            "nodeDescription": node.description,
            "nodeName": node.name,
            "numExecutors": node.executors,
        }

    @staticmethod
    def export_load(kind: str) -> Exported:
        """Export load statistics. The emulator keeps no history: every series has only its present value, which is 0."""
        names = (*_SERIES, "totalQueueLength") if kind == OVERALL else _SERIES
        exported = {name: _export_series() for name in names}
        return Exported(kind, exported, brief=frozenset(), is_exact=kind == OVERALL)


def _export_cause(cause: OfflineCause) -> Exported:
    values = {"timestamp": cause.timestamp, "description": cause.description}
    return Exported(f"hudson.slaves.OfflineCause${cause.kind}", values, is_whole=True)


def _export_cloud() -> Exported:
    return Exported(f"{_FLEET}EC2FleetCloud", {}, brief=frozenset())


OVERALL = "hudson.model.OverallLoadStatistics"


def _export_series() -> Exported:
    moments = Exported("hudson.model.TimeSeries", {"history": [0.0], "latest": 0.0}, brief=frozenset(), is_exact=True)
    scales = {"hour": moments, "min": moments, "sec10": moments}
    return Exported("hudson.model.MultiStageTimeSeries", scales, brief=frozenset(), is_exact=True)


def _export_space(path: str, now: int) -> Exported:
    usage = shutil.disk_usage(path)
    values = {
        "timestamp": now,
        "path": path,
        "size": usage.free,
        "threshold": _GIB,
        "totalSize": usage.total,
        "warningThreshold": 2 * _GIB,
    }
    return Exported(_SPACE, values, is_whole=True)
