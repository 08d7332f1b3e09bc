"""How the files that a machine asks for come to it: from their site, from a bucket, or sent by the host act."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.acts import host
from bootstrap.errors import CommandFailed
from bootstrap.remote.desired.inputs import HostInputs, Software
from bootstrap.values import Result
from tests.recorder import Recorder
from tests.unit.acts.host_machine import ARTIFACT, INPUTS, Machine, answer, changed


def test_only_artifacts_that_the_machine_asks_for_are_sent() -> None:
    machine, report = Machine(check=answer(changed(), missing=[ARTIFACT]), apply=answer(changed())), Recorder()
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
    report = Recorder()

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
    assert "! the machine could not download 1 of 2 files: HTTP 404. They are sent" in report.texts


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

    host.apply(machine, with_urls(war, plugin), artifacts, Recorder(), offer=offer)

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

    host.apply(machine, replace(INPUTS, software=software), {war: tmp_path / "jenkins.war"}, Recorder())

    assert [] == machine.documents["fetch"]["plain"]


def test_what_the_bucket_does_not_take_is_sent(tmp_path: Path) -> None:
    war = "a" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    machine = Machine(check=answer(changed(), missing=[war]), apply=answer(changed()))

    host.apply(machine, with_urls(war, "b" * 64), {war: tmp_path / "jenkins.war"}, Recorder(), offer=lambda _: {})

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
    report = Recorder()

    host.apply(machine, with_urls(war, "b" * 64), {war: tmp_path / "jenkins.war"}, report)

    assert f"put /var/cache/bootstrap/artifacts/{war} 600" in machine.asked
    assert any("so they are sent" in line for line in report.texts)


def test_what_a_download_notes_is_told(tmp_path: Path) -> None:
    war = "a" * 64
    (tmp_path / "jenkins.war").write_bytes(b"core")
    fetched = answer(fetched=[war], refused={}, notes=["the certificate authority x cannot be read"])
    machine = Machine(check=answer(changed(), missing=[war]), fetch=fetched, apply=answer(changed()))
    report = Recorder()

    host.apply(machine, with_urls(war, "b" * 64), {war: tmp_path / "jenkins.war"}, report)

    assert "! the certificate authority x cannot be read" in report.texts
