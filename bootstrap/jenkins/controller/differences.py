"""Differences for a reader: a job's XML on the server and as rendered, a settings file on the machine and in the code.

They explain a plan and decide nothing. Jenkins rewrites the XML that it is given; what it does by itself is taken out of both
sides (job_xml.py). Only what a plan changes is fetched.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bootstrap.jenkins.controller import job_xml
from bootstrap.jenkins.controller.api import JenkinsClient, ask, job_path, view_path
from bootstrap.values import Change, ChangeKind, JobSet, Shell


def of_jobs(jenkins: JenkinsClient, jobset: JobSet, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes of jobs and views, each altered one with its difference."""
    return tuple(_of_job(jenkins, jobset, change) if change.kind is ChangeKind.ALTER else change for change in changes)


def _of_job(jenkins: JenkinsClient, jobset: JobSet, change: Change) -> Change:
    view = change.name.removeprefix("view ") if change.name.startswith("view ") else None
    wished = jobset.views.get(view) if view else jobset.jobs.get(change.name)
    answer = ask(jenkins, "GET", f"{view_path(view) if view else job_path(change.name)}config.xml")
    if wished is None or answer.status_code != 200:
        return change
    found = job_xml.compared(wished, answer.text)
    ours, theirs = map(job_xml.readable, found) if found else (wished, answer.text)
    return replace(change, diff=unified(theirs, ours, change.name))


def of_settings(shell: Shell, folder: str, files: Mapping[str, str], changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes of settings files, each with its difference; `folder` is where they lie on the machine."""
    return tuple(_of_file(shell, folder, files, change) for change in changes)


def _of_file(shell: Shell, folder: str, files: Mapping[str, str], change: Change) -> Change:
    if change.kind is not ChangeKind.ALTER or change.name not in files:
        return change
    there = shell.run(["cat", "--", f"{folder}/{change.name}"], sudo=True, check=False)
    return (
        replace(change, diff=unified(there.stdout, files[change.name], change.name)) if not there.exit_code else change
    )


def unified(old: str, new: str, name: str, sides: tuple[str, str] = ("there", "code")) -> str:
    """A unified diff with three lines around each difference, without its two lines of file names' dates."""
    old_name, new_name = (f"{side}/{name}" for side in sides)
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)
