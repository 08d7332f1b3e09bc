"""The objects that the remote API shows, with Jenkins' own classes and property names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .api import Exported
from .builds import COLORS, Build, Cause, Parameter
from .items import FREESTYLE, Folder, Item, Job, ParameterDefinition
from .queue import QueueItem
from .security import Identity, User
from .views import View

if TYPE_CHECKING:
    from .controller import Controller


class Exports:
    """What one user sees of a controller; `base` is the URL that the request came to."""

    def __init__(self, controller: Controller, identity: Identity, base: str) -> None:
        self._controller, self._identity, self._base = controller, identity, base

    def _may_read(self, item: Item) -> bool:
        return self._controller.authorization.allows(self._identity, "Job/Read")

    def root(self) -> Exported:
        """The controller itself."""
        controller, settings = self._controller, self._controller.configuration
        return Exported(
            "hudson.model.Hudson",
            {
                "assignedLabels": [Exported("", {"name": label}) for label in sorted(settings.labels)],
                "mode": "EXCLUSIVE" if settings.is_exclusive else "NORMAL",
                "nodeDescription": "the Jenkins controller's built-in node",
                "nodeName": "",
                "numExecutors": settings.executors,
                "description": settings.value("jenkins", "systemMessage"),
                "jobs": lambda: self.items(controller.tree.root),
                "overallLoad": Exported("", {}),
                "primaryView": lambda: self.view(controller.tree.root, self._primary(controller.tree.root)),
                "quietDownReason": controller.quieting_reason or None,
                "quietingDown": controller.quieting_reason is not None,
                "slaveAgentPort": int(settings.value("jenkins", "slaveAgentPort", default=-1)),
                "unlabeledLoad": Exported("jenkins.model.UnlabeledLoadStatistics", {}),
                "url": self._base,
                "useCrumbs": True,
                "useSecurity": controller.is_secured,
                "views": lambda: [self.view(controller.tree.root, view) for view in controller.tree.root.views],
            },
        )

    @staticmethod
    def _primary(folder: Folder) -> View | None:
        return next(
            (view for view in folder.views if view.name == folder.primary_view),
            folder.views[0] if folder.views else None,
        )

    def items(self, folder: Folder) -> list[Exported]:
        """The items directly in a folder."""
        return [self.item(item) for item in folder.items if self._may_read(item)]

    def item(self, item: Item) -> Exported:
        """A folder or a job."""
        return (
            self.folder(item)
            if isinstance(item, Folder)
            else self.job(item)
            if isinstance(item, Job)
            else Exported("", {})
        )

    def _common(self, item: Item) -> dict[str, Any]:
        return {
            "description": item.description,
            "displayName": item.display_name,
            "displayNameOrNull": None,
            "fullDisplayName": item.full_name.replace("/", " » "),
            "fullName": item.full_name,
            "name": item.name,
            "url": self._base + item.path,
        }

    def folder(self, folder: Folder) -> Exported:
        """A folder; in lists it has no colour."""
        properties = {
            "actions": [],
            **self._common(folder),
            "healthReport": [],
            "jobs": lambda: self.items(folder),
            "primaryView": lambda: self.view(folder, self._primary(folder)),
            "views": lambda: [self.view(folder, view) for view in folder.views],
        }
        return Exported("com.cloudbees.hudson.plugins.folder.Folder", properties, brief=frozenset({"name", "url"}))

    def color(self, job: Job) -> str:
        """The ball of a job."""
        last = job.build("lastBuild")
        done = job.build("lastCompletedBuild")
        color = "disabled" if job.is_disabled else COLORS.get(done.result or "", "notbuilt") if done else "notbuilt"
        return color + "_anime" if last and last.is_building else color

    def job(self, job: Job) -> Exported:
        """A job."""
        waiting = self._controller.queue.of(job)
        definitions = job.parameters
        properties: dict[str, Any] = {
            "actions": [],
            **self._common(job),
            "buildable": not job.is_disabled and not job.is_held,
            "builds": lambda: [self.build(build) for build in job.history.all()[:100]],
            "allBuilds": lambda: [self.build(build) for build in job.history.all()],
            "color": self.color(job),
            "firstBuild": lambda: self.maybe(job.history.all()[-1] if job.history.all() else None),
            "healthReport": lambda: self._health(job),
            "inQueue": waiting is not None,
            "keepDependencies": False,
        }
        for name in (
            "Build",
            "CompletedBuild",
            "FailedBuild",
            "StableBuild",
            "SuccessfulBuild",
            "UnstableBuild",
            "UnsuccessfulBuild",
        ):
            properties[f"last{name}"] = lambda name=name: self.maybe(job.build(f"last{name}"))
        properties["nextBuildNumber"] = job.history.next_number
        properties["property"] = lambda: [self._parameters_property(definitions)] if definitions else []
        properties["queueItem"] = lambda: self.queue_item(waiting) if waiting else None
        properties["concurrentBuild"] = job.is_concurrent
        properties["disabled"] = job.is_disabled
        if job.root.tag == FREESTYLE:
            properties.update({"downstreamProjects": [], "labelExpression": job.label or None, "upstreamProjects": []})
            has_scm = (
                str(job.root.find("scm").get("class", "")).endswith("GitSCM")
                if job.root.find("scm") is not None
                else False
            )
            properties["scm"] = Exported("hudson.plugins.git.GitSCM" if has_scm else "hudson.scm.NullSCM", {})
        kind = "org.jenkinsci.plugins.workflow.job.WorkflowJob" if job.is_pipeline else "hudson.model.FreeStyleProject"
        return Exported(kind, properties, frozenset({"allBuilds"}), brief=frozenset({"name", "url", "color"}))

    @staticmethod
    def _health(job: Job) -> list[Exported]:
        recent = [build for build in job.history.all() if not build.is_building][:5]
        if not recent:
            return []
        good = sum(build.result in {"SUCCESS", "UNSTABLE"} for build in recent)
        score = 100 * good // len(recent)
        text = f"Build stability: {len(recent) - good} out of the last {len(recent)} builds failed."
        return [
            Exported(
                "",
                {
                    "description": text,
                    "iconClassName": f"icon-health-{score // 20 * 20:02d}to{score // 20 * 20 + 19}",
                    "score": score,
                },
                is_whole=True,
            )
        ]

    @staticmethod
    def _parameters_property(definitions: tuple[ParameterDefinition, ...]) -> Exported:
        shown = []
        for entry in definitions:
            kind = f"hudson.model.{entry.kind}"
            value = Exported(
                kind.replace("Definition", "Value"),
                {"name": entry.name, "value": _typed(entry.kind, entry.default)},
                is_whole=True,
            )
            properties: dict[str, Any] = {
                "name": entry.name,
                "type": entry.kind,
                "description": entry.description,
                "defaultParameterValue": None if entry.is_secret else value,
            }
            if entry.choices:
                properties["choices"] = list(entry.choices)
            shown.append(Exported(kind, properties, is_whole=True))
        return Exported("hudson.model.ParametersDefinitionProperty", {"parameterDefinitions": shown}, is_whole=True)

    def maybe(self, build: Build | None) -> Exported | None:
        """A build or nothing."""
        return self.build(build) if build else None

    def build(self, build: Build) -> Exported:
        """A build."""
        is_pipeline = build.job.is_pipeline
        slot = next((number for number, held in self._controller.executors.busy.items() if held is build), None)
        properties: dict[str, Any] = {
            "actions": lambda: self._actions(build),
            "artifacts": lambda: [
                Exported(
                    "",
                    {"displayPath": path.rpartition("/")[2], "fileName": path.rpartition("/")[2], "relativePath": path},
                    is_whole=True,
                )
                for path in build.artifacts
            ],
            "building": build.is_building,
            "description": build.description or None,
            "displayName": build.shown_name,
            "duration": 0 if build.is_building else build.duration,
            "estimatedDuration": build.job.history.estimated,
            "executor": Exported(
                "hudson.model.OneOffExecutor" if is_pipeline else "hudson.model.Executor",
                {"number": slot},
                is_whole=True,
            )
            if build.is_building
            else None,
            "fullDisplayName": f"{build.job.full_name.replace('/', ' » ')} {build.shown_name}",
            "id": str(build.number),
            "inProgress": build.is_building,
            "keepLog": build.is_kept,
            "number": build.number,
            "queueId": build.queue_id,
            "result": None if build.is_building else build.result,
            "timestamp": build.timestamp,
            "url": self._base + build.path,
            "nextBuild": None,
            "previousBuild": lambda: self._previous(build),
        }
        changes = Exported(
            "hudson.plugins.git.GitChangeSetList",
            {"items": lambda: [self._change(entry) for entry in build.changes], "kind": "git"},
            is_whole=True,
        )
        if is_pipeline:
            properties["changeSets"] = [changes] if build.changes else []
        else:
            properties.update({"builtOn": "", "changeSet": changes})
        properties["culprits"] = []
        kind = "org.jenkinsci.plugins.workflow.job.WorkflowRun" if is_pipeline else "hudson.model.FreeStyleBuild"
        return Exported(kind, properties, brief=frozenset({"number", "url"}))

    def _previous(self, build: Build) -> Exported | None:
        return self.maybe(next((other for other in build.job.history.all() if other.number < build.number), None))

    @staticmethod
    def _change(entry: dict[str, Any]) -> Exported:
        properties = {
            "affectedPaths": entry["paths"],
            "commitId": entry["id"],
            "timestamp": entry["timestamp"],
            "author": Exported("", {"fullName": entry["author"]}, is_whole=True),
            "authorEmail": entry["email"],
            "comment": entry["msg"] + "\n",
            "id": entry["id"],
            "msg": entry["msg"],
        }
        return Exported("hudson.plugins.git.GitChangeSet", properties, is_whole=True)

    def _actions(self, build: Build) -> list[Exported]:
        actions = [
            Exported(
                "hudson.model.CauseAction", {"causes": [self.cause(cause) for cause in build.causes]}, is_whole=True
            )
        ]
        if build.parameters:
            actions.append(self._parameters(build.parameters))
        if build.revision:
            branch = Exported(
                "", {"SHA1": build.revision, "name": f"refs/remotes/origin/{build.branch}"}, is_whole=True
            )
            revision = Exported("", {"SHA1": build.revision, "branch": [branch]}, is_whole=True)
            actions.append(
                Exported(
                    "hudson.plugins.git.util.BuildData",
                    {"lastBuiltRevision": revision, "remoteUrls": [build.remote], "scmName": ""},
                    is_whole=True,
                )
            )
        if build.tests:
            counts = {
                "failCount": build.tests.failed,
                "skipCount": build.tests.skipped,
                "totalCount": build.tests.total,
                "urlName": "testReport",
            }
            actions.append(Exported("hudson.tasks.junit.TestResultAction", counts, is_whole=True))
        return actions

    @staticmethod
    def cause(cause: Cause) -> Exported:
        """Why a build runs."""
        values: dict[str, Any] = {
            key: int(text) if key == "upstreamBuild" else text for key, text in cause.values.items()
        }
        return Exported(cause.kind, {"shortDescription": cause.text, **values}, is_whole=True)

    @staticmethod
    def _parameters(parameters: list[Parameter]) -> Exported:
        shown = []
        for entry in parameters:
            properties: dict[str, Any] = {"name": entry.name}
            if not entry.is_secret:
                properties["value"] = _typed(entry.kind, entry.value)
            shown.append(
                Exported("hudson.model." + entry.kind.replace("Definition", "Value"), properties, is_whole=True)
            )
        return Exported("hudson.model.ParametersAction", {"parameters": shown}, is_whole=True)

    def queue_item(self, item: QueueItem) -> Exported:
        """A queue item, waiting or gone."""
        is_blocked = "already in progress" in item.why
        is_buildable = item.left is None and not is_blocked and "quiet period" not in item.why
        kind = (
            "LeftItem"
            if item.left
            else "BlockedItem"
            if is_blocked
            else "BuildableItem"
            if is_buildable
            else "WaitingItem"
        )
        properties: dict[str, Any] = {
            "actions": [
                Exported(
                    "hudson.model.CauseAction", {"causes": [self.cause(cause) for cause in item.causes]}, is_whole=True
                )
            ]
            + ([self._parameters(item.parameters)] if item.parameters else []),
            "blocked": is_blocked,
            "buildable": is_buildable,
            "id": item.identifier,
            "inQueueSince": item.since,
            "params": "".join(
                f"\n{entry.name}={'******' if entry.is_secret else entry.value}" for entry in item.parameters
            ),
            "stuck": False,
            "task": Exported(
                self.job(item.job).kind,
                {"name": item.job.name, "url": self._base + item.job.path, "color": self.color(item.job)},
            ),
            "url": item.url,
            "why": None if item.left else item.why or "Finished waiting",
        }
        if item.left:
            properties["cancelled"] = item.is_cancelled
            properties["executable"] = (
                Exported(
                    self.build(item.build).kind, {"number": item.build.number, "url": self._base + item.build.path}
                )
                if item.build
                else None
            )
        elif kind == "WaitingItem":
            properties["timestamp"] = int(item.due * 1000)
        return Exported(f"hudson.model.Queue${kind}", properties, brief=frozenset(properties))

    def queue(self) -> Exported:
        """Everything that waits."""
        return Exported(
            "hudson.model.Queue",
            {"discoverableItems": [], "items": [self.queue_item(item) for item in self._controller.queue.waiting]},
        )

    def view(self, folder: Folder, view: View | None) -> Exported | None:
        """A view of the root or of a folder."""
        if view is None:
            return None
        is_primary = view is self._primary(folder)
        url = self._base + folder.path + ("" if is_primary else f"view/{view.name}/")
        properties: dict[str, Any] = {
            "description": None,
            "jobs": lambda: [self.item(item) for item in view.members(folder) if self._may_read(item)],
            "name": view.name,
            "property": [],
            "url": url,
        }
        return Exported(view.kind, properties, brief=frozenset({"name", "url"}))

    def computers(self) -> Exported:
        """The nodes: here always the built-in one alone."""
        busy, total = len(self._controller.executors.busy), self._controller.configuration.executors
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
        slots = [
            Exported(
                "",
                {
                    "currentExecutable": self.maybe(controller.executors.busy.get(number)),
                    "idle": number not in controller.executors.busy,
                    "number": number,
                },
            )
            for number in range(controller.configuration.executors)
        ]
        return Exported(
            "hudson.model.Hudson$MasterComputer",
            {
                "actions": [],
                "assignedLabels": [Exported("", {"name": label}) for label in sorted(controller.configuration.labels)],
                "description": "the Jenkins controller's built-in node",
                "displayName": "Built-In Node",
                "executors": slots,
                "icon": "symbol-computer",
                "iconClassName": "symbol-computer",
                "idle": not controller.executors.busy,
                "jnlpAgent": False,
                "launchSupported": True,
                "manualLaunchAllowed": True,
                "monitorData": {},
                "numExecutors": controller.configuration.executors,
                "offline": False,
                "offlineCause": None,
                "offlineCauseReason": "",
                "oneOffExecutors": [],
                "temporarilyOffline": False,
            },
            is_inline=True,
        )

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
                    "requiredCoreVersion": self._controller.surroundings.version,
                    "shortName": name,
                    "supportsDynamicLoad": "MAYBE",
                    "url": None,
                    "version": version,
                },
                brief=frozenset(),
            )
            for name, version in sorted(self._controller.surroundings.plugins.items())
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


def _typed(kind: str, value: str) -> object:
    return value == "true" if kind == "BooleanParameterDefinition" else value
