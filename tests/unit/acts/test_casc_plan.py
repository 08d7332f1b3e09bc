"""What the casc act plans: files that differ, drift, and the edits that a reload overwrites or leaves."""

import os
import subprocess
from pathlib import Path

import pytest

from bootstrap.acts import casc
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import provided_variables, settings_record
from bootstrap.values import ChangeKind
from tests.recorder import Recorder
from tests.unit.acts.casc_machine import EXPORT, GOOD, Machine, digest_of

NEW = "x: '${OLD} ${NEW} ${SECRET:-}'\n"


def test_a_plan_leaves_a_file_with_a_variable_of_the_next_host_act_to_the_launch(server) -> None:
    machine, report = Machine({}), Recorder()
    machine.variables = ["OLD", "PATH"]

    changes = casc.plan(machine, server.client, GOOD | {"new.yaml": NEW}, {}, report)

    assert ["a.yaml", "b.yaml", "new.yaml"] == [change.name for change in changes]
    assert 2 == server.asked.count("POST configuration-as-code/check")
    assert GOOD["b.yaml"] == server.bodies["POST configuration-as-code/check"]
    assert ["! casc/new.yaml is checked at launch: this Jenkins does not have NEW yet"] == report.texts


def test_a_file_whose_variables_jenkins_has_is_checked(server) -> None:
    machine, report = Machine({}), Recorder()
    machine.variables = ["OLD", "NEW"]

    casc.plan(machine, server.client, {"new.yaml": NEW}, {}, report)

    assert (NEW, []) == (server.bodies["POST configuration-as-code/check"], report.texts)


def test_settings_alone_are_refused_before_the_host_act_brought_their_variables(server) -> None:
    machine = Machine({})
    machine.variables = ["OLD"]

    with pytest.raises(BootstrapError, match="checking the settings with Jenkins") as caught:
        casc.apply(machine, server.client, {"new.yaml": NEW}, {}, Recorder())

    assert "casc/new.yaml uses NEW" in caught.value.found
    assert "launch" in caught.value.remedy and "host apply" in caught.value.remedy
    assert ([], {}) == (server.asked, machine.files)


def test_the_names_of_a_processs_variables_and_secrets_are_read_without_values(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "OWN_SECRET").write_text("hidden")
    process = subprocess.Popen(["sleep", "60"], env={"ONE": "a=b\nNOT", "SECRETS": str(secrets), "EMPTY": ""})
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\necho {process.pid}\n")
    (tmp_path / "systemctl").chmod(0o755)

    try:
        looked = subprocess.run(
            ["sh", "-c", provided_variables.LOOK],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        process.kill()
        process.wait()

    assert {"ONE", "SECRETS", "EMPTY", "OWN_SECRET"} == set(looked.stdout.split())


EDITED = "jenkins:\n  labelString: x\n  mode: EXCLUSIVE\n"


def test_a_plan_tells_each_edit_that_a_reload_overwrites_and_notices_what_it_leaves(server) -> None:
    server.on("POST", "configuration-as-code/export", EDITED)
    report = Recorder()

    (found,) = casc.plan(Machine(GOOD, digest_of(EXPORT), EXPORT), server.client, GOOD, {}, report)

    assert ("jenkins.mode", ChangeKind.ALTER) == (found.name, found.kind)
    assert ["-EXCLUSIVE", "+NORMAL"] == found.diff.splitlines()[-2:]
    (left,) = report.texts
    assert "jenkins.labelString" in left and "a reload keeps it" in left


def test_what_a_reload_leaves_is_no_reason_for_one(server) -> None:
    server.on("POST", "configuration-as-code/export", "jenkins:\n  labelString: x\n  mode: NORMAL\n")
    machine, report = Machine(GOOD, digest_of(EXPORT), EXPORT), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert "POST configuration-as-code/reload" not in server.asked
    assert ([], digest_of(EXPORT)) == (report.changes, machine.applied)
    assert 1 == len(report.texts)


LEFT = "jenkins:\n  labelString: x\n  mode: NORMAL\n"


def test_what_a_reload_left_stays_told_until_it_is_undone(server) -> None:
    server.on("POST", "configuration-as-code/export", LEFT, LEFT, LEFT, EXPORT, EXPORT)
    machine, report = Machine(GOOD | {"a.yaml": "old"}, digest_of(EXPORT), EXPORT), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)
    assert 1 == len(report.texts)
    assert digest_of(LEFT) == machine.applied

    casc.apply(machine, server.client, GOOD, {}, report)
    assert "jenkins.labelString" in report.texts[1]

    casc.apply(machine, server.client, GOOD, {}, report)
    assert 2 == len(report.texts)
    assert 1 == server.asked.count("POST configuration-as-code/reload")


def test_what_was_edited_before_a_run_that_ended_before_its_reload_is_told_after_it(server) -> None:
    server.on("POST", "configuration-as-code/export", LEFT)
    machine, report = Machine(GOOD, settings_record._UNFINISHED, EXPORT), Recorder()

    casc.apply(machine, server.client, GOOD, {}, report)
    casc.apply(machine, server.client, GOOD, {}, report)

    assert 1 == server.asked.count("POST configuration-as-code/reload")
    assert 2 == len([line for line in report.texts if "jenkins.labelString" in line])
    assert [] == report.changes


def test_a_file_that_differs_is_planned_together_with_the_edits_that_its_reload_overwrites(server) -> None:
    server.on("POST", "configuration-as-code/export", EDITED)
    there = GOOD | {"b.yaml": "tool: {}\n"}

    found = casc.plan(Machine(there, digest_of(EXPORT), EXPORT), server.client, GOOD, {}, Recorder())

    assert ["b.yaml", "jenkins.mode"] == [change.name for change in found]


def test_a_plan_finds_differences_and_drift_and_changes_nothing(server) -> None:
    machine = Machine({}, None)
    assert ["a.yaml", "b.yaml"] == [change.name for change in casc.plan(machine, server.client, GOOD, {}, Recorder())]

    drifted = Machine(GOOD, digest_of("other"))
    assert ["settings"] == [change.name for change in casc.plan(drifted, server.client, GOOD, {}, Recorder())]

    assert ["look"] == machine.ran == drifted.ran
    assert "POST configuration-as-code/reload" not in server.asked
