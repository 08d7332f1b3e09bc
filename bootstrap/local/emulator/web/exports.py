"""The objects that the remote API shows, with Jenkins' own classes and property names.

The controller, its computers, plugins and users are here; items are in `exports_items`, builds in `exports_builds`.
"""

from __future__ import annotations

from ..model.builds import Build
from ..model.security import User
from .api import Exported
from .exports_items import ItemExports

PLACEHOLDER = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask$PlaceholderExecutable"


class Exports(ItemExports):
    """What one user sees of a controller; `base` is the URL that the request came to."""

    def root(self) -> Exported:
        """The controller itself."""
        controller, settings = self._controller, self._controller.home.configuration
        return Exported(
            "hudson.model.Hudson",
            {
                "assignedLabels": [Exported("", {"name": label}) for label in sorted(settings.labels)],
                "mode": "EXCLUSIVE" if settings.is_exclusive else "NORMAL",
                "nodeDescription": "the Jenkins controller's built-in node",
                "nodeName": "",
                "numExecutors": settings.executors,
                "description": settings.value("jenkins", "systemMessage"),
                "jobs": lambda: self.items(controller.home.tree.root),
                "overallLoad": Exported("", {}),
                "primaryView": lambda: self.view(controller.home.tree.root, self._primary(controller.home.tree.root)),
                "quietDownReason": controller.quiet_mode.reason or None,
                "quietingDown": controller.quiet_mode.is_on,
                "slaveAgentPort": int(settings.value("jenkins", "slaveAgentPort", default=-1)),
                "unlabeledLoad": Exported("jenkins.model.UnlabeledLoadStatistics", {}),
                "url": self._base,
                "useCrumbs": True,
                "useSecurity": controller.home.is_secured,
                "views": lambda: [
                    self.view(controller.home.tree.root, view) for view in controller.home.tree.root.views
                ],
            },
        )

    def computers(self) -> Exported:
        """The nodes: here always the built-in one alone."""
        busy, total = len(self._controller.executors.busy), self._controller.home.configuration.executors
        properties = {
            "busyExecutors": busy,
            "computer": [self.computer()],
            "displayName": "Nodes",
            "totalExecutors": total,
        }
        return Exported("hudson.model.ComputerSet", properties)

    def computer(self) -> Exported:
        """The built-in node."""
        controller = self._controller
        pipelines = [build for build in controller.running if build.job.is_pipeline]
        slots = [
            Exported(
                "",
                {
                    "currentExecutable": self._executable(controller.executors.busy.get(number)),
                    "idle": number not in controller.executors.busy,
                    "number": number,
                },
            )
            for number in range(controller.home.configuration.executors)
        ]
        return Exported(
            "hudson.model.Hudson$MasterComputer",
            {
                "actions": [],
                "assignedLabels": [
                    Exported("", {"name": label}) for label in sorted(controller.home.configuration.labels)
                ],
                "description": "the Jenkins controller's built-in node",
                "displayName": "Built-In Node",
                "executors": slots,
                "icon": "symbol-computer",
                "iconClassName": "symbol-computer",
                "idle": not controller.executors.busy and not pipelines,
                "jnlpAgent": False,
                "launchSupported": True,
                "manualLaunchAllowed": True,
                "monitorData": {},
                "numExecutors": controller.home.configuration.executors,
                "offline": False,
                "offlineCause": None,
                "offlineCauseReason": "",
                "oneOffExecutors": [
                    Exported(
                        "", {"currentExecutable": self.build(build), "idle": False, "number": -1, "likelyStuck": False}
                    )
                    for build in pipelines
                ],
                "temporarilyOffline": False,
            },
            is_inline=True,
        )

    def _executable(self, build: Build | None) -> Exported | None:
        """What holds an executor: a freestyle build itself, of a Pipeline its placeholder."""
        if build is None or not build.job.is_pipeline:
            return self.maybe(build)
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

    def plugins(self) -> Exported:
        """The plugins of the lock."""
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
                    "requiredCoreVersion": self._controller.home.surroundings.version,
                    "shortName": name,
                    "supportsDynamicLoad": "MAYBE",
                    "url": None,
                    "version": version,
                },
                brief=frozenset(),
            )
            for name, version in sorted(self._controller.home.surroundings.plugins.items())
        ]
        return Exported("hudson.LocalPluginManager", {"plugins": shown})

    def user(self, user: User) -> Exported:
        """An account."""
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

    def who_am_i(self) -> Exported:
        """The caller."""
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
