"""The properties of `currentBuild`, and of other builds to which they lead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..execution.registry import Step, register_step
from ..execution.spans import describe_span
from ..failures import StepFailed
from ..model.builds import Build


def _find_build(call: Step) -> Build:
    reference = call.read_text("reference")
    own = call.engine.build
    # Another job's build is '<full name>#<number>', one of the same job its number or permalink alone.
    name, separator, number = reference.rpartition("#")
    job = call.engine.home.find_job(name) if separator else None
    history = job.history if job else None if separator else own.history
    build = (history.find(number) if history else None) if reference else own
    if build is None:
        raise StepFailed(f"there is no build {reference}", "java.lang.IllegalStateException")
    return build


@register_step("_build")
async def read_build_value(call: Step) -> Any:
    """A property of `currentBuild` or of another build."""
    build, name, engine = _find_build(call), call.read_text("name"), call.engine
    spent = build.duration if not build.is_building else int(time.time() * 1000) - build.timestamp
    values: dict[str, Any] = {
        "number": build.number,
        "id": str(build.number),
        "result": build.result,
        "currentResult": build.result or "SUCCESS",
        "displayName": build.shown_name,
        "fullDisplayName": f"{build.job.full_name.replace('/', ' » ')} {build.shown_name}",
        "description": build.description or None,
        "projectName": build.job.name,
        "fullProjectName": build.job.full_name,
        "absoluteUrl": engine.home.url + build.path,
        "timeInMillis": build.timestamp,
        "startTimeInMillis": build.timestamp,
        "duration": spent,
        "durationString": describe_span(spent) + (" and counting" if build.is_building else ""),
        "keepLog": build.is_kept,
        "buildVariables": build.own_variables,
        "buildCauses": [
            {"_class": cause.kind, "shortDescription": cause.text, **cause.values} for cause in build.causes
        ],
        "changeSets": [{"kind": "git", "items": build.changes}] if build.changes else [],
        "upstreamBuilds": [],
    }
    if name in values:
        return values[name]
    if name in NEIGHBOURS:
        return _find_neighbour(build, name)
    raise _refuse_property(name)


def _refuse_property(name: str) -> StepFailed:
    where = "field org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper"
    return StepFailed(f"No such field found: {where} {name}", "groovy.lang.MissingPropertyException")


NEIGHBOURS: dict[str, Callable[[Build], bool]] = {
    "previousBuild": lambda build: True,
    "previousBuiltBuild": lambda build: build.result != "NOT_BUILT",
    "previousBuildInProgress": lambda build: build.is_building,
    "previousCompletedBuild": lambda build: not build.is_building,
    "previousFailedBuild": lambda build: build.result == "FAILURE",
    "previousNotFailedBuild": lambda build: build.result in {"SUCCESS", "UNSTABLE"},
    "previousSuccessfulBuild": lambda build: build.result == "SUCCESS",
    "nextBuild": lambda build: True,
}


def _find_neighbour(build: Build, name: str) -> str | None:
    """The reference of the nearest build before or after another one."""
    builds = build.history.list_builds()
    nearest = reversed(builds) if name == "nextBuild" else builds
    for other in nearest:
        is_behind = other.number > build.number if name == "nextBuild" else other.number < build.number
        if is_behind and NEIGHBOURS[name](other):
            return f"{other.job.full_name}#{other.number}"
    return None


@register_step("_setBuild")
async def set_build_value(call: Step) -> None:
    """Set a property of `currentBuild`."""
    build, name, value = call.engine.build, call.read_text("name"), call.read_text("value")
    if _find_build(call) is not build:
        raise StepFailed(f"can only set the {name} property on the current build", "java.lang.SecurityException")
    if name == "result":
        build.worsen(value) if call.arguments.get("value") is not None else None
    elif name == "displayName":
        build.display_name = value
        call.engine.variables["BUILD_DISPLAY_NAME"] = build.shown_name
    elif name == "description":
        build.description = value
    elif name == "keepLog":
        build.is_kept = value == "true"
    else:
        raise _refuse_property(name)
    build.save()
