"""Who builds run as, what is written down and what is warned of: the parts that need no server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.emulator.execution.audit import format_moment, normalise_path
from bootstrap.local.emulator.model import identities
from bootstrap.local.emulator.model.build_record import Cause, make_timer_cause, make_user_cause
from bootstrap.local.emulator.model.configuration import Configuration
from bootstrap.local.emulator.model.security import Authorization
from bootstrap.local.emulator.model.xmlfile import parse
from bootstrap.local.emulator.web import monitors

TRIGGERING = {"global": {"strategy": {"triggeringUsersAuthorizationStrategy": {}}}}
SPECIFIC = {"global": {"strategy": {"specificUsersAuthorizationStrategy": {"userid": "builds"}}}}
NOBODY = {"global": {"strategy": {"anonymousAuthorizationStrategy": {}}}}
SYSTEM = {"global": {"strategy": {"systemAuthorizationStrategy": {}}}}
OF_JOB = "org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty"
STRATEGY = "org.jenkinsci.plugins.authorizeproject.strategy.SpecificUsersAuthorizationStrategy"


def upstream(job: str, number: str) -> Cause:
    return Cause("hudson.model.Cause$UpstreamCause", "", {"upstreamProject": job, "upstreamBuild": number})


@dataclass
class Controller:
    """What identities ask of a controller."""

    authenticators: list[Any]
    builds: dict[str, list[Cause]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tree = {"security": {"queueItemAuthenticator": {"authenticators": self.authenticators}}, **self.settings}
        self.configuration = Configuration(tree)
        users = {
            name: SimpleNamespace(identifier=name, password="" if name == "closed" else "#jbcrypt:x")
            for name in ("admin", "builds", "closed")
        }
        self.users = SimpleNamespace(find=users.get)
        matrix = {"entries": [{"user": {"name": "builds", "permissions": ["Job/Read"]}}]}
        self.authorization = Authorization("globalMatrix", matrix)

    def find_job(self, name: str) -> Any:
        found = {"1": SimpleNamespace(causes=self.builds[name])} if name in self.builds else {}
        return SimpleNamespace(history=SimpleNamespace(find=found.get))


def who(controller: Controller, *causes: Cause, job: str = "<project/>") -> str:
    return identities.find_identity(controller, SimpleNamespace(root=parse(job.encode())), causes)  # type: ignore[arg-type]


def test_without_authenticators_builds_run_as_the_system() -> None:
    assert "SYSTEM" == who(Controller([]), make_user_cause("admin", "Admin"))


def test_the_first_that_answers_counts() -> None:
    both = Controller([TRIGGERING, SPECIFIC])

    assert "admin" == who(both, make_user_cause("admin", "Admin"))
    assert "builds" == who(both, make_timer_cause())
    assert "builds" == who(both)
    assert "builds" == who(Controller([SPECIFIC, TRIGGERING]), make_user_cause("admin", "Admin"))
    assert ("anonymous", "SYSTEM") == (who(Controller([NOBODY])), who(Controller([SYSTEM, NOBODY])))


def test_whoever_started_the_first_of_several_builds_counts() -> None:
    causes = {
        "second": [upstream("first", "1")],
        "first": [make_user_cause("admin", "Admin")],
        "timed": [make_timer_cause()],
    }
    both = Controller([TRIGGERING, SPECIFIC], causes)

    assert "admin" == who(both, upstream("second", "1"))
    assert "builds" == who(both, upstream("timed", "1"))
    assert "builds" == who(both, upstream("gone", "1"))


@pytest.mark.parametrize("name", ["closed", "stranger"])
def test_an_account_that_is_not_there_or_has_no_password_is_nobody(name: str) -> None:
    assert "anonymous" == who(Controller([TRIGGERING, SPECIFIC]), make_user_cause(name, name))


@pytest.mark.parametrize(("enabled", "expected"), [([STRATEGY], "builds"), ([], "SYSTEM")])
def test_a_jobs_own_strategy_counts_where_it_is_enabled(enabled: list[str], expected: str) -> None:
    one = Controller([{"project": {"enabledStrategies": enabled}}])
    strategy = f'<strategy class="{STRATEGY}"><userid>builds</userid></strategy>'
    job = f"<project><properties><{OF_JOB}>{strategy}</{OF_JOB}></properties></project>"

    assert expected == who(one, job=job)


def test_the_system_may_everything_and_users_what_they_are_given() -> None:
    one = Controller([SPECIFIC])

    assert (True, True, False) == tuple(
        identities.may(one, name, right)  # type: ignore[arg-type]
        for name, right in (("SYSTEM", "Agent/Build"), ("builds", "Job/Discover"), ("builds", "Agent/Build"))
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a//b/./c", "/a/b/c"),
        ("/x/../createItem", "/createItem"),
        ("/../../a/", "/a/"),
        ("/", "/"),
        ("//", "/"),
    ],
)
def test_no_spelling_of_a_path_hides_it(path: str, expected: str) -> None:
    assert expected == normalise_path(path)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2026-11-29T13:31:43.028+0000"),
        ("yyyy-MM-dd HH:mm:ss:SSS", "2026-11-29 13:31:43:028"),
        ("HH 'o''clock'", "13 o'clock"),
    ],
)
def test_times_are_written_in_javas_formats(pattern: str, expected: str) -> None:
    assert expected == format_moment(datetime(2026, 11, 29, 13, 31, 43, 28_000, UTC), pattern)


class Moment(datetime):
    """The clock of these tests."""

    @classmethod
    def now(cls, tz: Any = None) -> Moment:
        return cls(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("21.0.9", ["jenkins.monitor.JavaVersionRecommendationAdminMonitor-21-2027-09-30-WARNING"]),
        ("25.0.1", []),
        ("17.0.9", []),
    ],
)
def test_java_is_warned_of_in_the_year_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, expected: list[str]
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    (tmp_path / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    monkeypatch.setattr(monitors, "datetime", Moment)
    one: Any = SimpleNamespace(options=SimpleNamespace(variables={"JAVA_HOME": str(tmp_path)}))

    assert expected == monitors._judge_java(one)
    assert date(2029, 9, 30) == monitors.JAVA_ENDS[25]


@pytest.mark.parametrize(
    ("pattern", "is_warned"),
    [(r".*/(?:createItem)/?.*", False), (r"/createItem", True), (r".*/createItem", True), ("(", False), ("", False)],
)
def test_a_pattern_that_can_be_gone_past_is_warned_of(pattern: str, is_warned: bool) -> None:
    one: Any = Controller([], settings={"unclassified": {"audit-trail": {"pattern": pattern}}})
    one.options = SimpleNamespace(plugins={"audit-trail": "1"}, variables={})

    assert is_warned is monitors._is_bypassable(one)
