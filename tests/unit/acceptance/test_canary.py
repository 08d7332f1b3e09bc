"""The canary that gets no executor: one finding, in the queue's words, with who holds the executors."""

import re
import time
from pathlib import Path
from typing import Any

import canary
import pytest
import requests
from canary import CannotStart, Wait

from bootstrap.errors import Unreachable

WAITING = ["[Pipeline] node\n", "Still waiting to schedule task\nWaiting for next available executor\n"]


class Jenkins:
    """Answers by path; what is posted is kept."""

    server = "http://127.0.0.1/"

    def __init__(self, **answers: Any) -> None:
        held = [
            {"currentExecutable": {"url": f"https://ci/job/{name}/"}} for name in ("seed/3", "verify/12", "canary/7")
        ]
        self.answers = {
            "computer": {"computer": [{"executors": held[:2], "oneOffExecutors": held}]},
            "": {"quietingDown": False},
            "queue": {"items": []},
            **answers,
        }
        self.posted: list[str] = []

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        path = req.url.removeprefix(self.server)
        answer = requests.Response()
        answer.status_code = 200
        if req.method == "POST":
            self.posted.append(f"{path} {dict(req.params)}")
            return answer
        answer.json = lambda **_: self.answers[path.removesuffix("api/json").rstrip("/")]  # type: ignore[method-assign]
        return answer


def test_it_waits_behind_those_that_hold_the_executors() -> None:
    wait = Wait(Jenkins(), WAITING, start_seconds=60, begun=time.monotonic() - 61)
    with pytest.raises(CannotStart) as caught:
        wait.pause(0)
    expected = "it waited 60 s: Waiting for next available executor (the executors run seed #3, verify #12)"
    assert expected == str(caught.value)


def test_what_is_still_in_the_queue_is_told_with_the_queues_reason() -> None:
    items = [
        {"why": "else", "task": {"name": "seed"}},
        {"why": "Build #6 is already in progress", "task": {"name": "canary"}},
    ]
    assert canary.hindrance(Jenkins(queue={"items": items}), []).startswith("Build #6 is already in progress (the")
    assert canary.hindrance(Jenkins(), []).startswith("no executor took it, and the queue gives no reason")


def test_quiet_mode_is_not_waited_out() -> None:
    with pytest.raises(CannotStart, match="Jenkins starts no build in quiet mode"):
        Wait(Jenkins(**{"": {"quietingDown": True}}), WAITING).pause(0)


def test_a_build_that_runs_has_a_limit_of_its_own() -> None:
    wait = Wait(Jenkins(), ["Running on Jenkins in /x\n"], begun=time.monotonic() - 1000)
    wait.pause(0)
    wait.started -= 181
    with pytest.raises(Unreachable, match="had not ended after 180 s"):
        wait.pause(0)


@pytest.mark.parametrize("is_build", [True, False])
def test_what_cannot_start_is_taken_back(monkeypatch: pytest.MonkeyPatch, is_build: bool) -> None:
    monkeypatch.setattr(canary.secrets, "token_hex", lambda _: "word")

    def follow(*_: Any, **__: Any) -> str:
        raise CannotStart("no executor")

    monkeypatch.setattr(canary.builds, "follow", follow)
    named = [{"parameters": [{"name": "WORD", "value": "word"}]}]
    told = {"builds": [{"number": 7, "actions": named}]} if is_build else {"builds": []}
    jenkins = Jenkins(**{"job/canary": told, "queue": {"items": [{"id": 4, "task": {}, "actions": named}]}})

    found = canary.build(jenkins)

    assert ("no executor", "", ()) == (found.hindrance, found.result, found.history)
    assert ["job/canary/7/stop {}" if is_build else "queue/cancelItem {'id': '4'}"] == jenkins.posted


def test_the_canary_may_run_longer_than_the_suite_waits_for_it() -> None:
    text = (Path(__file__).resolve().parents[3] / "jobs" / "pipelines" / "canary.Jenkinsfile").read_text()
    minutes = re.search(r"timeout\(time: (\d+), unit: 'MINUTES'\)", text)

    assert minutes is not None
    assert 60 * int(minutes[1]) > canary.START_SECONDS + canary.RUN_SECONDS
