"""Before a restart: what is waited for, what is said, and that Jenkins is never left quiet."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins import FREESTYLE, PIPELINE, FakeJenkins, serving
from scripted import ScriptedContext

from bootstrap.remote.converge import draining, jenkins
from bootstrap.remote.converge.core import Failed

UNIT = "jenkins.service"
GROUP = "/system.slice/jenkins.service"


@pytest.fixture
def server() -> FakeJenkins:
    return FakeJenkins()


@pytest.fixture
def context(server: FakeJenkins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedContext]:
    monkeypatch.setattr(draining, "_PAUSE", 0.05)
    monkeypatch.setattr(jenkins, "_BLOCK", 0.3)
    folder = tmp_path / "etc/bootstrap/toolkit"
    folder.mkdir(parents=True)
    (folder / "token").write_text("token")
    (folder / "password").write_text("word")
    made = ScriptedContext(root=tmp_path, script={f"systemctl show -p ControlGroup --value {UNIT}": f"{GROUP}\n"})
    with serving(server) as url:
        secrets = [
            {"path": "/etc/bootstrap/toolkit/token", "prefix": "11"},
            {"path": "/etc/bootstrap/toolkit/password", "prefix": ""},
        ]
        made.drain = {UNIT: {"url": url, "user": "toolkit", "secrets": secrets, "seconds": 30, "own": ""}}
        yield made


def wish(context: ScriptedContext, **parts: Any) -> None:
    context.drain = {UNIT: {**context.drain[UNIT], **parts}}


def restart(context: ScriptedContext, then: Callable[[str], object] = lambda note: None) -> list[str]:
    """What is said until the restart; `then` is called with each note, and with '' while it waits."""
    notes: list[str] = []

    def tell(step: dict[str, Any]) -> None:
        note = step.get("note", "")
        notes.extend([note] if note else [])
        then(note)

    context.report = tell
    with draining.drained(context, UNIT, is_needed=True):
        notes.append("restart")
    return notes


def process(context: ScriptedContext, number: int, *variables: str) -> Path:
    group, folder = context.path(f"/sys/fs/cgroup{GROUP}"), context.path(f"/proc/{number}")
    group.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True)
    (group / "cgroup.procs").open("a").write(f"{number}\n")
    (folder / "environ").write_bytes("\0".join(variables).encode())
    return folder / "environ"


def test_a_jenkins_that_does_nothing_restarts_at_once(context: ScriptedContext, server: FakeJenkins) -> None:
    assert ["restart"] == restart(context)
    assert server.is_quiet  # which the restart itself ends
    assert not draining.mark_of(context, UNIT).exists()


def test_a_freestyle_build_is_waited_for_and_named_once(context: ScriptedContext, server: FakeJenkins) -> None:
    server.executors, server.is_ready, looks = [(FREESTYLE, "job/team/job/a%20b/3/")], False, []

    def look(note: str) -> None:
        assert server.is_quiet
        assert draining.mark_of(context, UNIT).exists()
        looks.append(note)
        if len(looks) == 3:
            server.end()

    said = restart(context, look)
    assert ["jenkins.service waits for team/a b #3 before it restarts (limit 30 s)", "restart"] == said
    assert ["", ""] == looks[1:]


def test_who_is_waited_for_is_told_again_when_it_changes(context: ScriptedContext, server: FakeJenkins) -> None:
    server.executors, server.is_ready = [(FREESTYLE, "job/a/1/"), (FREESTYLE, "job/b/2/")], False

    def look(note: str) -> None:
        if "a #1" in note:
            server.executors.pop(0)
        elif note:
            server.end()

    assert ["a #1, b #2", "b #2"] == [said.split(" before")[0].split("for ")[1] for said in restart(context, look)[:2]]


def test_a_pipeline_is_waited_for_while_a_process_of_it_runs(context: ScriptedContext, server: FakeJenkins) -> None:
    server.pipeline("job/seed/3/")
    process(context, 100, "HOME=/x")
    told = process(context, 101, "A=b", "BUILD_URL=https://ci.example.org/job/seed/3/", "C=d")

    said = restart(context, lambda note: told.unlink())

    assert ["jenkins.service waits for seed #3 before it restarts (limit 30 s)", "restart"] == said


def test_a_pipeline_between_two_steps_holds_nothing_up(context: ScriptedContext, server: FakeJenkins) -> None:
    server.pipeline("job/seed/3/")
    server.one_off.append((PIPELINE, "job/asks/1/"))
    process(context, 101, "BUILD_URL=https://ci.example.org/job/ended/1/")  # what a build has left behind

    assert ["restart"] == restart(context)


def test_a_step_inside_of_the_jvm_is_waited_for(context: ScriptedContext, server: FakeJenkins) -> None:
    server.pipeline("job/seed/3/")
    server.is_ready = False

    said = restart(context, lambda note: server.end())

    assert "waits for seed #3" in said[0]


def test_the_limit_ends_the_waiting_and_says_what_it_interrupts(context: ScriptedContext, server: FakeJenkins) -> None:
    server.executors, server.is_ready = [(FREESTYLE, f"job/j{number}/1/") for number in range(7)], False
    wish(context, seconds=0.2)

    said = restart(context)

    shown = "j0 #1, j1 #1, j2 #1, j3 #1, j4 #1 and 2 more"
    assert f"jenkins.service: the limit of 0.2 s is over; the restart interrupts {shown}" == said[-2]


def test_without_waiting_the_builds_are_named_and_jenkins_is_not_asked_for_quiet(
    context: ScriptedContext, server: FakeJenkins
) -> None:
    server.pipeline("job/seed/3/")
    wish(context, seconds=0)

    assert ["jenkins.service restarts without waiting and interrupts seed #3", "restart"] == restart(context)
    assert not any("quietDown" in path for path in server.asked)


def test_the_build_that_runs_this_tool_is_not_waited_for(context: ScriptedContext, server: FakeJenkins) -> None:
    server.executors, server.is_ready = [(FREESTYLE, "job/self/9/")], False
    wish(context, own="https://ci.example.org/job/self/9/")

    assert ["restart"] == restart(context)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_jenkins_that_refuses_is_restarted_at_once(
    context: ScriptedContext, server: FakeJenkins, status: int
) -> None:
    server.refuses["/quietDown"] = status

    said = restart(context)

    assert f"jenkins.service restarts without waiting for builds: Jenkins answered {status} to quietDown" == said[0]
    assert not draining.mark_of(context, UNIT).exists()


def test_a_jenkins_that_is_not_there_is_restarted_at_once(context: ScriptedContext) -> None:
    wish(context, url="http://127.0.0.1:1/")

    said = restart(context)

    assert said[0].startswith("jenkins.service restarts without waiting for builds: Jenkins does not answer")


def test_the_password_serves_where_the_token_is_not_known_yet(context: ScriptedContext, server: FakeJenkins) -> None:
    server.secrets = {"word"}

    assert ["restart"] == restart(context)
    assert server.is_quiet


def test_a_user_that_is_not_let_in_waits_for_nothing(context: ScriptedContext, server: FakeJenkins) -> None:
    server.secrets = set()

    assert restart(context)[0].endswith("Jenkins answered 401 to its user toolkit")


def test_without_any_secret_nothing_is_waited_for(context: ScriptedContext) -> None:
    wish(context, secrets=[{"path": "/nothing", "prefix": ""}])

    assert restart(context)[0].endswith("its user has no secret yet")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"computer": 1}', b'{"computer": [1, {"executors": [2]}]}'])
def test_answers_that_are_none_do_no_harm(context: ScriptedContext, server: FakeJenkins, body: bytes) -> None:
    server.body = body

    assert "restart" == restart(context)[-1]


def test_a_hostile_name_is_printed_safely(context: ScriptedContext, server: FakeJenkins) -> None:
    server.executors, server.is_ready = [(FREESTYLE, "job/a%1B%5B2J/3/")], False

    assert "waits for a?[2J #3 before" in restart(context, lambda note: server.end())[0]


def test_a_restart_that_fails_lets_builds_start_again(context: ScriptedContext, server: FakeJenkins) -> None:
    with pytest.raises(Failed), draining.drained(context, UNIT, is_needed=True):
        raise Failed("it did not start")

    assert not server.is_quiet
    assert not draining.mark_of(context, UNIT).exists()


def test_who_waits_and_is_not_heard_any_more_lets_builds_start_again(
    context: ScriptedContext, server: FakeJenkins
) -> None:
    server.executors, server.is_ready = [(FREESTYLE, "job/a/1/")], False

    def unheard(note: str) -> None:
        if not note:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        restart(context, unheard)
    assert not server.is_quiet
    assert not draining.mark_of(context, UNIT).exists()


def test_a_quiet_that_somebody_else_asked_for_is_not_ended_with_a_failure(
    context: ScriptedContext, server: FakeJenkins
) -> None:
    server.is_quiet = True

    with pytest.raises(Failed), draining.drained(context, UNIT, is_needed=True):
        raise Failed("it did not start")

    assert server.is_quiet


def test_the_run_after_a_killed_one_lets_builds_start_again(context: ScriptedContext, server: FakeJenkins) -> None:
    mark = draining.mark_of(context, UNIT)
    mark.parent.mkdir(parents=True)
    mark.touch()
    server.is_quiet = True

    with draining.drained(context, UNIT, is_needed=False):
        assert not server.is_quiet

    assert not mark.exists()


def test_a_unit_that_nobody_drains_is_left_alone(context: ScriptedContext, server: FakeJenkins) -> None:
    with draining.drained(context, "nginx.service", is_needed=True):
        assert [] == server.asked
