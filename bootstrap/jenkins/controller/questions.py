"""Finds and answers open questions of builds (the Pipeline step `input`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, make_job_path
from bootstrap.values import Secret

_TREE = "builds[number,actions[waitingForInput,executions[id]]]"


def find_question(jenkins: JenkinsClient, job: str, identifier: str) -> int | None:
    """The number of the newest build of the job that waits for an answer to the question with this id, or None.

    Raises BootstrapError if Jenkins refuses the request.
    """
    answer = ask(jenkins, "GET", f"{make_job_path(job)}api/json", params={"tree": _TREE})
    for build in expect(answer, f"looking for open questions of the job '{job}'").json().get("builds", ()):
        for action in build.get("actions", ()):
            is_open = action.get("waitingForInput") and action.get("executions")
            if is_open and any(execution.get("id") == identifier for execution in action["executions"]):
                return int(build["number"])
    return None


def proceed(jenkins: JenkinsClient, job: str, number: int, identifier: str, values: Mapping[str, Secret]) -> None:
    """Answer the question with "proceed" and with the values of its parameters; the build continues.

    Raises BootstrapError if Jenkins refuses the answer.
    """
    form = {"parameter": [{"name": name, "value": value.reveal()} for name, value in values.items()]}
    answer = ask(
        jenkins,
        "POST",
        f"{make_job_path(job)}{number}/input/{identifier}/proceed",
        body=urlencode({"json": json.dumps(form)}),
        content_type="application/x-www-form-urlencoded",
    )
    expect(answer, f"answering the question of {job} #{number}")
