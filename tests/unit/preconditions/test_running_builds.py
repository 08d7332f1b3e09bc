"""What a plan says of running builds, and when it says nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from bootstrap.context import Context
from bootstrap.errors import Unreachable
from bootstrap.jenkins.controller.api import JenkinsClient
from bootstrap.preconditions import running_builds
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Change, ChangeKind

RESTART = Change("host", ChangeKind.ALTER, "jenkins.service", "restarted: plugins")
REPLACED = Change("stack", ChangeKind.REPLACE, "jenkins-local-controller/Instance", "AWS::EC2::Instance: UserData")


class Jenkins:
    """Answers with these URLs of running builds, a Pipeline's twice."""

    server = "http://127.0.0.1/"

    def __init__(self, *urls: str) -> None:
        self.held = [{"currentExecutable": {"url": url}} for url in urls]

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        if self.held == []:
            raise requests.ConnectionError("refused")
        computer = {"executors": [{"currentExecutable": None}, *self.held], "oneOffExecutors": self.held}
        answer = requests.Response()
        answer.status_code = 200
        answer.json = lambda **_: {"computer": [computer]}  # type: ignore[method-assign]
        return answer


def told(tmp_path: Path, jenkins: JenkinsClient, *changes: Change, minutes: int = 10) -> list[str]:
    settings = SimpleNamespace(jenkins=SimpleNamespace(drain_minutes=minutes))
    run = Run("r", Journal(tmp_path / "r"), as_json=True)
    running_builds.report_running_builds(
        cast(Context, SimpleNamespace(settings=settings, jenkins=jenkins)), run, changes
    )
    return run.notices


def test_a_plan_that_restarts_nothing_asks_nothing(tmp_path: Path) -> None:
    started = Change("host", ChangeKind.ADD, "jenkins.service", "started")
    assert [] == told(tmp_path, Jenkins(), started, Change("host", ChangeKind.ALTER, "nginx.service", "restarted: x"))


@pytest.mark.parametrize(("change", "what"), [(RESTART, "Jenkins restarts"), (REPLACED, "the machine is replaced")])
def test_a_restart_names_the_builds_that_run_now(tmp_path: Path, change: Change, what: str) -> None:
    jenkins = Jenkins("https://ci/job/team/job/a%20b/3/", "https://ci/job/seed/12/")
    (said,) = told(tmp_path, jenkins, change)
    assert said.startswith(f"interrupts: {what}; it waits for running builds, at most 10 min, unless --now")
    assert said.endswith("Running now: team/a b #3, seed #12")


def test_no_waiting_and_no_answer_are_said(tmp_path: Path) -> None:
    assert "it does not wait. The running builds are not known" in told(tmp_path, Jenkins(), RESTART, minutes=0)[0]


def test_an_idle_jenkins_runs_no_builds() -> None:
    jenkins = Jenkins("https://ci/")
    assert () == running_builds.list_running_builds(jenkins)
    with pytest.raises(Unreachable):
        running_builds.list_running_builds(Jenkins())


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        ("running", None, []),
        ("stopped", None, []),
        (
            "running",
            Unreachable("connecting", "no route\nmore", "wait"),
            ["the machine is replaced without waiting for builds: no route"],
        ),
    ],
)
def test_a_machine_that_goes_is_drained_where_it_can_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, error: Exception | None, said: list[str]
) -> None:
    drained: list[bool] = []

    def drain(*_: object, waits: bool) -> None:
        drained.append(waits)
        if error:
            raise error

    monkeypatch.setattr(running_builds, "read_state", lambda *_: state)
    monkeypatch.setattr(running_builds.host, "drain", drain)
    world = SimpleNamespace(aws=lambda _: None)
    settings = SimpleNamespace(jenkins=None)
    outputs = {"InstanceId": "i-1"}
    context = SimpleNamespace(world=world, outputs=lambda _: outputs, shell=None, settings=settings, url="")
    run = Run("r", Journal(tmp_path / "r"), as_json=True)

    running_builds.wait(cast(Context, context), run, waits=False)

    assert (said, [False] if state == "running" else []) == (run.notices, drained)
