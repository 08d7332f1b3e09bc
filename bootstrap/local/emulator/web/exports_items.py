"""Exports jobs, folders, views and the queue for the remote API."""

from __future__ import annotations

from typing import Any

from ..execution.executors import PartWaiting
from ..execution.queue import THROTTLED, QueueItem
from ..model import xmlfile
from ..model.build_record import COLORS
from ..model.item_tree import FREESTYLE
from ..model.items import Folder, Item, encode_name
from ..model.job_configuration import MATRIX, PIPELINE
from ..model.jobs import Job
from ..model.views import View
from .api import Exported
from .exports_builds import BuildExports
from .exports_jobs import export_health, export_properties

PART = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask"
KINDS = {
    FREESTYLE: "hudson.model.FreeStyleProject",
    PIPELINE: "org.jenkinsci.plugins.workflow.job.WorkflowJob",
    MATRIX: "hudson.matrix.MatrixProject",
}
CREDENTIALS = "com.cloudbees.plugins.credentials."
FOLDER_STORE = (
    "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider$FolderCredentialsProperty"
    "$CredentialsStoreActionImpl"
)
# Actions that export nothing have no class in Jenkins' answers.
_NAMELESS = [Exported("", {})] * 5


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
            "description": item.description or None,
            "displayName": item.display_name,
            "displayNameOrNull": xmlfile.read_text(item.root, "displayName") or None,
            "fullDisplayName": item.full_name.replace("/", " » "),
            "fullName": item.full_name,
            "name": item.name,
            "url": self.locate(item.path),
        }

    def export_folder(self, folder: Folder) -> Exported:
        """Export a folder; in lists it has no colour."""
        properties = {
            "actions": lambda: self._export_folder_actions(folder),
            **self._export_common(folder),
            "healthReport": [],
            "jobs": lambda: self.export_items(folder),
            "primaryView": lambda: self.export_view(folder, folder.first_view),
            "views": lambda: self.export_views(folder),
        }
        return Exported(str(folder.root.tag), properties, brief=frozenset({"name", "url"}))

    @staticmethod
    def _export_folder_actions(folder: Folder) -> list[Exported]:
        folder.has_actions = True
        stores = {"folder": Exported(FOLDER_STORE, {})}
        return [*_NAMELESS[:2], Exported(f"{CREDENTIALS}ViewCredentialsAction", {"stores": stores})]

    def _export_job_actions(self, job: Job) -> list[Exported]:
        """Export the actions of a job: most are empty; one of them is for people who may configure the job."""
        job.has_actions = True
        may_configure = self._controller.home.authorization.allows(self._identity, "Job/Configure")
        display = {"displayUrl": self._controller.home.url + job.path}
        return [
            *_NAMELESS[: 5 if may_configure else 4],
            Exported("org.jenkinsci.plugins.displayurlapi.actions.JobDisplayAction", display, brief=frozenset()),
            Exported(f"{CREDENTIALS}ViewCredentialsAction", {"stores": {}}),
        ]

    def read_color(self, job: Job) -> str:
        """Read the colour of a job's ball: the result of its last completed build, with '_anime' while a build runs."""
        last = job.find_build("lastBuild")
        done = job.find_build("lastCompletedBuild")
        color = "disabled" if job.is_disabled else COLORS.get(done.result or "", "notbuilt") if done else "notbuilt"
        return color + "_anime" if last and last.is_building else color

    def export_job(self, job: Job) -> Exported:
        """Export a job."""
        waiting = self._controller.queue.find_of_job(job)
        properties: dict[str, Any] = {
            "actions": lambda: self._export_job_actions(job),
            **self._export_common(job),
            "buildable": not job.is_disabled and not job.is_held,
            "builds": lambda: [self.export_build(build) for build in job.history.list_builds()[:100]],
            "allBuilds": lambda: [self.export_build(build) for build in job.history.list_builds()],
            "color": self.read_color(job),
            "firstBuild": lambda: self.export_if_any(
                job.history.list_builds()[-1] if job.history.list_builds() else None
            ),
            "healthReport": lambda: export_health(job),
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
        properties["property"] = lambda: export_properties(job)
        properties["queueItem"] = lambda: self.export_queue_item(waiting) if waiting else None
        properties["concurrentBuild"] = job.is_concurrent
        properties["disabled"] = job.is_disabled
        if job.is_pipeline:
            properties["resumeBlocked"] = False
        else:
            scm = job.root.find("scm")
            kind = str(scm.get("class")) if scm is not None else "hudson.scm.NullSCM"
            properties["downstreamProjects"] = []
            properties["labelExpression"] = job.label or None
            properties["scm"] = Exported(kind, {"browser": None, "type": kind})
            properties["upstreamProjects"] = []
        return Exported(
            KINDS[job.root.tag], properties, frozenset({"allBuilds"}), brief=frozenset({"name", "url", "color"})
        )

    def export_queue_item(self, item: QueueItem) -> Exported:
        """Export a queue item that waits, or that left the queue a short time ago."""
        is_blocked = "already in progress" in item.why or item.why.startswith(THROTTLED)
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
                *([self._export_parameters(item.parameters)] if item.parameters else []),
                Exported(
                    "hudson.model.CauseAction",
                    {"causes": [self.export_cause(cause) for cause in item.causes]},
                    is_whole=True,
                ),
            ],
            "blocked": is_blocked,
            "buildable": is_buildable,
            "id": item.identifier,
            "inQueueSince": item.since,
            "params": "".join(
                f"\n{entry.name}={'****' if entry.is_secret else entry.value}" for entry in item.parameters
            ),
            "stuck": False,
            "task": lambda: self.export_job(item.job),
            "url": item.url,
            "why": None if item.left else item.why or "Finished waiting",
        }
        if item.left:
            properties["cancelled"] = item.is_cancelled
            properties["executable"] = self.export_build(item.build) if item.build else None
        elif kind == "WaitingItem":
            properties["timestamp"] = int(item.due * 1000)
        return Exported(f"hudson.model.Queue${kind}", properties, is_whole=True)

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
            "why": self._controller.executors.explain_part(part),
        }
        return Exported("hudson.model.Queue$BuildableItem", properties, brief=frozenset(properties))

    def _may_discover(self) -> bool:
        return self._controller.home.authorization.allows(self._identity, "Job/Discover")

    @staticmethod
    def _export_stub(item: QueueItem) -> Exported:
        task = Exported("hudson.model.Queue$StubTask", {"name": item.job.name}, is_whole=True)
        return Exported("hudson.model.Queue$StubItem", {"task": task}, is_whole=True)

    def export_views(self, folder: Folder) -> list[Exported | None]:
        """Export the views of a folder that the caller may see, by name."""
        seen = (view for view in sorted(folder.views, key=lambda view: view.name) if self.may_see(folder, view))
        return [self.export_view(folder, view) for view in seen]

    def may_see(self, folder: Folder, view: View) -> bool:
        """Whether the caller may see a view: by a permission, or because it shows an item that he may read."""
        rights = self._controller.home.authorization
        if any(rights.allows(self._identity, permission) for permission in ("View/Read", "View/Configure")):
            return True
        return bool(folder.list_shown(view)) and rights.allows(self._identity, "Job/Read")

    def export_view(self, folder: Folder, view: View | None) -> Exported | None:
        """Export a view of the root or of a folder; None for None."""
        if view is None:
            return None
        is_primary = view is folder.first_view
        url = self.locate(folder.path) + ("" if is_primary else f"view/{encode_name(view.name)}/")
        properties: dict[str, Any] = {
            "description": view.description,
            "jobs": lambda: [self.export_item(item) for item in folder.list_shown(view) if self._may_read(item)],
            "name": view.name,
            "property": lambda: self._export_view_properties(view),
            "url": url,
        }
        return Exported(view.kind, properties, brief=frozenset({"name", "url"}))

    @staticmethod
    def _export_view_properties(view: View) -> list[Exported]:
        view.add_properties()
        return []
