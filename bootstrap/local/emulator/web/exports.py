"""Exports objects for the remote API, with Jenkins' own classes and property names.

The controller, its computers, plugins and users are here; items are in `exports_items`, builds in `exports_builds`.
"""

from __future__ import annotations

from ..model.builds import Build
from ..model.configuration import NodeSettings
from ..model.security import User
from .api import Exported
from .exports_items import PART, ItemExports

PLACEHOLDER = f"{PART}$PlaceholderExecutable"


class Exports(ItemExports):
    """Exports the controller as one user may see it; `base` is the URL that the request came to."""

    def export_root(self) -> Exported:
        """Export the controller itself."""
        controller, settings = self._controller, self._controller.home.configuration
        return Exported(
            "hudson.model.Hudson",
            {
                "assignedLabels": [Exported("", {"name": label}) for label in sorted(settings.labels)],
                "mode": "EXCLUSIVE" if settings.is_exclusive else "NORMAL",
                "nodeDescription": "the Jenkins controller's built-in node",
                "nodeName": "",
                "numExecutors": settings.executors,
                "description": settings.read("jenkins", "systemMessage"),
                "jobs": lambda: self.export_items(controller.home.tree.root),
                "overallLoad": Exported("", {}),
                "primaryView": lambda: self.export_view(
                    controller.home.tree.root, self._find_primary_view(controller.home.tree.root)
                ),
                "quietDownReason": controller.quiet_mode.reason or None,
                "quietingDown": controller.quiet_mode.is_on,
                "slaveAgentPort": int(settings.read("jenkins", "slaveAgentPort", default=-1)),
                "unlabeledLoad": Exported("jenkins.model.UnlabeledLoadStatistics", {}),
                "url": self._base,
                "useCrumbs": True,
                "useSecurity": controller.home.is_secured,
                "views": lambda: [
                    self.export_view(controller.home.tree.root, view) for view in controller.home.tree.root.views
                ],
            },
        )

    def export_computers(self) -> Exported:
        """Export all nodes: the built-in node and the agents."""
        nodes, executors = self._controller.home.configuration.nodes, self._controller.executors
        properties = {
            "busyExecutors": len(executors.busy),
            "computer": [self.export_computer(node) for node in nodes],
            "displayName": "Nodes",
            "totalExecutors": sum(node.executors for node in nodes if executors.is_online(node.name)),
        }
        return Exported("hudson.model.ComputerSet", properties)

    def export_computer(self, node: NodeSettings) -> Exported:
        """Export a node. A Pipeline runs on the built-in node without an executor, wherever its steps run."""
        controller, is_online = self._controller, self._controller.executors.is_online(node.name)
        pipelines = [build for build in controller.running if build.job.is_pipeline and not node.name]
        busy = {slot.number: build for slot, build in controller.executors.busy.items() if slot.node == node.name}
        slots = [
            Exported(
                "",
                {
                    "currentExecutable": self._export_executable(busy.get(number)),
                    "idle": number not in busy,
                    "number": number,
                },
            )
            for number in range(node.executors)
        ]
        return Exported(
            "hudson.slaves.SlaveComputer" if node.name else "hudson.model.Hudson$MasterComputer",
            {
                "actions": [],
                "assignedLabels": [Exported("", {"name": label}) for label in sorted(node.labels)],
                "description": node.description,
                "displayName": node.name or "Built-In Node",
                "executors": slots,
                "icon": "symbol-computer" if is_online else "symbol-computer-offline",
                "iconClassName": "symbol-computer" if is_online else "symbol-computer-offline",
                "idle": not busy and not pipelines,
                "jnlpAgent": bool(node.name),
                "launchSupported": not node.name,
                "manualLaunchAllowed": True,
                "monitorData": {},
                "numExecutors": node.executors,
                "offline": not is_online,
                "offlineCause": None,
                "offlineCauseReason": "",
                "oneOffExecutors": [
                    Exported(
                        "",
                        {
                            "currentExecutable": self.export_build(build),
                            "idle": False,
                            "number": -1,
                            "likelyStuck": False,
                        },
                    )
                    for build in pipelines
                ],
                "temporarilyOffline": False,
            },
            is_inline=True,
        )

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
            "url": self._base + build.path,
        }
        return Exported(PLACEHOLDER, properties)

    def export_plugins(self) -> Exported:
        """Export the plugins of the lock."""
        shown = [
            Exported(
                "hudson.PluginWrapper",
                {
                    "active": True,
                    "backupVersion": None,
                    "bundled": False,
                    "deleted": False,
                    "dependencies": [],
                    "detached": False,
                    "downgradable": False,
                    "enabled": True,
                    "hasUpdate": False,
                    "longName": name.replace("-", " ").title(),
                    "pinned": False,
                    "requiredCoreVersion": self._controller.home.options.version,
                    "shortName": name,
                    "supportsDynamicLoad": "MAYBE",
                    "url": None,
                    "version": version,
                },
                brief=frozenset(),
            )
            for name, version in sorted(self._controller.home.options.plugins.items())
        ]
        return Exported("hudson.LocalPluginManager", {"plugins": shown})

    def export_user(self, user: User) -> Exported:
        """Export a user."""
        properties: list[Exported] = []
        if user.email:
            properties.append(Exported("hudson.tasks.Mailer$UserProperty", {"address": user.email}, is_whole=True))
        return Exported(
            "hudson.model.User",
            {
                "absoluteUrl": f"{self._base}user/{user.identifier.lower()}",
                "description": user.description or None,
                "fullName": user.full_name,
                "id": user.identifier,
                "property": properties,
            },
        )

    def export_caller(self) -> Exported:
        """Export the identity of the caller."""
        identity = self._identity
        return Exported(
            "hudson.security.WhoAmI",
            {
                "anonymous": identity.is_anonymous,
                "authenticated": True,
                "authorities": list(identity.groups),
                "details": None,
                "name": identity.name,
                "toString": identity.name,
            },
        )
