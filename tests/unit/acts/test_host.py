"""The host act: how often it goes to the machine, what it sends there, and what it makes of the answer."""

import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.acts import host
from bootstrap.environment.models import Settings
from bootstrap.errors import CommandFailed, ConvergeFailed
from bootstrap.remote import program
from bootstrap.remote.desired.inputs import Bundle, HostInputs, Software
from bootstrap.values import Change, ChangeKind, Result, Secret

ARTIFACT = "e" * 64
INPUTS = HostInputs(
    settings=Settings.model_validate({"environment": "local", "cloud": "local", "owner": "me", "cost_center": "none"}),
    instance_id="i-1",
    data_volume_id="vol-1",
    url="https://10.0.0.1/",
    software=Software("emulator", "2.1", {}, emulator=Bundle(ARTIFACT, {})),
    secrets={"TOOLKIT_PASSWORD": Secret("#jbcrypt:x")},
    toolkit_password=Secret("pass"),
    toolkit_token=Secret("0" * 32),
    certificate="",
    certificate_key=Secret(""),
    authority="the authority",
    casc_files={},
)


def unchanged(identity: str = "a") -> dict[str, Any]:
    return {"id": identity, "changed": False, "failed": False}


def changed(identity: str = "b", *, moved: bool = False) -> dict[str, Any]:
    return {
        "id": identity,
        "changed": True,
        "failed": False,
        "kind": "alter",
        "detail": "mode",
        "desired_changed": moved,
    }


def failed(identity: str) -> dict[str, Any]:
    told = {"detail": "it is not active", "command": "systemctl start it", "exit_code": 1, "tail": "last words"}
    return {"id": identity, "changed": False, "failed": True, **told}


def answer(*results: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"results": list(results), "missing": [], "notes": [], "not_reached": [], **parts}


class Machine:
    """A shell that gives the answers in turn, by mode, and refuses every other command."""

    def __init__(self, **answers: dict[str, Any] | str | Exception) -> None:
        self.answers = answers
        self.steps: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.documents: dict[str, dict[str, Any]] = {}
        self.drain: dict[str, Any] = {}
        self.timeout: float | None = None

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        sudo: bool = False,
        check: bool = True,
        timeout: float | None = None,
        hear: Callable[[str], None] | None = None,
    ) -> Result:
        assert sudo
        if tuple(command) != program.COMMAND:
            self.asked.append(" ".join(command))
            return Result("", 0, "", "")
        length, _, rest = stdin.partition(b"\n")
        document = json.loads(zlib.decompress(rest[int(length) :]))
        self.asked.append(document["mode"])
        self.documents[document["mode"]] = document
        self.drain, self.timeout = document["drain"], timeout
        given = self.answers[document["mode"]]
        if isinstance(given, Exception):
            raise given
        for step in self.steps if document["mode"] != "check" and hear else ():
            hear("noise")
            hear(f"{document['marker']} {json.dumps(step)}")
        said = given if isinstance(given, str) else f"\n{document['marker']}\n{json.dumps(given)}\n"
        return Result("python3", 0 if said else 1, said, "sudo: a password is required")

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        assert sudo
        self.asked.append(f"put {path} {mode:o}")

    def forward(self, port: int, *, local_port: int = 0) -> AbstractContextManager[int]:
        raise AssertionError("not needed")

    def close(self) -> None:
        raise AssertionError("not ours to close")


class Report:
    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.lines: list[str] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        self.lines.append(text)

    def notice(self, text: str) -> None:
        self.lines.append(f"! {text}")


def test_a_machine_in_its_wished_state_costs_one_round_trip_and_is_not_spoken_of() -> None:
    machine, report = Machine(check=answer(unchanged())), Report()
    host.apply(machine, INPUTS, {}, report)
    assert (["check"], [], []) == (machine.asked, report.changes, report.lines)


def test_changes_are_made_in_a_second_round_trip_and_told_one_by_one() -> None:
    machine, report = Machine(check=answer(changed()), apply=answer(unchanged(), changed("c"))), Report()
    host.apply(machine, INPUTS, {}, report)
    assert ["check", "apply"] == machine.asked
    assert [Change("host", ChangeKind.ALTER, "c", "mode")] == report.changes


def test_each_step_is_told_while_it_happens_and_told_once() -> None:
    machine, report = Machine(check=answer(changed()), apply=answer(changed("c"), changed("d"))), Report()
    machine.steps = [{"begun": changed("c")}, {"done": changed("c")}, {"begun": changed("d")}]
    host.apply(machine, INPUTS, {}, report)
    assert ["c: mode", "d: mode"] == report.lines
    assert ["c", "d"] == [change.name for change in report.changes]


def test_what_was_done_before_the_machine_went_silent_is_told() -> None:
    machine, report = Machine(check=answer(changed()), apply=""), Report()
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


def test_only_artifacts_that_the_machine_asks_for_are_sent() -> None:
    machine, report = Machine(check=answer(changed(), missing=[ARTIFACT]), apply=answer(changed())), Report()
    host.apply(machine, INPUTS, {ARTIFACT: b"content", "0" * 64: b"not needed"}, report)
    folder = "/var/cache/bootstrap/artifacts"
    assert ["check", f"install -d -m 0700 {folder}", f"put {folder}/{ARTIFACT} 600", "apply"] == machine.asked


def with_urls(*digests: str) -> HostInputs:
    urls = {digest: f"https://site.example.org/{digest[:1]}" for digest in digests}
    software = Software("war", "2.1", {}, digests[0], {"git": digests[1]}, urls=urls)
    return replace(INPUTS, software=software, ca_certificates={"own.crt": "the company's"})


def test_the_machine_downloads_what_a_site_has_and_the_rest_is_sent(tmp_path: Path) -> None:
    war, plugin, bundle = "a" * 64, "b" * 64, "c" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    (tmp_path / "git.hpi").write_bytes(b"a plugin")
    artifacts = {war: tmp_path / "jenkins.war", plugin: tmp_path / "git.hpi", bundle: b"the toolkit"}
    fetched = answer(fetched=[war], refused={plugin: "HTTP 404"})
    machine = Machine(check=answer(changed(), missing=list(artifacts)), fetch=fetched, apply=answer(changed()))
    report = Report()

    host.apply(machine, with_urls(war, plugin), artifacts, report)

    folder = "/var/cache/bootstrap/artifacts"
    sent = [f"put {folder}/{plugin} 600", f"put {folder}/{bundle} 600"]
    assert ["check", "fetch", f"install -d -m 0700 {folder}", *sent, "apply"] == machine.asked
    assert {
        "resources": [
            {"sha256": war, "url": "https://site.example.org/a", "size": 4},
            {"sha256": plugin, "url": "https://site.example.org/b", "size": 8},
        ],
        "authorities": {"own.crt": "the company's"},
    } == {key: machine.documents["fetch"][key] for key in ("resources", "authorities")}
    assert "! the machine could not download 1 of 2 files: HTTP 404. They are sent" in report.lines


def test_with_a_bucket_the_files_of_jenkins_come_from_there_and_nothing_else_goes_there(tmp_path: Path) -> None:
    war, plugin, bundle = "a" * 64, "b" * 64, "c" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    artifacts = {war: tmp_path / "jenkins.war", plugin: b"a plugin", bundle: b"the toolkit"}
    fetched = answer(fetched=[war, plugin], refused={})
    machine = Machine(check=answer(changed(), missing=list(artifacts)), fetch=fetched, apply=answer(changed()))
    offered: list[dict[str, Any]] = []

    def offer(files: Any) -> dict[str, str]:
        offered.append(dict(files))
        return {digest: f"http://10.0.0.1:4566/bucket/{digest[:1]}?signed" for digest in files}

    host.apply(machine, with_urls(war, plugin), artifacts, Report(), offer=offer)

    assert [{war: tmp_path / "jenkins.war", plugin: b"a plugin"}] == offered
    asked = machine.documents["fetch"]
    assert ["http://10.0.0.1:4566/bucket/a?signed", "http://10.0.0.1:4566/bucket/b?signed"] == [
        it["url"] for it in asked["resources"]
    ]
    assert ["10.0.0.1:4566"] == asked["plain"]
    assert f"put /var/cache/bootstrap/artifacts/{bundle} 600" in machine.asked


def test_a_source_is_never_asked_by_http(tmp_path: Path) -> None:
    war = "a" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    machine = Machine(
        check=answer(changed(), missing=[war]), fetch=answer(fetched=[war], refused={}), apply=answer(changed())
    )
    software = replace(with_urls(war, "b" * 64).software, urls={war: "http://mirror.example.org/a"})

    host.apply(machine, replace(INPUTS, software=software), {war: tmp_path / "jenkins.war"}, Report())

    assert [] == machine.documents["fetch"]["plain"]


def test_what_the_bucket_does_not_take_is_sent(tmp_path: Path) -> None:
    war = "a" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    machine = Machine(check=answer(changed(), missing=[war]), apply=answer(changed()))

    host.apply(machine, with_urls(war, "b" * 64), {war: tmp_path / "jenkins.war"}, Report(), offer=lambda _: {})

    assert "fetch" not in machine.asked
    assert f"put /var/cache/bootstrap/artifacts/{war} 600" in machine.asked


@pytest.mark.parametrize(
    "given",
    ["", answer(crash="ssl.SSLError: no start line"), CommandFailed("running", Result("python3", 124, "", "late"), "")],
    ids=["no answer", "crash", "time-out"],
)
def test_what_a_machine_fails_to_download_is_sent(given: Any, tmp_path: Path) -> None:
    war = "a" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    machine = Machine(check=answer(changed(), missing=[war]), fetch=given, apply=answer(changed()))
    report = Report()

    host.apply(machine, with_urls(war, "b" * 64), {war: tmp_path / "jenkins.war"}, report)

    assert f"put /var/cache/bootstrap/artifacts/{war} 600" in machine.asked
    assert any("so they are sent" in line for line in report.lines)


def test_what_a_download_notes_is_told(tmp_path: Path) -> None:
    war = "a" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    fetched = answer(fetched=[war], refused={}, notes=["the certificate authority x cannot be read"])
    machine = Machine(check=answer(changed(), missing=[war]), fetch=fetched, apply=answer(changed()))
    report = Report()

    host.apply(machine, with_urls(war, "b" * 64), {war: tmp_path / "jenkins.war"}, report)

    assert "! the certificate authority x cannot be read" in report.lines


def test_a_failure_tells_what_was_done_before_and_then_the_reason() -> None:
    results = (changed("packages"), failed("jenkins.service"))
    machine, report = Machine(check=answer(changed()), apply=answer(*results, not_reached=["x", "y"])), Report()
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
        host.apply(machine, INPUTS, {}, Report())
    assert "Free space on the machine" in caught.value.remedy
    assert "launch again" in caught.value.remedy


def test_a_look_that_fails_is_tried_for_real() -> None:
    machine = Machine(check=answer(failed("user jenkins")), apply=answer(unchanged()))
    host.apply(machine, INPUTS, {}, Report())
    assert ["check", "apply"] == machine.asked


def test_a_machine_without_sudo_or_python_is_told_in_its_own_words() -> None:
    with pytest.raises(ConvergeFailed, match="a password is required"):
        host.apply(Machine(check=""), INPUTS, {}, Report())


def test_a_fault_of_the_program_is_told_as_one() -> None:
    with pytest.raises(ConvergeFailed, match="bug of the toolkit"):
        host.plan(Machine(check=answer(crash="Traceback ...")), INPUTS)


def test_what_the_machine_notes_is_told_when_something_changed() -> None:
    report = Report()
    host.apply(Machine(check=answer(changed(), notes=["n"]), apply=answer(changed(), notes=["n"])), INPUTS, {}, report)
    assert ["n"] == report.lines


def test_the_controller_is_reached_with_the_toolkits_own_token() -> None:
    found = host.apply(Machine(check=answer(unchanged())), INPUTS, {}, Report())
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
    host.apply(machine, INPUTS, {}, Report(), waits=waits)
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
    host.apply(machine, INPUTS, {}, Report())
    assert own == machine.drain["jenkins.service"]["own"]


def test_what_the_machine_notes_is_told_and_its_tries_are_not() -> None:
    machine, report = Machine(drain=answer()), Report()
    machine.steps = [{"note": "it waits for seed #3"}, {}]
    host.drain(machine, INPUTS.settings.jenkins, INPUTS.url, report)
    assert (["drain"], ["! it waits for seed #3"]) == (machine.asked, report.lines)
