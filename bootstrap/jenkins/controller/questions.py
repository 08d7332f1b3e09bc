"""Open questions of builds (the Pipeline step `input`): finds one by its id, and answers it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, job_path
from bootstrap.values import Secret

_TREE = "builds[number,actions[waitingForInput,executions[id]]]"


def find_question(jenkins: JenkinsClient, job: str, identifier: str) -> int | None:
    """The number of the newest build of the job that waits for an answer to the question of this id."""
    answer = ask(jenkins, "GET", f"{job_path(job)}api/json", params={"tree": _TREE})
    for build in expect(answer, f"looking for open questions of the job '{job}'").json().get("builds", ()):
        for action in build.get("actions", ()):
            is_open = action.get("waitingForInput") and action.get("executions")
            if is_open and any(it.get("id") == identifier for it in action["executions"]):
                return int(build["number"])
    return None


def proceed(jenkins: JenkinsClient, job: str, number: int, identifier: str, values: Mapping[str, Secret]) -> None:
    """Answer that the build goes on, with these values of the question's parameters; BootstrapError where it is refused."""
    form = {"parameter": [{"name": name, "value": value.reveal()} for name, value in values.items()]}
    answer = ask(
        jenkins,
        "POST",
        f"{job_path(job)}{number}/input/{identifier}/proceed",
        body=urlencode({"json": json.dumps(form)}),
        content_type="application/x-www-form-urlencoded",
    )
    expect(answer, f"answering the question of {job} #{number}")
