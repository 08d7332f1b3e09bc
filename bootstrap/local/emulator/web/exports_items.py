"""Exports jobs, folders, views and the queue for the remote API."""

from __future__ import annotations

from typing import Any

from ..execution.executors import PartWaiting
from ..execution.queue import QueueItem
from ..model.build_record import COLORS
from ..model.item_tree import FREESTYLE
from ..model.items import Folder, Item
from ..model.job_configuration import ParameterDefinition
from ..model.jobs import Job
from ..model.views import View
from .api import Exported
from .exports_builds import BuildExports, convert_value

PART = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask"


class ItemExports(BuildExports):
    """Exports the items and the queue as one user may see them."""

    def _may_read(self, item: Item) -> bool:
        return self._controller.home.authorization.allows(self._identity, "Job/Read")

    def export_items(self, folder: Folder) -> list[Exported]:
        """Export the items directly in a folder that the user may read."""
        return [self.export_item(item) for item in folder.items if self._may_read(item)]

    def export_item(self, item: Item) -> Exported:
        """Export a folder or a job."""
        return (
            self.export_folder(item)
            if isinstance(item, Folder)
            else self.export_job(item)
            if isinstance(item, Job)
            else Exported("", {})
        )

    def _export_common(self, item: Item) -> dict[str, Any]:
        return {
            "description": item.description,
            "displayName": item.display_name,
            "displayNameOrNull": None,
            "fullDisplayName": item.full_name.replace("/", " » "),
            "fullName": item.full_name,
            "name": item.name,
            "url": self._base + item.path,
        }

    def export_folder(self, folder: Folder) -> Exported:
        """Export a folder; in lists it has no colour."""
        properties = {
            "actions": [],
            **self._export_common(folder),
            "healthReport": [],
            "jobs": lambda: self.export_items(folder),
            "primaryView": lambda: self.export_view(folder, self._find_primary_view(folder)),
            "views": lambda: [self.export_view(folder, view) for view in folder.views],
        }
        return Exported("com.cloudbees.hudson.plugins.folder.Folder", properties, brief=frozenset({"name", "url"}))

    def read_color(self, job: Job) -> str:
        """Read the colour of a job's ball: the result of its last completed build, with '_anime' while a build runs."""
        last = job.find_build("lastBuild")
        done = job.find_build("lastCompletedBuild")
        color = "disabled" if job.is_disabled else COLORS.get(done.result or "", "notbuilt") if done else "notbuilt"
        return color + "_anime" if last and last.is_building else color

    def export_job(self, job: Job) -> Exported:
        """Export a job."""
        waiting = self._controller.queue.of(job)
        definitions = job.parameters
        properties: dict[str, Any] = {
            "actions": [],
            **self._export_common(job),
            "buildable": not job.is_disabled and not job.is_held,
            "builds": lambda: [self.export_build(build) for build in job.history.list_builds()[:100]],
            "allBuilds": lambda: [self.export_build(build) for build in job.history.list_builds()],
            "color": self.read_color(job),
            "firstBuild": lambda: self.export_if_any(
                job.history.list_builds()[-1] if job.history.list_builds() else None
            ),
            "healthReport": lambda: self._export_health(job),
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
            properties[f"last{name}"] = lambda name=name: self.export_if_any(job.find_build(f"last{name}"))
        properties["nextBuildNumber"] = job.history.next_number
        properties["property"] = lambda: [self._export_definitions(definitions)] if definitions else []
        properties["queueItem"] = lambda: self.export_queue_item(waiting) if waiting else None
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
    def _export_health(job: Job) -> list[Exported]:
        recent = [build for build in job.history.list_builds() if not build.is_building][:5]
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
    def _export_definitions(definitions: tuple[ParameterDefinition, ...]) -> Exported:
        shown = []
        for entry in definitions:
            kind = f"hudson.model.{entry.kind}"
            value = Exported(
                kind.replace("Definition", "Value"),
                {"name": entry.name, "value": convert_value(entry.kind, entry.default)},
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

    def export_queue_item(self, item: QueueItem) -> Exported:
        """Export a queue item that waits, or that left the queue a short time ago."""
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
                    "hudson.model.CauseAction",
                    {"causes": [self.export_cause(cause) for cause in item.causes]},
                    is_whole=True,
                )
            ]
            + ([self._export_parameters(item.parameters)] if item.parameters else []),
            "blocked": is_blocked,
            "buildable": is_buildable,
            "id": item.identifier,
            "inQueueSince": item.since,
            "params": "".join(
                f"\n{entry.name}={'******' if entry.is_secret else entry.value}" for entry in item.parameters
            ),
            "stuck": False,
            "task": Exported(
                self.export_job(item.job).kind,
                {"name": item.job.name, "url": self._base + item.job.path, "color": self.read_color(item.job)},
            ),
            "url": item.url,
            "why": None if item.left else item.why or "Finished waiting",
        }
        if item.left:
            properties["cancelled"] = item.is_cancelled
            properties["executable"] = (
                Exported(
                    self.export_build(item.build).kind,
                    {"number": item.build.number, "url": self._base + item.build.path},
                )
                if item.build
                else None
            )
        elif kind == "WaitingItem":
            properties["timestamp"] = int(item.due * 1000)
        return Exported(f"hudson.model.Queue${kind}", properties, brief=frozenset(properties))

    def export_queue(self) -> Exported:
        """Export what waits: items of jobs that the caller may read, and only the names of jobs that he may discover."""
        waiting = self._controller.queue.waiting
        read = [self.export_queue_item(item) for item in waiting if self._may_read(item.job)]
        read += [
            self.export_queue_part(part)
            for part in self._controller.executors.waiting
            if self._may_read(part.build.job)
        ]
        known = [self._export_stub(item) for item in waiting if not self._may_read(item.job) and self._may_discover()]
        return Exported("hudson.model.Queue", {"discoverableItems": known, "items": read})

    def export_queue_part(self, part: PartWaiting) -> Exported:
        """Export a part of a Pipeline that waits for an executor; in Jenkins the URL of its task is the path of the build."""
        name = f"part of {part.build.job.full_name.replace('/', ' » ')} {part.build.shown_name}"
        task = {"fullDisplayName": name, "name": name, "url": part.build.path}
        properties: dict[str, Any] = {
            "actions": [],
            "blocked": False,
            "buildable": True,
            "id": part.identifier,
            "inQueueSince": part.since,
            "params": "",
            "stuck": False,
            "task": Exported(PART, task, is_whole=True),
            "url": f"queue/item/{part.identifier}/",
            "why": self._controller.executors.why(part),
        }
        return Exported("hudson.model.Queue$BuildableItem", properties, brief=frozenset(properties))

    def _may_discover(self) -> bool:
        return self._controller.home.authorization.allows(self._identity, "Job/Discover")

    @staticmethod
    def _export_stub(item: QueueItem) -> Exported:
        task = Exported("hudson.model.Queue$StubTask", {"name": item.job.name}, is_whole=True)
        return Exported("hudson.model.Queue$StubItem", {"task": task}, is_whole=True)

    def export_view(self, folder: Folder, view: View | None) -> Exported | None:
        """Export a view of the root or of a folder; None for None."""
        if view is None:
            return None
        is_primary = view is self._find_primary_view(folder)
        url = self._base + folder.path + ("" if is_primary else f"view/{view.name}/")
        properties: dict[str, Any] = {
            "description": None,
            "jobs": lambda: [self.export_item(item) for item in folder.list_shown(view) if self._may_read(item)],
            "name": view.name,
            "property": [],
            "url": url,
        }
        return Exported(view.kind, properties, brief=frozenset({"name", "url"}))

    @staticmethod
    def _find_primary_view(folder: Folder) -> View | None:
        return next(
            (view for view in folder.views if view.name == folder.primary_view),
            folder.views[0] if folder.views else None,
        )
