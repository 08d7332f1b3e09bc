"""The jobs act: the jobs in Jenkins are those that the definitions in `jobs/` render to.

Rendering (definitions/rendering.py) adds a footer to the description of every job and view, with a digest of the rendered XML.
One request reads all footers. The XML itself is not compared: Jenkins rewrites it, so it would always differ. The footer says
which render the job on the server is, and only jobs with another digest are sent. A job that the code no longer has is disabled
and keeps its history; it is enabled again when the code has it again.

The act reads back what it sent, because Jenkins answers 200 even if it dropped an element. Such a job is published without the
element, and its footer gets another digest, so that the next plan shows it again.

An edit in the web interface does not change the footer. It is undone when the code of the job changes, or when the user names
the job to be sent again.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.errors import JobsRejected, UsageError
from bootstrap.jenkins.controller import job_xml
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, explain_refusal, make_job_path, make_view_path
from bootstrap.jenkins.controller.builds import follow
from bootstrap.jenkins.controller.journal import Explain
from bootstrap.jenkins.definitions.footer import find_digest, read_digest, replace_digest
from bootstrap.jenkins.definitions.rendering import render
from bootstrap.values import Change, ChangeKind, JobSet, Reporter

__all__ = ["apply", "follow", "plan", "read_digest", "read_published", "render"]

_FOLDERS_DEEP = 6
_VIEWS = "views[name,description]"
# Replaces the digest in the footer if Jenkins did not keep the whole render.
_INCOMPLETE = "0" * 16


def plan(jenkins: JenkinsClient, jobset: JobSet) -> tuple[Change, ...]:
    """The changes that `apply` would make; one request, changes nothing.

    UsageError for a job to send again that does not exist.
    """
    return tuple(step.change for step in _find_steps(jenkins, jobset))


def read_published(jenkins: JenkinsClient) -> dict[str, tuple[str | None, bool]]:
    """The existing jobs and views by full name (views as 'view <name>'): the digest of the render, and whether it is disabled.

    The digest is None if the code did not make the job. One request.
    """
    jobs, views = _list_present(jenkins)
    present_by_name = jobs | {f"view {name}": present for name, present in views.items()}
    return {name: (present.digest, present.is_disabled) for name, present in present_by_name.items()}


def apply(
    jenkins: JenkinsClient,
    jobset: JobSet,
    report: Reporter,
    again: Collection[str] = (),
    *,
    explain: Explain | None = None,
) -> JobSet:
    """Send the jobs that differ, folders before their content, and read each back.

    JobsRejected names every job that Jenkins refused or dropped elements of; it is raised after all other jobs were sent. The
    jobs in `again` are always sent, so that edits in the web interface are undone. `explain` finds the cause of an internal
    error of Jenkins.
    """
    refused: list[str] = []
    dropped: list[str] = []
    for step in _find_steps(jenkins, jobset, again):
        answer = ask(jenkins, "POST", step.path, params=step.params, body=step.body)
        first = answer.history[0] if answer.history else answer
        if first.status_code not in {200, 201, 302, 303}:
            refused.append(f"{step.change.name}: {explain_refusal(answer, explain)}")
            continue
        report.change(step.change)
        dropped += _find_losses(jenkins, step, report) if step.body else []
    report_unjudged(jobset, report)
    if refused or dropped:
        raise JobsRejected("publishing the jobs", "\n".join(refused + dropped), _choose_remedy(refused, dropped))
    return jobset


def report_unjudged(jobset: JobSet, report: Reporter) -> None:
    """Report the elements that cannot be checked, because their plugin is not known."""
    if jobset.unjudged:
        report.notice(f"not checked, because their plugin is not known: {', '.join(jobset.unjudged)}")


def _find_losses(jenkins: JenkinsClient, step: _Step, report: Reporter) -> list[str]:
    """What Jenkins dropped from a job that was just sent.

    The footer of such a job is marked, so that the next plan shows it.
    """
    assert step.body
    name = step.change.name
    path = _find_path(name)
    answer = ask(jenkins, "GET", f"{path}config.xml")
    if answer.status_code != 200:
        return [f"{name}: published, but Jenkins does not return it: {explain_refusal(answer)}"]
    lost = job_xml.find_losses(step.body, answer.text)
    if lost.fields:
        report.notice(f"{name}: Jenkins did not keep {', '.join(lost.fields)}")
    if not lost.elements:
        return []
    ask(jenkins, "POST", f"{path}config.xml", body=replace_digest(step.body, _INCOMPLETE))
    return [f"{name}: Jenkins dropped {', '.join(lost.elements)}"]


def _find_path(name: str) -> str:
    return make_view_path(name.removeprefix("view ")) if name.startswith("view ") else make_job_path(name)


def _choose_remedy(refused: Collection[str], dropped: Collection[str]) -> str:
    if not dropped:
        return (
            "Check that the lock has every plugin that the job needs. The jobs that are not named here are published."
        )
    return (
        "Jenkins drops elements for which it has no class. Check that the lock has the plugin of each element, and that this "
        "version of the plugin has an element of this name. The jobs are published without these elements; the next plan "
        "lists them again."
    )


@dataclass(frozen=True)
class _Present:
    """A job or view on the server; `digest` is that of its render, None if the code did not make it."""

    digest: str | None
    is_disabled: bool = False
    is_folder: bool = False


@dataclass(frozen=True)
class _Step:
    """One request that makes one change."""

    change: Change
    path: str
    params: dict[str, str]
    body: str | None


def _find_steps(jenkins: JenkinsClient, jobset: JobSet, again: Collection[str] = ()) -> tuple[_Step, ...]:
    jobs, views = _list_present(jenkins)
    unknown = sorted(set(again) - jobset.jobs.keys())
    if unknown:
        raise UsageError("publishing jobs again", f"the code has no job '{unknown[0]}'", "Name it in full: folder/job.")
    steps = [_compare_job(name, xml, jobs.get(name), again) for name, xml in jobset.jobs.items()]
    steps += [_compare_view(name, xml, views.get(name)) for name, xml in jobset.views.items()]
    steps += [
        _Step(
            Change("jobs", ChangeKind.REMOVE, name, "no longer in the code: disabled, not deleted"),
            f"{make_job_path(name)}disable",
            {},
            "",
        )
        for name, present in sorted(jobs.items())
        if name not in jobset.jobs and present.digest and not (present.is_disabled or present.is_folder)
    ]
    return tuple(step for step in steps if step is not None)


def _compare_job(name: str, xml: str, present: _Present | None, again: Collection[str]) -> _Step | None:
    if present is None:
        parent, _, short = name.rpartition("/")
        path = f"{make_job_path(parent) if parent else ''}createItem"
        return _Step(Change("jobs", ChangeKind.ADD, name), path, {"name": short}, xml)
    detail = _find_difference(xml, present)
    if detail is None and name in again:
        detail = "sent again"
    if detail is None:
        return None
    return _Step(Change("jobs", ChangeKind.ALTER, name, detail), f"{make_job_path(name)}config.xml", {}, xml)


def _compare_view(name: str, xml: str, present: _Present | None) -> _Step | None:
    if present is None:
        parent, _, short = name.rpartition("/")
        path = f"{make_job_path(parent) if parent else ''}createView"
        return _Step(Change("jobs", ChangeKind.ADD, f"view {name}"), path, {"name": short}, xml)
    if present.digest == read_digest(xml):
        return None
    return _Step(Change("jobs", ChangeKind.ALTER, f"view {name}"), f"{make_view_path(name)}config.xml", {}, xml)


def _find_difference(xml: str, present: _Present) -> str | None:
    if present.digest is None:
        return "created by hand; now managed by the code"
    if present.digest != read_digest(xml):
        return ""
    if present.is_folder:
        return None
    wants_disabled = "<disabled>true<" in xml and ElementTree.fromstring(xml.encode()).findtext("disabled") == "true"
    if present.is_disabled != wants_disabled:
        return "disabled" if wants_disabled else "enabled again"
    return None


def _list_present(jenkins: JenkinsClient) -> tuple[dict[str, _Present], dict[str, _Present]]:
    """Read every job and view by its full name, in one request."""
    doing, tree = "listing the jobs", "fullName,description,color"
    for _ in range(_FOLDERS_DEEP):
        tree = f"fullName,description,color,{_VIEWS},jobs[{tree}]"
    answer = expect(ask(jenkins, "GET", "api/json", params={"tree": f"{_VIEWS},jobs[{tree}]"}), doing)
    jobs: dict[str, _Present] = {}
    views: dict[str, _Present] = {}
    _collect(answer.json(), "", jobs, views)
    return jobs, views


def _collect(item: Mapping[str, Any], prefix: str, jobs: dict[str, _Present], views: dict[str, _Present]) -> None:
    for view in item.get("views", ()):
        views[f"{prefix}{view['name']}"] = _Present(find_digest(view.get("description")))
    for job in item.get("jobs", ()):
        name = str(job["fullName"])
        is_disabled = str(job.get("color", "")).startswith("disabled")
        jobs[name] = _Present(find_digest(job.get("description")), is_disabled, is_folder="jobs" in job)
        _collect(job, f"{name}/", jobs, views)
