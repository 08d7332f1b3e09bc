"""The host act: how often it goes to the machine, what it sends there, and what it makes of the answer."""

from typing import Any

import pytest

from bootstrap.acts import host
from bootstrap.errors import ConvergeFailed
from bootstrap.values import Change, ChangeKind
from tests.recorder import Recorder
from tests.unit.acts.host_machine import INPUTS, Machine, answer, changed


def unchanged(identity: str = "a") -> dict[str, Any]:
    return {"id": identity, "changed": False, "failed": False}


def failed(identity: str) -> dict[str, Any]:
    told = {"detail": "it is not active", "command": "systemctl start it", "exit_code": 1, "tail": "last words"}
    return {"id": identity, "changed": False, "failed": True, **told}


def test_a_machine_in_its_wished_state_costs_one_round_trip_and_is_not_spoken_of() -> None:
    machine, report = Machine(check=answer(unchanged())), Recorder()
    host.apply(machine, INPUTS, {}, report)
    assert (["check"], [], []) == (machine.asked, report.changes, report.texts)


def test_changes_are_made_in_a_second_round_trip_and_told_one_by_one() -> None:
    machine, report = Machine(check=answer(changed()), apply=answer(unchanged(), changed("c"))), Recorder()
    host.apply(machine, INPUTS, {}, report)
    assert ["check", "apply"] == machine.asked
    assert [Change("host", ChangeKind.ALTER, "c", "mode")] == report.changes


def test_each_step_is_told_while_it_happens_and_told_once() -> None:
    machine, report = Machine(check=answer(changed()), apply=answer(changed("c"), changed("d"))), Recorder()
    machine.steps = [{"begun": changed("c")}, {"done": changed("c")}, {"begun": changed("d")}]
    host.apply(machine, INPUTS, {}, report)
    assert ["c: mode", "d: mode"] == report.texts
    assert ["c", "d"] == [change.name for change in report.changes]


def test_what_was_done_before_the_machine_went_silent_is_told() -> None:
    machine, report = Machine(check=answer(changed()), apply=""), Recorder()
    machine.steps = [{"begun": changed("c")}, {"done": changed("c")}, {"begun": changed("d")}]
    with pytest.raises(ConvergeFailed):
        host.apply(machine, INPUTS, {}, report)
    assert ["c"] == [change.name for change in report.changes]


def test_planning_never_applies() -> None:
    machine = Machine(check=answer(unchanged(), changed()))
    assert (Change("host", ChangeKind.ALTER, "b", "mode"),) == host.plan(machine, INPUTS)
    assert ["check"] == machine.asked


def test_an_edit_is_told_apart_from_what_the_code_wishes_else_by_now() -> None:
    machine = Machine(check=answer(unchanged(), changed("b"), changed("c", moved=True)))
    assert ((Change("host", ChangeKind.ALTER, "b", "mode"),), ("c",)) == host.split_edits(machine, INPUTS)
    assert ["check"] == machine.asked


def test_a_plan_that_cannot_be_carried_out_is_refused() -> None:
    with pytest.raises(ConvergeFailed, match="it is not active"):
        host.plan(Machine(check=answer(changed(), failed("jenkins.service"))), INPUTS)


def test_a_failure_tells_what_was_done_before_and_then_the_reason() -> None:
    results = (changed("packages"), failed("jenkins.service"))
    machine, report = Machine(check=answer(changed()), apply=answer(*results, not_reached=["x", "y"])), Recorder()
    with pytest.raises(ConvergeFailed) as caught:
        host.apply(machine, INPUTS, {}, report)
    assert ["packages"] == [change.name for change in report.changes]
    assert "bringing 'jenkins.service' on i-1 to its desired state" == caught.value.doing
    lines = ["it is not active", "'systemctl start it' exited with 1", "last words", "not reached: 2 more"]
    assert lines == caught.value.found.splitlines()
    assert "./bootstrap.py logs" in caught.value.remedy


@pytest.mark.parametrize(
    "told",
    [{"detail": "[Errno 28] No space left on device: '/etc/x.new'"}, {"tail": "dpkg: error: No space left on device"}],
)
def test_a_full_disk_is_named_with_its_remedy(told: dict[str, str]) -> None:
    machine = Machine(check=answer(changed()), apply=answer({**failed("packages"), **told}))
    with pytest.raises(ConvergeFailed) as caught:
        host.apply(machine, INPUTS, {}, Recorder())
    assert "Free space on the machine" in caught.value.remedy
    assert "launch again" in caught.value.remedy


def test_a_look_that_fails_is_tried_for_real() -> None:
    machine = Machine(check=answer(failed("user jenkins")), apply=answer(unchanged()))
    host.apply(machine, INPUTS, {}, Recorder())
    assert ["check", "apply"] == machine.asked


def test_a_machine_without_sudo_or_python_is_told_in_its_own_words() -> None:
    with pytest.raises(ConvergeFailed, match="a password is required"):
        host.apply(Machine(check=""), INPUTS, {}, Recorder())


def test_a_fault_of_the_program_is_told_as_one() -> None:
    with pytest.raises(ConvergeFailed, match="bug of the toolkit"):
        host.plan(Machine(check=answer(crash="Traceback ...")), INPUTS)


def test_what_the_machine_notes_is_told_when_something_changed() -> None:
    report = Recorder()
    host.apply(Machine(check=answer(changed(), notes=["n"]), apply=answer(changed(), notes=["n"])), INPUTS, {}, report)
    assert ["n"] == report.texts


def test_the_controller_is_reached_with_the_toolkits_own_token() -> None:
    found = host.apply(Machine(check=answer(unchanged())), INPUTS, {}, Recorder())
    assert ("toolkit", "11" + "0" * 32, "pass") == (found.user, found.token.reveal(), found.password.reveal())
    assert ("https://10.0.0.1/", "2.1", True, "the authority") == (
        found.url,
        found.version,
        found.is_emulated,
        found.authority,
    )


@pytest.mark.parametrize(("waits", "seconds"), [(True, 600), (False, 0)])
def test_a_restart_waits_for_builds_as_long_as_the_environment_says(waits: bool, seconds: int) -> None:
    machine = Machine(check=answer(changed()), apply=answer(changed()))
    host.apply(machine, INPUTS, {}, Recorder(), waits=waits)
    assert dict.fromkeys(("jenkins.service", "jenkins-agent.service", "jenkins-builder.service"), seconds) == {
        unit: wish["seconds"] for unit, wish in machine.drain.items()
    }
    assert 3600 + 3 * seconds == machine.timeout  # for Jenkins, and for its two agents


@pytest.mark.parametrize(
    ("build", "own"),
    [("https://10.0.0.1/job/a/1/", "https://10.0.0.1/job/a/1/"), ("https://else.example.org/job/a/1/", "")],
)
def test_the_build_of_that_jenkins_that_runs_the_tool_is_named(
    monkeypatch: pytest.MonkeyPatch, build: str, own: str
) -> None:
    monkeypatch.setenv("BUILD_URL", build)
    machine = Machine(check=answer(changed()), apply=answer(changed()))
    host.apply(machine, INPUTS, {}, Recorder())
    assert own == machine.drain["jenkins.service"]["own"]


def test_what_the_machine_notes_is_told_and_its_tries_are_not() -> None:
    machine, report = Machine(drain=answer()), Recorder()
    machine.steps = [{"note": "it waits for seed #3"}, {}]
    host.drain(machine, INPUTS.settings.jenkins, INPUTS.url, report)
    assert (["drain"], ["! it waits for seed #3"]) == (machine.asked, report.texts)
