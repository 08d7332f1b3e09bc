"""Exports the properties and the health of jobs for the remote API."""

from __future__ import annotations

from typing import Any

from ..model import item_xml
from ..model.job_configuration import ParameterDefinition
from ..model.jobs import Job
from .api import Exported
from .exports_builds import convert_value, name_value_class


def export_properties(job: Job) -> list[Exported]:
    """Export the properties of a job; only its parameters have more than their class."""
    holder = job.root.find("properties")
    return [
        _export_definitions(job.parameters)
        if (name := item_xml.decode_class(str(node.tag))) == "hudson.model.ParametersDefinitionProperty"
        else Exported(name, {})
        for node in (holder if holder is not None else [])
    ]


def export_health(job: Job) -> list[Exported]:
    """Export the health of a job: of the tests of its last build, and of its last five builds; the worst first."""
    done = [build for build in job.history.list_builds() if not build.is_building]
    counted = [build for build in done if build.result in {"SUCCESS", "UNSTABLE", "FAILURE"}][:5]
    reports = []
    if counted:
        failed, total = sum(build.result == "FAILURE" for build in counted), len(counted)
        words = (
            "No recent builds failed."
            if not failed
            else "All recent builds failed."
            if failed == total
            else f"{failed} out of the last {total} builds failed."
        )
        reports.append((100 * (total - failed) // total, f"Build stability: {words}"))
    if done and (tests := done[0].tests) and tests.total:
        failing = f"{tests.failed} test{'' if tests.failed == 1 else 's'} failing"
        whole = f"{tests.total} test{'' if tests.total == 1 else 's'}"
        reports.append(
            (100 * (tests.total - tests.failed) // tests.total, f"Tests: {failing} out of a total of {whole}.")
        )
    return [_make_health(score, words) for score, words in sorted(reports)]


def _export_definitions(definitions: tuple[ParameterDefinition, ...]) -> Exported:
    shown = []
    for entry in definitions:
        held = {} if entry.is_secret else {"value": convert_value(entry.kind, entry.default)}
        value = Exported(name_value_class(entry.kind), {"name": entry.name, **held}, is_whole=True)
        properties: dict[str, Any] = {
            "defaultParameterValue": value,
            "description": entry.description,
            "name": entry.name,
            "type": entry.kind,
        }
        if entry.choices:
            properties["choices"] = list(entry.choices)
        shown.append(Exported(f"hudson.model.{entry.kind}", properties, is_whole=True))
    return Exported("hudson.model.ParametersDefinitionProperty", {"parameterDefinitions": shown}, is_whole=True)


def _make_health(score: int, words: str) -> Exported:
    ends = next((end for end in (20, 40, 60, 80) if score <= end), 0)
    icon = f"health-{ends - 20:02d}to{ends - 1:02d}" if ends else "health-80plus"
    values = {"description": words, "iconClassName": f"icon-{icon}", "iconUrl": f"{icon}.png", "score": score}
    return Exported("", values, is_whole=True)
