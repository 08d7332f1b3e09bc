"""Options that a Pipeline sets on its own job: the property of each, what a build may read of it, and which Jenkins notes.

Jenkins notes what a declarative Jenkinsfile declared, to undo it when it leaves the Jenkinsfile (the class
DeclarativeJobPropertyTrackerAction of the plugin pipeline-model-definition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import xmlfile
from .program_record import DISABLED

_WORKFLOW = "org.jenkinsci.plugins.workflow.job.properties."
_MODEL = "org.jenkinsci.plugins.pipeline.modeldefinition."
CONCURRENT = f"{_WORKFLOW}DisableConcurrentBuildsJobProperty"
DISCARDER = "jenkins.model.BuildDiscarderProperty"
DURABILITY = f"{_WORKFLOW}DurabilityHintJobProperty"
INDEXING = "jenkins.branch.OverrideIndexTriggersJobProperty"
STASHES = f"{_MODEL}properties.PreserveStashesJobProperty"
THROTTLE = "jenkins.branch.RateLimitBranchProperty$JobPropertyImpl"
NO_RESTART = f"{_MODEL}actions.DisableRestartFromStageAction"
TRIGGER_CLASSES = {
    "cron": "hudson.triggers.TimerTrigger",
    "pollSCM": "hudson.triggers.SCMTrigger",
    "upstream": "jenkins.triggers.ReverseBuildTrigger",
}
# Options that Jenkins notes by their name; the others are properties or steps around the whole build.
NOTED = {
    *("checkoutToSubdirectory", "disableRestartFromStage", "parallelsAlwaysFailFast", "quietPeriod"),
    *("skipDefaultCheckout", "skipStagesAfterUnstable"),
}
# Milliseconds of the durations of a throttle; Jenkins takes an hour for another word.
_DURATIONS = {
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 31 * 86_400_000,
    "year": 365 * 86_400_000,
}
_MOST_BUILDS = 1000


def _read_rotator(given: Mapping[str, Any]) -> list[Any]:
    values = given.get("value") or given.get("strategy") or {}
    strategy = xmlfile.make_element("strategy", class_="hudson.tasks.LogRotator")
    for tag in ("daysToKeep", "numToKeep", "artifactDaysToKeep", "artifactNumToKeep"):
        xmlfile.put(strategy, tag, values.get(f"{tag}Str") or values.get(tag) or -1)
    xmlfile.put(strategy, "removeLastBuild", bool(values.get("removeLastBuild")))
    return [strategy]


def _read_throttle(given: Mapping[str, Any]) -> list[Any]:
    values = given.get("throttle") or given.get("value") or {}
    name = str(values.get("durationName"))
    return _make(
        durationName=name if name in _DURATIONS else "hour",
        count=min(max(0, int(values.get("count") or 0)), _MOST_BUILDS),
        userBoost=bool(values.get("userBoost")),
    )


def _make(**fields: object) -> list[Any]:
    holder = xmlfile.make_element("fields")
    for tag, value in fields.items():
        xmlfile.put(holder, tag, value)
    return list(holder)


# The property of each option: its class, and its fields from the arguments of the option.
PROPERTIES: dict[str, tuple[str, Callable[[Mapping[str, Any]], list[Any]]]] = {
    "buildDiscarder": (DISCARDER, _read_rotator),
    "disableConcurrentBuilds": (CONCURRENT, lambda given: _make(abortPrevious=bool(given.get("abortPrevious")))),
    "disableResume": (DISABLED, lambda given: []),
    "durabilityHint": (DURABILITY, lambda given: _make(hint=given.get("hint") or given.get("value"))),
    "overrideIndexTriggers": (
        INDEXING,
        lambda given: _make(enableTriggers=bool(given.get("enableTriggers", given.get("value")))),
    ),
    "preserveStashes": (
        STASHES,
        lambda given: _make(buildCount=int(given.get("buildCount") or given.get("value") or 1)),
    ),
    "rateLimitBuilds": (THROTTLE, _read_throttle),
}


def encode_class(name: str) -> str:
    """The name of a class as XStream writes it as a tag."""
    return name.replace("_", "__").replace("$", "_-")


def replace_property(holder: Any, name: str, children: Iterable[Any] = ()) -> None:
    """Replace the property of this class by a new one with these children."""
    remove_property(holder, name)
    xmlfile.put(holder, encode_class(name)).extend(children)


def remove_property(holder: Any, name: str) -> None:
    """Remove every property of this class."""
    for stale in holder.findall(encode_class(name)):
        holder.remove(stale)


def note_declarations(declared: Mapping[str, Any]) -> dict[str, list[str]]:
    """What Jenkins notes of the declarations, by the names of the lists in which it does."""
    options = [str(option.get("$class")) for option in declared.get("options") or []]
    return {
        "jobProperties": [PROPERTIES[name][0] for name in options if name in PROPERTIES],
        "triggers": [TRIGGER_CLASSES[entry["$class"]] for entry in declared.get("triggers") or []],
        "parameters": [str(entry.get("name")) for entry in declared.get("parameters") or []],
        "options": [name for name in options if name in NOTED],
    }


@dataclass(frozen=True)
class Throttle:
    """How often a job may be built: `interval` milliseconds are between two begins; a user may be exempt."""

    interval: int
    exempts_users: bool


def find_throttle(root: Any) -> Throttle | None:
    """Find the throttle of a job by its config.xml; None if it has none."""
    node = root.find(f"properties/{encode_class(THROTTLE)}")
    count = int(xmlfile.read_text(node, "count", "0")) if node is not None else 0
    if node is None or count == 0:
        return None
    duration = _DURATIONS.get(xmlfile.read_text(node, "durationName"), _DURATIONS["hour"])
    return Throttle(duration // count, xmlfile.read_text(node, "userBoost") == "true")
