"""What a person is told while a build waits: the queue's reason, and the builds that are in the way."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from bootstrap.errors import JobsRejected
from bootstrap.jenkins.controller import builds, executors

ON_MACHINE = "Waiting for next available executor on ‘machine’"
FOLDERS = "https://ci/job/a/job/b%20c/2/"
PART = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask"


def executor(url: str) -> dict[str, Any]:
    return {"currentExecutable": {"url": url}}


BUSY = [
    {"displayName": "Built-In Node", "executors": [], "oneOffExecutors": [executor("https://ci/job/verify/7/")]},
    {"displayName": "machine", "executors": [executor("https://ci/job/verify/7/"), executor(FOLDERS), {}]},
    {"displayName": "other", "executors": [executor("https://ci/job/elsewhere/1/")]},
]


class Jenkins:
    """A Jenkins whose queue answers with these reasons in turn, and whose build's console is silent for a while."""

    server = "http://127.0.0.1/"

    def __init__(self, whys: list[str], parts: list[dict[str, Any]] | None = None, silent: int = 0) -> None:
        self.whys, self.parts, self.silent = whys, parts or [], silent
        self.asked: list[str] = []

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        path = str(req.url).removeprefix(self.server)
        self.asked.append(path)
        answer = requests.Response()
        answer.status_code = 201 if path.endswith("/build") else 200
        answer._content = b""
        if path.endswith("/build"):
            answer.headers["Location"] = f"{self.server}queue/item/5/"
        if path.endswith("progressiveText"):
            self.silent -= 1
            if self.silent >= 0:
                answer.headers["X-More-Data"] = "true"
            return answer
        data = self._data(path)
        answer.json = lambda **_: data  # type: ignore[method-assign]
        return answer

    def _data(self, path: str) -> dict[str, Any]:
        if path.startswith("queue/item/"):
            return {"why": self.whys.pop(0)} if self.whys else {"executable": {"number": 3}}
        if path.startswith("queue/api"):
            return {"items": self.parts}
        if path.startswith("computer/"):
            return {"computer": BUSY}
        if path == "job/hello/3/api/json":
            return {"result": "SUCCESS", "inProgress": False, "actions": []}
        return {"property": []}


def told(jenkins: Jenkins) -> list[str]:
    said: list[str] = []
    write: Callable[[str], object] = said.append
    assert builds.follow(jenkins, "hello", {}, write, sleep=lambda _: None) == "SUCCESS"
    return [text for text in said if text]


def test_the_builds_on_the_agent_explain_why_a_build_waits_for_an_executor() -> None:
    assert told(Jenkins([ON_MACHINE] * 3)) == [
        f"waiting in the queue: {ON_MACHINE}; it waits for one of: verify #7, a/b c #2\n"
    ]
    anywhere = executors.explain(Jenkins([]), "Waiting for next available executor", "hello")
    assert anywhere.endswith("it waits for one of: verify #7, a/b c #2, elsewhere #1")


def test_the_running_build_of_the_same_job_explains_why_a_build_waits() -> None:
    why = "Build #2 is already in progress (ETA: 3 min 1 sec)"
    assert told(Jenkins([why])) == [f"waiting in the queue: {why}; it waits for hello #2\n"]


@pytest.mark.parametrize("why", ["‘machine’ is offline", "There are no nodes with the label ‘gpu’"])
def test_any_other_reason_is_written_unchanged(why: str) -> None:
    jenkins = Jenkins([why])
    assert told(jenkins) == [f"waiting in the queue: {why}\n"]
    assert "computer/api/json" not in jenkins.asked


def test_only_a_waiting_part_of_this_pipeline_is_reported_and_only_once() -> None:
    parts = [
        {"why": ON_MACHINE, "task": {"_class": PART, "url": "job/hello/3/"}},
        {"why": "‘gpu’ is offline", "task": {"_class": PART, "url": "job/other/9/"}},
        {"why": "in between", "task": None},
    ]
    said = told(Jenkins([], parts, silent=3 * builds.SILENT_READS))
    assert said == [f"waiting in the queue: {ON_MACHINE}; it waits for one of: verify #7, a/b c #2\n"]


def test_the_queue_is_read_within_five_seconds_and_not_with_each_request() -> None:
    assert builds.SILENT_READS * builds.PAUSE < 5
    jenkins = Jenkins([], silent=2 * builds.SILENT_READS + 1)
    assert told(jenkins) == []
    assert 2 == jenkins.asked.count("queue/api/json")


def test_a_cancelled_queue_item_is_an_error() -> None:
    jenkins = Jenkins([])
    jenkins._data = lambda path: {"cancelled": True} if "item" in path else {"property": []}  # type: ignore[method-assign]
    with pytest.raises(JobsRejected, match="waiting for 'hello' to leave the queue"):
        builds.follow(jenkins, "hello", {}, lambda _: None)
