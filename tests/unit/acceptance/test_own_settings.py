"""What the checks of Jenkins' own settings read out of the journal, of builds and of Jenkins' answers."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import own_settings
import pytest
from own_settings import Audit, Unstarted

REQUEST = "2026-11-29T13:31:43.328+0000 - audit - /createItem (verify-1) by toolkit from 10.78.3.1"
BEGUN = "2026-11-29T13:31:43.328+0000 - audit - job/canary/ #17 Started by user Toolkit, Parameters:[WORD: {canary}]"
ENDED = (
    "2026-11-29T13:31:45.328+0000 - audit - canary #17 Started by user Toolkit, Parameters:[WORD: {canary}] on Built-In Node "
    "started at 2026-11-29T13:31:16Z completed in 1747ms completed: SUCCESS"
)
STARTED = "Sun 2026-11-29 13:00:00 UTC"
SINCE = 1_795_957_200_000  # the same moment, in Jenkins' milliseconds


def test_the_toolkits_own_request_and_the_start_of_a_build_are_found() -> None:
    audit = Audit("verify-1", (REQUEST, BEGUN, ENDED))

    assert ((REQUEST,), (BEGUN,)) == (audit.requests, audit.builds)


@pytest.mark.parametrize(
    "line",
    [REQUEST.replace("verify-1", "verify-2"), REQUEST.replace("toolkit", "admin"), ENDED, "a log line of a plugin"],
)
def test_nothing_else_passes_for_them(line: str) -> None:
    audit = Audit("verify-1", (line,))

    assert ((), ()) == (audit.requests, audit.builds)


def cause(kind: str) -> dict[str, Any]:
    return {"causes": [{"_class": kind}]}


TIMER, POLLING = "hudson.triggers.TimerTrigger$TimerTriggerCause", "hudson.triggers.SCMTrigger$SCMTriggerCause"
PERSON, BEFORE = "hudson.model.Cause$UserIdCause", "hudson.model.Cause$UpstreamCause"


class Client:
    """Jenkins with one job, whose builds are given, and one console for all of them."""

    def __init__(self, builds: list[dict[str, Any]], console: str) -> None:
        self.builds, self.text, self.status_code, self.history = builds, console, 200, ()

    def json(self, path: str, tree: str) -> Any:
        return {"jobs": [{"name": "seed", "builds": self.builds}, {"name": "canary"}]}


def unstarted(monkeypatch: pytest.MonkeyPatch, builds: list[dict[str, Any]], console: str) -> tuple[Unstarted, ...]:
    client = Client(builds, console)
    monkeypatch.setattr(own_settings, "Client", lambda subject: client)
    monkeypatch.setattr(own_settings, "ask", lambda asked, method, path, **more: client)
    host = SimpleNamespace(check_output=lambda command: f"{STARTED}\n")
    return own_settings.unstarted_builds(SimpleNamespace(host=host))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("console", "runs_as"),
    [
        ("Started by timer\nRunning as Builds\n[Pipeline] echo\n", "Builds"),
        ("Started by timer\nRunning as SYSTEM\n", "SYSTEM"),
        ("Started by timer\n[Pipeline] Start of Pipeline\n", "nobody named"),
    ],
)
def test_whom_a_build_of_a_timer_ran_as_is_told(monkeypatch: pytest.MonkeyPatch, console: str, runs_as: str) -> None:
    builds = [{"number": 3, "timestamp": SINCE + 1, "actions": [cause(TIMER), {}]}]

    assert (Unstarted("seed #3", runs_as),) == unstarted(monkeypatch, builds, console)


def test_the_newest_build_of_polling_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = [
        {"number": 5, "timestamp": SINCE + 9, "actions": [cause(PERSON)]},
        {"number": 4, "timestamp": SINCE + 8, "actions": [cause(POLLING)]},
        {"number": 3, "timestamp": SINCE + 7, "actions": [cause(TIMER)]},
    ]

    assert ["seed #4"] == [build.name for build in unstarted(monkeypatch, builds, "Running as Builds\n")]


@pytest.mark.parametrize("kind", [PERSON, BEFORE])
def test_builds_that_somebody_started_do_not_count(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    assert () == unstarted(monkeypatch, [{"number": 3, "timestamp": SINCE + 1, "actions": [cause(kind)]}], "")


def test_builds_from_before_the_service_was_started_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert () == unstarted(monkeypatch, [{"number": 3, "timestamp": SINCE - 1, "actions": [cause(TIMER)]}], "")


def test_the_inspector_tells_audit_lines_alone_and_cuts_long_ones(
    inspector: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = BEGUN + "x" * 5000
    monkeypatch.setattr(inspector, "run", lambda *command: (f"{REQUEST}\nINFO started\n{long}\n", ""))

    assert [REQUEST, long[:500]] == inspector.read_audit({})
