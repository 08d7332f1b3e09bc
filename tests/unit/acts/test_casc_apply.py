"""The casc act applies: files are checked and sent, old ones are kept until the reload succeeded, and what fails is told."""

import json

import pytest

from bootstrap.acts import casc
from bootstrap.errors import BootstrapError, CascRejected
from bootstrap.values import Change, ChangeKind, Secret
from tests.recorder import Recorder
from tests.unit.acts.casc_machine import EXPORT, GOOD, Machine, digest_of


def test_the_first_apply_checks_places_reloads_and_records(server) -> None:
    machine, report = Machine({}), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert GOOD == machine.files
    assert ["look", "place", "confirm"] == machine.ran
    assert [Change("casc", ChangeKind.ADD, "a.yaml"), Change("casc", ChangeKind.ADD, "b.yaml")] == report.changes
    assert [
        "POST configuration-as-code/check",
        "POST configuration-as-code/check",
        "POST configuration-as-code/reload",
        "GET done",
        "POST configuration-as-code/export",
    ] == server.asked


def test_what_a_check_applies_is_not_sent_to_it(server) -> None:
    access = "jenkins:\n  securityRealm:\n    local:\n      users:\n        - id: a\n  mode: NORMAL\n"
    logs = "jenkins: {log: {recorders: []}, proxy: {name: p}}\n"
    wished = {"access.yaml": access, "logs.yaml": logs}

    changes = casc.plan(Machine({}), server.client, wished, {}, Recorder())

    assert ["access.yaml", "logs.yaml"] == [change.name for change in changes]
    assert 1 == server.asked.count("POST configuration-as-code/check")
    blanked = access.replace("        - id: a", " " * 15)
    assert blanked == server.bodies["POST configuration-as-code/check"]

    machine = Machine({})
    casc.apply(machine, server.client, wished, {}, Recorder())

    assert wished == machine.files
    assert blanked == server.bodies["POST configuration-as-code/check"]


def test_a_secret_that_jenkins_would_replace_again_is_refused_unseen() -> None:
    casc.require_final({"ADMIN_PASSWORD": Secret("a$b{c}")})

    with pytest.raises(BootstrapError, match="reading the secret TOOLKIT_PASSWORD") as caught:
        casc.require_final({"ADMIN_PASSWORD": Secret("fine"), "TOOLKIT_PASSWORD": Secret("pre${X}fix")})

    assert "prefix" not in str(caught.value) and "pre${X}" not in str(caught.value)


def test_a_second_apply_only_looks(server) -> None:
    machine, report = Machine(GOOD, digest_of(EXPORT)), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert (["look"], ["POST configuration-as-code/export"], []) == (machine.ran, server.asked, report.changes)


def test_only_what_differs_is_checked_and_what_left_the_code_is_removed(server) -> None:
    machine, report = Machine(GOOD | {"old.yaml": "x: 1\n"}, digest_of(EXPORT)), Recorder()
    wished = GOOD | {"b.yaml": "tool: {}\n"}

    casc.apply(machine, server.client, wished, {}, report)

    assert wished == machine.files
    assert 1 == server.asked.count("POST configuration-as-code/check")
    assert "tool: {}\n" == server.bodies["POST configuration-as-code/check"]
    assert [(ChangeKind.ALTER, "b.yaml"), (ChangeKind.REMOVE, "old.yaml")] == [(c.kind, c.name) for c in report.changes]


@pytest.mark.parametrize("status", [200, 400])
def test_a_file_that_jenkins_refuses_never_reaches_the_machine(status: int, server) -> None:
    found = [{"line": 2, "message": "Invalid configuration elements for type: class X : modee."}]
    server.on("POST", "configuration-as-code/check", (status, {}, json.dumps(found)))
    machine = Machine({})

    with pytest.raises(CascRejected) as caught:
        casc.apply(machine, server.client, {"a.yaml": "jenkins:\n  modee: NORMAL\n"}, {}, Recorder())

    assert ["casc/a.yaml:2:3"] == [f"{f.file}:{f.line}:{f.column}" for f in caught.value.faults]
    assert ({}, ["look"]) == (machine.files, machine.ran)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("mode: Failed to set attribute 'mode'\n  at /configuration-as-code/check:3 (path: mode)", "casc/a.yaml:3:3"),
        ("Item isn't a Scalar /configuration-as-code/check:3", "casc/a.yaml:3:3"),
        (
            "mapping values are not allowed here\n in /configuration-as-code/check, line 3, column 8:\n  x",
            "casc/a.yaml:3:8",
        ),
        (
            "jenkins: Invalid configuration elements for type: class x.Y : mode.\nAvailable attributes : b",
            "casc/a.yaml:3:3",
        ),
        ("something else", "casc/a.yaml:1:1"),
    ],
)
def test_a_fault_is_told_by_the_place_that_jenkins_text_names(said: str, place: str, server) -> None:
    server.on("POST", "configuration-as-code/check", (400, {}, json.dumps([{"line": -1, "message": said}])))

    with pytest.raises(CascRejected) as caught:
        casc.plan(Machine({}), server.client, {"a.yaml": "# one\njenkins:\n  mode: NORMALLY\n"}, {}, Recorder())

    (fault,) = caught.value.faults
    assert place == f"{fault.file}:{fault.line}:{fault.column}"
    assert "/configuration-as-code/check:3 (" not in fault.message


OOPS = "<h1>Oops!</h1><p>Logging ID=61fd9478-81d7-487b-8657-6f6b115835b4</p>"


def test_a_check_that_fails_in_jenkins_itself_counts_as_refused_and_is_told_by_the_journal(server) -> None:
    server.on("POST", "configuration-as-code/check", (500, {}, OOPS))
    machine = Machine({})
    caught_there = "x: Caught unhandled exception with ID 61fd9478-81d7-487b-8657-6f6b115835b4"
    machine.journal = f"{caught_there}\na.BException: no X\n\tat a.B.c(B.java:1)\n"

    with pytest.raises(CascRejected, match="checking the settings") as caught:
        casc.apply(machine, server.client, GOOD, {}, Recorder())

    message = caught.value.faults[0].message
    assert message.startswith("Jenkins answered 500: ") and message.endswith("\na.BException: no X")


RELOAD_FAILED = """x: Failed to reload configuration
java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.NORMALLY
\tat java.base/java.lang.Enum.valueOf(Enum.java:273)
Caused: io.jenkins.plugins.casc.ConfiguratorException: git: Failed to set attribute 'git'
  at b.yaml:1 (path: git)
\tat PluginClassLoader for configuration-as-code//io.jenkins.plugins.casc.X.set(X.java:8)
"""


def test_a_reload_that_answers_200_with_an_error_page_puts_the_old_files_back(server) -> None:
    page = "<a href='#skip2content'>Skip to content</a><h1>Error loading configuration</h1><p>Failed</p>"
    done = (302, {"Location": "http://jenkins.invalid/done"}, "")
    server.on("POST", "configuration-as-code/reload", (200, {}, page), done)
    machine, report = Machine({"a.yaml": "old: 1\n"}, digest_of(EXPORT)), Recorder()
    machine.journal = RELOAD_FAILED

    with pytest.raises(CascRejected) as caught:
        casc.apply(machine, server.client, GOOD, {}, report)

    (fault,) = caught.value.faults
    assert ("casc/b.yaml", 1) == (fault.file, fault.line)
    assert [
        "java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.NORMALLY",
        "Caused: io.jenkins.plugins.casc.ConfiguratorException: git: Failed to set attribute 'git'",
    ] == fault.message.splitlines()
    assert {"a.yaml": "old: 1\n"} == machine.files
    assert ["look", "place", "put back"] == machine.ran
    assert 2 == server.asked.count("POST configuration-as-code/reload")
    assert [] == report.changes


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, {}, "<a href='#skip2content'>Skip to content</a><h1>Error loading configuration</h1><p>why</p>"), "why"),
        ((500, {}, OOPS), "the service's journal has the exception: ./bootstrap.py ssh"),
        (
            (403, {}, "<h2>HTTP ERROR 403 no</h2><table><tr><th>MESSAGE:</th><td>no crumb</td></tr></table>"),
            "403: no crumb",
        ),
        ((200, {}, ""), "without a reason"),
    ],
)
def test_a_reload_that_fails_without_a_journal_is_told_by_its_page(answer, told: str, server) -> None:
    done = (302, {"Location": "http://jenkins.invalid/done"}, "")
    server.on("POST", "configuration-as-code/reload", answer, done)

    with pytest.raises(CascRejected) as caught:
        casc.apply(Machine({}), server.client, GOOD, {}, Recorder())

    assert told in caught.value.faults[0].message
    assert "Skip to content" not in str(caught.value)


def test_a_run_that_ended_before_the_reload_is_made_good_by_the_next(server) -> None:
    machine, report = Machine(GOOD, applied=None), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert "POST configuration-as-code/reload" in server.asked
    assert digest_of(EXPORT) == machine.applied
    assert [] == report.changes


def test_what_was_changed_in_the_web_interface_is_put_back_and_told(server) -> None:
    server.on("POST", "configuration-as-code/export", "jenkins:\n  mode: EXCLUSIVE\n", EXPORT)
    machine, report = Machine(GOOD, digest_of(EXPORT)), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert "POST configuration-as-code/reload" in server.asked
    assert ["settings"] == [change.name for change in report.changes]
    assert digest_of(EXPORT) == machine.applied
