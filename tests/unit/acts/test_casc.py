"""The casc act: files judged before they are sent, old ones kept until the reload succeeded, and drift found."""

import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from bootstrap.acts import casc
from bootstrap.environment.agents import AgentGroup
from bootstrap.environment.settings import load
from bootstrap.errors import BootstrapError, CascRejected, Unreachable
from bootstrap.jenkins.controller import account_record, people_accounts, provided_variables, settings_record
from bootstrap.jenkins.definitions.casc import find_variables
from bootstrap.jenkins.definitions.fleets import Fleet, make_clouds
from bootstrap.jenkins.definitions.people import DESCRIPTION
from bootstrap.values import Change, ChangeKind, Controller, Result, Secret

ROOT = Path(__file__).resolve().parents[3]

# What is wrong: files, where the fault must be, and a part of its text.
FAULTS = {
    "no YAML": ({"a.yaml": "jenkins:\n  mode: [x\n"}, "casc/a.yaml:3:1", "not YAML"),
    "a key twice": ({"a.yaml": "jenkins:\n  mode: NORMAL\n  mode: NORMAL\n"}, "casc/a.yaml:3:3", "duplicate key"),
    "no mapping": ({"a.yaml": "- jenkins\n"}, "casc/a.yaml:1:1", "must be a mapping"),
    "an empty file": ({"a.yaml": ""}, "casc/a.yaml:1:1", "must be a mapping"),
    "a scalar in two files": (
        {"a.yaml": "jenkins:\n  mode: NORMAL\n", "b.yaml": "jenkins:\n  quietPeriod: 1\n  mode: NORMAL\n"},
        "casc/b.yaml:3:3",
        "'jenkins.mode' is in casc/a.yaml:2 already; Jenkins refuses to choose",
    ),
    "a list in two files": (
        {"a.yaml": "jenkins:\n  views: [a]\n", "b.yaml": "jenkins:\n  views: [b]\n"},
        "casc/b.yaml:2:3",
        "Jenkins would append one list to the other",
    ),
    "a mapping over a value": (
        {"a.yaml": "jenkins:\n  crumbIssuer: standard\n", "b.yaml": "jenkins:\n  crumbIssuer:\n    standard: 1\n"},
        "casc/b.yaml:3:5",
        "'jenkins.crumbIssuer' is a value in casc/a.yaml:2",
    ),
    "a value over a mapping": (
        {"a.yaml": "jenkins:\n  crumbIssuer:\n    standard: 1\n", "b.yaml": "jenkins:\n  crumbIssuer: standard\n"},
        "casc/b.yaml:2:3",
        "is a mapping in casc/a.yaml:3",
    ),
    "a variable that nothing provides": (
        {"a.yaml": "jenkins:\n  numExecutors: '${JENKINS_EXECUTOR}'\n"},
        "casc/a.yaml:2:17",
        "nothing provides ${JENKINS_EXECUTOR}; did you mean 'JENKINS_EXECUTORS'?",
    ),
    "a variable within a list": (
        {"a.yaml": "x:\n  - one\n  - two ${NOPE}\n"},
        "casc/a.yaml:3:5",
        "nothing provides ${NOPE}; there are: ADMIN_PASSWORD",
    ),
    "a password in plain text": (
        {"a.yaml": "jenkins:\n  users:\n    - id: a\n      password: hunter2\n"},
        "casc/a.yaml:4:17",
        "'password' is in plain text",
    ),
    "an undefined alias": ({"a.yaml": "jenkins: *base\n"}, "casc/a.yaml:1:10", "undefined alias"),
}

GOOD = {"a.yaml": "jenkins:\n  mode: NORMAL\n", "b.yaml": "tool:\n  git: {}\n"}
EXPORT = "jenkins:\n  mode: NORMAL\n"


class Report:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.lines: list[str] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        self.lines.append(text)

    def notice(self, text: str) -> None:
        self.lines.append(text)


class Machine:
    """The machine's folder in memory; it knows the scripts of the act and refuses any other command."""

    def __init__(self, files: dict[str, str], applied: str | None = None, exported: str = "") -> None:
        self.files = dict(files)
        self.exported = exported
        self.previous: dict[str, str] | None = None
        self.applied = applied
        self.ran: list[str] = []
        self.journal = ""
        self.variables: list[str] | None = None  # those of the running Jenkins; None if no Jenkins runs
        self.accounts = ""  # the record of the accounts of people, which the data volume has
        self.passwords = ""  # the digest of people's passwords, if Jenkins has others

    def run(self, command: Sequence[str], *, stdin: bytes = b"", sudo: bool = False, **_: object) -> Result:
        assert sudo, "the files belong to root"
        if command[0] == "journalctl":
            return Result("journalctl", 0 if self.journal else 1, self.journal, "")
        if command[0] == "runuser":
            return self._run_as_jenkins(command, stdin)
        if list(command) == ["cat", settings_record._EXPORTED]:
            return Result("cat", 0 if self.exported else 1, self.exported, "")
        shell, flag, script, *arguments = command
        assert (shell, flag) == ("sh", "-c")
        if script == provided_variables.LOOK:
            return Result("look", 1 if self.variables is None else 0, "\n".join(self.variables or ()), "")
        name = {
            settings_record._LOOK: "look",
            settings_record._PLACE: "place",
            settings_record._PUT_BACK: "put back",
            settings_record._CONFIRM: "confirm",
        }[script]
        self.ran.append(name)
        output = getattr(self, f"_{name.replace(' ', '_')}")(arguments[1:], stdin)
        return Result(name, 0, output or "", "")

    def _run_as_jenkins(self, command: Sequence[str], stdin: bytes) -> Result:
        assert list(command[:5]) == ["runuser", "-u", "jenkins", "--", "sh"]
        if command[-1] == account_record._WRITE:
            self.accounts = stdin.decode()
            self.ran.append("record")
        return Result("runuser", 0, self.accounts if command[-1] == account_record._READ else "", "")

    def _look(self, _: list[str], __: bytes) -> str:
        lines = [f"{settings_record._compute_digest(text)}  {name}\n" for name, text in self.files.items()]
        more = {"/applied": self.applied, "/passwords": self.passwords}
        return "".join(lines) + "".join(f"{value}  {name}\n" for name, value in more.items() if value)

    def _place(self, removed: list[str], stdin: bytes) -> None:
        self.previous, self.applied = dict(self.files), settings_record._UNFINISHED if self.applied else None
        with tarfile.open(fileobj=io.BytesIO(stdin)) as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                assert content is not None
                self.files[entry.name] = content.read().decode()
        for name in removed:
            del self.files[name]

    def _put_back(self, _: list[str], __: bytes) -> None:
        assert self.previous is not None
        self.files, self.previous = self.previous, None

    def _confirm(self, arguments: list[str], stdin: bytes) -> None:
        self.applied, self.previous, self.exported, self.passwords = arguments[0], None, stdin.decode(), ""


def digest_of(export: str) -> str:
    return settings_record._compute_digest(export)


@pytest.fixture
def server(jenkins_server):
    """A Jenkins that accepts everything."""
    jenkins_server.on("POST", "configuration-as-code/check", (200, {}, "[]"))
    jenkins_server.on("POST", "configuration-as-code/reload", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    jenkins_server.on("GET", "done", "")
    jenkins_server.on("POST", "configuration-as-code/export", EXPORT)
    return jenkins_server


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    made = tmp_path / "casc"
    made.mkdir()
    for name, text in files.items():
        (made / name).write_text(text)
    return made


# --- reading


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_file_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    files, place, part = FAULTS[case]

    with pytest.raises(CascRejected) as caught:
        casc.read(folder(tmp_path, files))

    fault = caught.value.faults[0]
    assert place == f"{fault.file}:{fault.line}:{fault.column}", str(fault)
    assert part in fault.message


def test_every_fault_is_told_in_the_order_of_the_files(tmp_path: Path) -> None:
    files = {"b.yaml": "b: '${ONE}'\n", "a.yaml": "a: '${TWO}'\nc: '${THREE}'\n"}

    with pytest.raises(CascRejected) as caught:
        casc.read(folder(tmp_path, files))

    assert ["casc/a.yaml:1", "casc/a.yaml:2", "casc/b.yaml:1"] == [f"{f.file}:{f.line}" for f in caught.value.faults]


def test_an_empty_folder_is_refused_since_jenkins_would_be_open_to_all(tmp_path: Path) -> None:
    with pytest.raises(CascRejected) as caught:
        casc.read(folder(tmp_path, {}))

    assert "open to everybody" in caught.value.found


def test_defaults_helpers_and_escapes_need_no_provider(tmp_path: Path) -> None:
    text = "a: '${NOPE:-x}'\nb: '^${NOPE}'\nc: '${readFile:/etc/x}'\npassword: '${ADMIN_PASSWORD}'\ntoken: ''\n"

    assert {"a.yaml": text} == casc.read(folder(tmp_path, {"a.yaml": text}))


def test_anchors_may_stand_under_a_key_of_their_own_in_two_files(tmp_path: Path) -> None:
    files = {"a.yaml": "x-a: &a [1]\none: *a\n", "b.yaml": "x-a: &a [2]\ntwo: *a\n"}

    assert files == casc.read(folder(tmp_path, files))


def test_an_editors_copy_is_passed_over(tmp_path: Path) -> None:
    files = {"a.yaml": "one: 1\n", ".a.yaml.swp.yaml": "one: 2\n", "notes.txt": "three"}

    assert ["a.yaml"] == list(casc.read(folder(tmp_path, files)))


def test_variables_give_every_name_that_files_may_use() -> None:
    settings = load(ROOT / "environments" / "local.yaml")

    found = casc.make_variables(settings, "https://10.77.0.10/", "10.77.3.1")

    assert set(casc.VARIABLES) == set(found)
    assert "https://10.77.0.10/" == found["JENKINS_PUBLIC_URL"]
    assert str(settings.jenkins.executors) == found["JENKINS_EXECUTORS"]


def test_names_of_variables_leave_comments_out() -> None:
    assert {"A", "B"} == find_variables({"x": "# ${NOT}\na: ${A}-${B:-1}\nb: ${readFile:x}\n"})


# --- applying


def test_the_first_apply_checks_places_reloads_and_records(server) -> None:
    machine, report = Machine({}), Report()

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

    changes = casc.plan(Machine({}), server.client, wished, {}, Report())

    assert ["access.yaml", "logs.yaml"] == [change.name for change in changes]
    assert 1 == server.asked.count("POST configuration-as-code/check")
    blanked = access.replace("        - id: a", " " * 15)
    assert blanked == server.bodies["POST configuration-as-code/check"]

    machine = Machine({})
    casc.apply(machine, server.client, wished, {}, Report())

    assert wished == machine.files
    assert blanked == server.bodies["POST configuration-as-code/check"]


def test_a_fault_after_a_blanked_part_is_told_on_its_own_line(server) -> None:
    found = [{"line": 4, "message": "Invalid configuration elements for type: class X : modee."}]
    server.on("POST", "configuration-as-code/check", (400, {}, json.dumps(found)))
    files = {"a.yaml": "jenkins:\n  proxy:\n    name: p\n  modee: NORMAL\n"}

    with pytest.raises(CascRejected) as caught:
        casc.plan(Machine({}), server.client, files, {}, Report())

    assert ["casc/a.yaml:4:3"] == [f"{f.file}:{f.line}:{f.column}" for f in caught.value.faults]


NEW = "x: '${OLD} ${NEW} ${SECRET:-}'\n"


def test_a_plan_leaves_a_file_with_a_variable_of_the_next_host_act_to_the_launch(server) -> None:
    machine, report = Machine({}), Report()
    machine.variables = ["OLD", "PATH"]

    changes = casc.plan(machine, server.client, GOOD | {"new.yaml": NEW}, {}, report)

    assert ["a.yaml", "b.yaml", "new.yaml"] == [change.name for change in changes]
    assert 2 == server.asked.count("POST configuration-as-code/check")
    assert GOOD["b.yaml"] == server.bodies["POST configuration-as-code/check"]
    assert ["casc/new.yaml is checked at launch: this Jenkins does not have NEW yet"] == report.lines


def test_a_file_whose_variables_jenkins_has_is_checked(server) -> None:
    machine, report = Machine({}), Report()
    machine.variables = ["OLD", "NEW"]

    casc.plan(machine, server.client, {"new.yaml": NEW}, {}, report)

    assert (NEW, []) == (server.bodies["POST configuration-as-code/check"], report.lines)


def test_settings_alone_are_refused_before_the_host_act_brought_their_variables(server) -> None:
    machine = Machine({})
    machine.variables = ["OLD"]

    with pytest.raises(BootstrapError, match="checking the settings with Jenkins") as caught:
        casc.apply(machine, server.client, {"new.yaml": NEW}, {}, Report())

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


def test_a_secret_that_jenkins_would_replace_again_is_refused_unseen() -> None:
    casc.require_final({"ADMIN_PASSWORD": Secret("a$b{c}")})

    with pytest.raises(BootstrapError, match="reading the secret TOOLKIT_PASSWORD") as caught:
        casc.require_final({"ADMIN_PASSWORD": Secret("fine"), "TOOLKIT_PASSWORD": Secret("pre${X}fix")})

    assert "prefix" not in str(caught.value) and "pre${X}" not in str(caught.value)


def test_what_the_environment_decides_is_judged_behind_its_variable(tmp_path: Path) -> None:
    values = casc.list_known_variables(load(ROOT / "environments" / "local.yaml"))

    assert {*casc.VARIABLES} - values.keys() == {"JENKINS_PUBLIC_URL", "SMTP_HOST"}
    with pytest.raises(CascRejected, match=r"\$\{BOOTSTRAP_ENVIRONMENT\}, here 'local', is not a number"):
        casc.read(folder(tmp_path, {"a.yaml": "jenkins: {quietPeriod: '${BOOTSTRAP_ENVIRONMENT}'}\n"}), values)


def test_a_second_apply_only_looks(server) -> None:
    machine, report = Machine(GOOD, digest_of(EXPORT)), Report()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert (["look"], ["POST configuration-as-code/export"], []) == (machine.ran, server.asked, report.changes)


def test_only_what_differs_is_checked_and_what_left_the_code_is_removed(server) -> None:
    machine, report = Machine(GOOD | {"old.yaml": "x: 1\n"}, digest_of(EXPORT)), Report()
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
        casc.apply(machine, server.client, {"a.yaml": "jenkins:\n  modee: NORMAL\n"}, {}, Report())

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
        casc.plan(Machine({}), server.client, {"a.yaml": "# one\njenkins:\n  mode: NORMALLY\n"}, {}, Report())

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
        casc.apply(machine, server.client, GOOD, {}, Report())

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
    machine, report = Machine({"a.yaml": "old: 1\n"}, digest_of(EXPORT)), Report()
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
        casc.apply(Machine({}), server.client, GOOD, {}, Report())

    assert told in caught.value.faults[0].message
    assert "Skip to content" not in str(caught.value)


def test_a_run_that_ended_before_the_reload_is_made_good_by_the_next(server) -> None:
    machine, report = Machine(GOOD, applied=None), Report()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert "POST configuration-as-code/reload" in server.asked
    assert digest_of(EXPORT) == machine.applied
    assert [] == report.changes


def test_what_was_changed_in_the_web_interface_is_put_back_and_told(server) -> None:
    server.on("POST", "configuration-as-code/export", "jenkins:\n  mode: EXCLUSIVE\n", EXPORT)
    machine, report = Machine(GOOD, digest_of(EXPORT)), Report()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert "POST configuration-as-code/reload" in server.asked
    assert ["settings"] == [change.name for change in report.changes]
    assert digest_of(EXPORT) == machine.applied


EDITED = "jenkins:\n  labelString: x\n  mode: EXCLUSIVE\n"


def test_a_plan_tells_each_edit_that_a_reload_overwrites_and_notices_what_it_leaves(server) -> None:
    server.on("POST", "configuration-as-code/export", EDITED)
    report = Report()

    (found,) = casc.plan(Machine(GOOD, digest_of(EXPORT), EXPORT), server.client, GOOD, {}, report)

    assert ("jenkins.mode", ChangeKind.ALTER) == (found.name, found.kind)
    assert ["-EXCLUSIVE", "+NORMAL"] == found.diff.splitlines()[-2:]
    (left,) = report.lines
    assert "jenkins.labelString" in left and "a reload keeps it" in left


def test_what_a_reload_leaves_is_no_reason_for_one(server) -> None:
    server.on("POST", "configuration-as-code/export", "jenkins:\n  labelString: x\n  mode: NORMAL\n")
    machine, report = Machine(GOOD, digest_of(EXPORT), EXPORT), Report()

    casc.apply(machine, server.client, GOOD, {}, report)

    assert "POST configuration-as-code/reload" not in server.asked
    assert ([], digest_of(EXPORT)) == (report.changes, machine.applied)
    assert 1 == len(report.lines)


LEFT = "jenkins:\n  labelString: x\n  mode: NORMAL\n"


def test_what_a_reload_left_stays_told_until_it_is_undone(server) -> None:
    server.on("POST", "configuration-as-code/export", LEFT, LEFT, LEFT, EXPORT, EXPORT)
    machine, report = Machine(GOOD | {"a.yaml": "old"}, digest_of(EXPORT), EXPORT), Report()

    casc.apply(machine, server.client, GOOD, {}, report)
    assert 1 == len(report.lines)
    assert digest_of(LEFT) == machine.applied

    casc.apply(machine, server.client, GOOD, {}, report)
    assert "jenkins.labelString" in report.lines[1]

    casc.apply(machine, server.client, GOOD, {}, report)
    assert 2 == len(report.lines)
    assert 1 == server.asked.count("POST configuration-as-code/reload")


def test_what_was_edited_before_a_run_that_ended_before_its_reload_is_told_after_it(server) -> None:
    server.on("POST", "configuration-as-code/export", LEFT)
    machine, report = Machine(GOOD, settings_record._UNFINISHED, EXPORT), Report()

    casc.apply(machine, server.client, GOOD, {}, report)
    casc.apply(machine, server.client, GOOD, {}, report)

    assert 1 == server.asked.count("POST configuration-as-code/reload")
    assert 2 == len([line for line in report.lines if "jenkins.labelString" in line])
    assert [] == report.changes


def test_a_file_that_differs_is_planned_together_with_the_edits_that_its_reload_overwrites(server) -> None:
    server.on("POST", "configuration-as-code/export", EDITED)
    there = GOOD | {"b.yaml": "tool: {}\n"}

    found = casc.plan(Machine(there, digest_of(EXPORT), EXPORT), server.client, GOOD, {}, Report())

    assert ["b.yaml", "jenkins.mode"] == [change.name for change in found]


def test_a_plan_finds_differences_and_drift_and_changes_nothing(server) -> None:
    machine = Machine({}, None)
    assert ["a.yaml", "b.yaml"] == [change.name for change in casc.plan(machine, server.client, GOOD, {}, Report())]

    drifted = Machine(GOOD, digest_of("other"))
    assert ["settings"] == [change.name for change in casc.plan(drifted, server.client, GOOD, {}, Report())]

    assert ["look"] == machine.ran == drifted.ran
    assert "POST configuration-as-code/reload" not in server.asked


def test_an_export_is_free_of_comments_and_ciphertexts(server) -> None:
    text = '# made now\njenkins:\n  a: "{AQAABAAA+/=}"\n  b: "#jbcrypt:$2a$10$abc"\n\n'
    server.on("POST", "configuration-as-code/export", text)

    assert 'jenkins:\n  a: "***"\n  b: "***"\n' == casc.export(server.client)


LABELS = """\
jenkins:
  labelAtoms:
  - name: "built-in"
  - name: "gpu"
    properties:
    - "some"
  - name: "i-0123"
  labelString: "x"
"""


def test_an_export_is_free_of_labels_that_only_have_a_name(server) -> None:
    """Agents bring them and take them away; they are no settings."""
    server.on("POST", "configuration-as-code/export", LABELS)
    kept = LABELS.replace('  - name: "built-in"\n', "").replace('  - name: "i-0123"\n', "")
    assert kept == casc.export(server.client)

    server.on("POST", "configuration-as-code/export", LABELS.replace('    properties:\n    - "some"\n', ""))
    assert 'jenkins:\n  labelString: "x"\n' == casc.export(server.client)
    server.on("POST", "configuration-as-code/export", 'jenkins:\n  labelAtoms:\n  - name: "a"\n')
    assert "jenkins:\n" == casc.export(server.client)


def test_a_refused_export_says_that_the_token_may_be_wrong(server) -> None:
    server.on("POST", "configuration-as-code/export", (401, {}, "Invalid password/token"))

    with pytest.raises(BootstrapError, match="exporting") as caught:
        casc.export(server.client)

    assert "'casc apply' renews it" in caught.value.remedy


def test_a_jenkins_that_does_not_answer_is_unreachable(server, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def broken(*_: object, **__: object) -> None:
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(server, "send", broken)

    with pytest.raises(Unreachable):
        casc.export(server.client)


# --- the token


class TokenServer(BaseHTTPRequestHandler):
    """Jenkins' sign-in for one user: a password with session and crumb, and a set of tokens."""

    tokens: set[str]
    sends: list[str]

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, status: int, document: object = "", **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _who(self) -> str:
        from base64 import b64decode

        text = self.headers.get("Authorization", "").removeprefix("Basic ")
        return b64decode(text).decode().partition(":")[2]

    def do_GET(self) -> None:
        is_token = self._who() in self.tokens
        if not is_token and self._who() != "secret":
            self._answer(401)
        elif self.path == "/me/api/json":
            self._answer(200, {"id": "toolkit"})
        else:
            crumb = {"crumb": "c" * 64, "crumbRequestField": "Jenkins-Crumb"}
            self._answer(200, crumb, Set_Cookie="JSESSIONID.0a=1; Path=/")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        has_crumb = self.headers.get("Jenkins-Crumb") == "c" * 64 and "JSESSIONID.0a=1" in self.headers["Cookie"]
        if self._who() != "secret" or not has_crumb:
            self._answer(403)
        elif self.path.endswith("/addFixedToken"):
            self.tokens.add(form["newTokenPlainValue"][0])
            self._answer(200, {"status": "ok", "data": {"tokenUuid": "u-1"}})
        else:
            self.sends.append(f"{self.path.rpartition('/')[2]} {form['tokenUuid'][0]}")
            self._answer(200)


@pytest.fixture
def token_server() -> Iterator[HTTPServer]:
    TokenServer.tokens, TokenServer.sends = set(), []
    server = HTTPServer(("127.0.0.1", 0), TokenServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def controller(password: str) -> Controller:
    token = Secret("11" + "a" * 32)
    return Controller("https://x/", "toolkit", Secret(password), token, "2.568.2", False, "")


def test_a_missing_token_is_added_once_and_older_ones_are_revoked(token_server: HTTPServer) -> None:
    url = f"http://127.0.0.1:{token_server.server_port}/"

    assert [True, False] == [casc.ensure_token(url, controller("secret")) for _ in range(2)]
    assert ({"11" + "a" * 32}, ["revokeAllExcept u-1"]) == (TokenServer.tokens, TokenServer.sends)


def test_a_connection_that_breaks_before_the_answer_is_told(token_server: HTTPServer) -> None:
    token_server.shutdown()
    token_server.server_close()

    with pytest.raises(Unreachable, match="giving the user 'toolkit' its API token"):
        casc.ensure_token(f"http://127.0.0.1:{token_server.server_port}/", controller("secret"))


def test_a_wrong_password_is_told_without_showing_it(token_server: HTTPServer) -> None:
    url = f"http://127.0.0.1:{token_server.server_port}"

    with pytest.raises(BootstrapError) as caught:
        casc.ensure_token(url, controller("wrong"))

    assert "Jenkins answered 401" in caught.value.found
    assert "wrong" not in str(caught.value)


# --- people


REALM = "jenkins:\n  securityRealm:\n    local:\n      users:\n"
PERSON = f"      - id: first\n        description: {json.dumps(DESCRIPTION)}\n"
WITH_ADMIN = {"a.yaml": f"{REALM}      - {{id: admin}}\n"}


def test_the_account_of_who_is_gone_is_removed_after_the_reload(server) -> None:
    before, after = f"{REALM}      - id: admin\n{PERSON}", f"{REALM}      - id: admin\n"
    server.on("POST", "configuration-as-code/export", before, before, after)
    server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    machine, report = Machine({"a.yaml": "old"}, applied=digest_of(before), exported=before), Report()

    casc.apply(machine, server.client, WITH_ADMIN, {}, report)

    changed = [each for each in server.asked if each.startswith("POST") and "export" not in each]
    assert ["POST configuration-as-code/reload", "POST user/first/doDelete"] == changed[-2:]
    assert (
        Change("casc", ChangeKind.REMOVE, "user first", people_accounts.make_change("first").detail) in report.changes
    )
    assert after == machine.exported


def test_an_account_is_removed_though_its_settings_left_in_an_earlier_run(server) -> None:
    export = f"{REALM}      - id: admin\n{PERSON}"
    server.on("POST", "configuration-as-code/export", export)
    server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    machine, report = Machine(WITH_ADMIN, applied=digest_of(export), exported=export), Report()

    assert ["user first"] == [it.name for it in casc.plan(machine, server.client, WITH_ADMIN, {}, Report())]
    casc.apply(machine, server.client, WITH_ADMIN, {}, report)

    assert "POST user/first/doDelete" in server.asked and "POST configuration-as-code/reload" not in server.asked


def test_an_account_with_another_description_is_removed_on_a_new_machine_too(server) -> None:
    """The machine was replaced, so nothing but the record on the data volume knows that the toolkit made the account."""
    renamed = f"{REALM}      - id: admin\n      - id: first\n        description: mine\n      - id: guest\n"
    server.on("POST", "configuration-as-code/export", renamed)
    server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    machine, report = Machine({}), Report()
    # Neither a name that Jenkins does not have, nor one that the files have, nor what is no name, is removed.
    machine.accounts = "admin\nfirst\ngone\n../../admin\n"

    assert ["a.yaml", "user first"] == [it.name for it in casc.plan(machine, server.client, WITH_ADMIN, {}, Report())]
    casc.apply(machine, server.client, WITH_ADMIN, {}, report)

    assert ["POST user/first/doDelete"] == [each for each in server.asked if "doDelete" in each]
    assert "admin\ngone\n" == machine.accounts


def test_an_account_is_recorded_before_the_reload_that_makes_it(server) -> None:
    """However the command ends then, the account is known."""
    files = {"a.yaml": f"{REALM}      - id: admin\n{PERSON}"}
    server.on("POST", "configuration-as-code/export", files["a.yaml"])
    machine = Machine({"a.yaml": "old"}, applied="before", exported=EXPORT)

    casc.apply(machine, server.client, files, {}, Report())
    casc.apply(machine, server.client, files, {}, Report())

    assert "first\n" == machine.accounts
    assert 1 == machine.ran.count("record") and machine.ran.index("record") < machine.ran.index("place")


def test_other_passwords_are_a_reason_for_a_reload(server) -> None:
    machine = Machine(GOOD, applied=digest_of(EXPORT), exported=EXPORT)
    casc.apply(machine, server.client, GOOD, {}, Report())
    assert "POST configuration-as-code/reload" not in server.asked

    machine.passwords = "another"
    casc.apply(machine, server.client, GOOD, {}, Report())
    assert 1 == server.asked.count("POST configuration-as-code/reload")

    casc.apply(machine, server.client, GOOD, {}, Report())
    assert 1 == server.asked.count("POST configuration-as-code/reload")


# --- clouds

CLOUDS = make_clouds({"linux": AgentGroup()}, {"linux": Fleet("p-e-agents-linux", "ssh-ed25519 AAAA")})


def test_clouds_come_when_the_settings_hold_and_are_no_edits_then(server) -> None:
    machine, report = Machine(GOOD, digest_of(EXPORT), EXPORT), Report()
    server.on("GET", "computer/api/json", {"computer": []})
    server.on("POST", "configuration-as-code/apply", "")

    assert ["cloud linux"] == [
        it.name for it in casc.plan(machine, server.client, GOOD, {}, Report(), wished_clouds=CLOUDS)
    ]
    casc.apply(machine, server.client, GOOD, {}, report, CLOUDS)
    server.on("POST", "configuration-as-code/export", EXPORT + CLOUDS.removeprefix("jenkins:\n"))
    server.asked.clear()
    casc.apply(machine, server.client, GOOD, {}, report, CLOUDS)

    assert ["cloud linux"] == [it.name for it in report.changes]
    assert [] == report.lines
    assert ["POST configuration-as-code/export"] == server.asked


def test_clouds_are_sent_behind_the_reload_of_changed_files(server) -> None:
    """The credential of a group is in the files, and its cloud names it."""
    server.on("GET", "computer/api/json", {"computer": []})
    server.on("POST", "configuration-as-code/apply", "")

    casc.apply(Machine({}), server.client, GOOD, {}, Report(), CLOUDS)

    sent = [it for it in server.asked if it.endswith(("/reload", "/apply"))]
    assert ["POST configuration-as-code/reload", "POST configuration-as-code/apply"] == sent
