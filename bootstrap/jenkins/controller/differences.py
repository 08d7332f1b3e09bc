"""Unified diffs for a reader: a job's XML in Jenkins and as rendered, a settings file on the machine and in the code.

They explain a plan and decide nothing. Jenkins rewrites the XML of a job; these rewrites are removed from both sides first
(job_xml.py). Only jobs and files that the plan changes are read.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bootstrap.jenkins.controller import job_xml
from bootstrap.jenkins.controller.api import JenkinsClient, ask, make_job_path, make_view_path
from bootstrap.values import Change, ChangeKind, JobSet, Shell


def add_job_diffs(jenkins: JenkinsClient, jobset: JobSet, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes of jobs and views, with a diff for each one that is altered; one request per diff."""
    return tuple(
        _add_job_diff(jenkins, jobset, change) if change.kind is ChangeKind.ALTER else change for change in changes
    )


def _add_job_diff(jenkins: JenkinsClient, jobset: JobSet, change: Change) -> Change:
    view = change.name.removeprefix("view ") if change.name.startswith("view ") else None
    desired = jobset.views.get(view) if view else jobset.jobs.get(change.name)
    answer = ask(jenkins, "GET", f"{make_view_path(view) if view else make_job_path(change.name)}config.xml")
    if desired is None or answer.status_code != 200:
        return change
    both = job_xml.remove_rewrites(desired, answer.text)
    desired_text, actual_text = map(job_xml.format_xml, both) if both else (desired, answer.text)
    return replace(change, diff=format_diff(actual_text, desired_text, change.name))


def add_settings_diffs(
    shell: Shell, folder: str, files: Mapping[str, str], changes: Sequence[Change]
) -> tuple[Change, ...]:
    """The changes of settings files, with a diff for each one that is altered; `folder` is their folder on the machine."""
    return tuple(_add_file_diff(shell, folder, files, change) for change in changes)


def _add_file_diff(shell: Shell, folder: str, files: Mapping[str, str], change: Change) -> Change:
    if change.kind is not ChangeKind.ALTER or change.name not in files:
        return change
    actual = shell.run(["cat", "--", f"{folder}/{change.name}"], sudo=True, check=False)
    return (
        replace(change, diff=format_diff(actual.stdout, files[change.name], change.name))
        if not actual.exit_code
        else change
    )


def format_diff(old: str, new: str, name: str, sides: tuple[str, str] = ("actual", "code")) -> str:
    """A unified diff with three lines of context; `sides` stand before the name in its first two lines. Empty if equal."""
    old_name, new_name = (f"{side}/{name}" for side in sides)
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)
