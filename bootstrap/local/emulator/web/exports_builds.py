"""Exports builds for the remote API: their causes, parameters and changes."""

from __future__ import annotations

from typing import Any

from ..controller import Controller
from ..model.build_record import Cause, Parameter
from ..model.builds import Build
from ..model.inputs import PendingInput
from ..model.security import Identity
from .api import Exported


class BuildExports:
    """Exports builds as one user may see them.

    `base` is the URL that the request came to. `via` is the path of a folder or an item, and the path by which the request
    named it, such as that of a view: URLs of what is below follow it, as in Jenkins.
    """

    def __init__(
        self, controller: Controller, identity: Identity, base: str, via: tuple[str, str] | None = None
    ) -> None:
        self._controller, self._identity, self._base, self._via = controller, identity, base, via

    def locate(self, path: str) -> str:
        """Make the URL of an object from its path."""
        if self._via is not None and path.startswith(self._via[0]):
            path = self._via[1] + path.removeprefix(self._via[0])
        return self._base + path

    def export_if_any(self, build: Build | None) -> Exported | None:
        """Export a build; None for None."""
        return self.export_build(build) if build else None

    def export_build(self, build: Build) -> Exported:
        """Export a build."""
        is_pipeline = build.job.is_pipeline
        slot = next((slot for slot, held in self._controller.executors.busy.items() if held is build), None)
        properties: dict[str, Any] = {
            "actions": lambda: self._export_actions(build),
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
            "estimatedDuration": build.history.estimated,
            "executor": Exported(
                "hudson.model.OneOffExecutor" if is_pipeline else "hudson.model.Executor",
                {"number": slot.number if slot else None},
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
            "url": self.locate(build.path),
        }
        changes = Exported(
            "hudson.plugins.git.GitChangeSetList",
            {"items": lambda: [self._export_change(entry) for entry in build.changes], "kind": "git"},
            is_whole=True,
        )
        if is_pipeline:
            properties["changeSets"] = [changes] if build.changes else []
            properties["culprits"] = []
            properties["nextBuild"] = lambda: self._export_next(build)
            properties["previousBuild"] = lambda: self.export_if_any(next(iter(build.earlier), None))
        else:
            properties.update({"builtOn": "", "changeSet": changes, "culprits": []})
        kind = "org.jenkinsci.plugins.workflow.job.WorkflowRun" if is_pipeline else "hudson.model.FreeStyleBuild"
        return Exported(kind, properties, brief=frozenset({"number", "url"}))

    def _export_next(self, build: Build) -> Exported | None:
        later = [other for other in build.history.list_builds() if other.number > build.number]
        return self.export_if_any(later[-1] if later else None)

    @staticmethod
    def _export_change(entry: dict[str, Any]) -> Exported:
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

    def _export_actions(self, build: Build) -> list[Exported]:
        actions = [self._export_parameters(build.parameters)] if build.parameters else []
        causes = [self.export_cause(cause) for cause in build.causes]
        actions.append(Exported("hudson.model.CauseAction", {"causes": causes}, is_whole=True))
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
        if waiting := self._controller.inputs.list_open(build):
            actions.append(self._export_inputs(waiting))
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
    def _export_inputs(waiting: list[PendingInput]) -> Exported:
        kind = "org.jenkinsci.plugins.workflow.support.steps.input.InputAction"
        shown = [Exported("", {"id": question.identifier, "settled": False}, is_whole=True) for question in waiting]
        return Exported(kind, {"executions": shown, "waitingForInput": True}, is_whole=True)

    @staticmethod
    def export_cause(cause: Cause) -> Exported:
        """Export a cause of a build."""
        values: dict[str, Any] = {
            key: int(text) if key == "upstreamBuild" else text for key, text in cause.values.items()
        }
        return Exported(cause.kind, {"shortDescription": cause.text, **values}, is_whole=True)

    @staticmethod
    def _export_parameters(parameters: list[Parameter]) -> Exported:
        shown = []
        for entry in parameters:
            properties: dict[str, Any] = {"name": entry.name}
            if not entry.is_secret:
                properties["value"] = convert_value(entry.kind, entry.value)
            shown.append(Exported(name_value_class(entry.kind), properties, is_whole=True))
        return Exported("hudson.model.ParametersAction", {"parameters": shown}, is_whole=True)


def convert_value(kind: str, value: str) -> object:
    """Convert the value of a parameter to the JSON type of its kind."""
    return value == "true" if kind == "BooleanParameterDefinition" else value


def name_value_class(kind: str) -> str:
    """Name the Java class of the values of a kind of parameters; a choice is a text."""
    return "hudson.model." + {"ChoiceParameterDefinition": "StringParameterDefinition"}.get(kind, kind).replace(
        "Definition", "Value"
    )
