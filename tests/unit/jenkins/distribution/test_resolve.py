"""Distributions against a mirror on the loopback, with a signing key made for these tests."""

from __future__ import annotations

import hashlib
import socket
import time
from pathlib import Path

import pytest

from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import Lock, load_lock, plugins, resolve
from tests.unit.jenkins.distribution.stand_ins import (
    ROOT,
    VERSION,
    WAR,
    WAR_CONTENT,
    Mirror,
    Recorder,
    closed_port,
    filed,
    mirrored,
    plugin,
    refusal,
)


def test_proved_files_are_returned_with_the_locks_versions(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    found = resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())

    assert ("war", VERSION, {"one": "1.2.vabc", "two": "3.1"}) == (found.kind, found.version, found.plugins)
    assert found.war is not None
    assert found.war.read_bytes() == WAR_CONTENT
    assert hashlib.sha256(WAR_CONTENT).hexdigest() == found.sha256
    assert {"one": "one.hpi", "two": "two.hpi"} == {name: path.name for name, path in found.plugin_files.items()}


def test_proved_checksums_are_written_into_the_lock_and_its_comments_stay(
    mirror: Mirror, lock: Path, tmp_path: Path
) -> None:
    before = lock.read_text()
    report = Recorder()

    resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", report)

    sums = iter([WAR_CONTENT, mirror.files["/plugins/one/1.2.vabc/one.hpi"], mirror.files["/plugins/two/3.1/two.hpi"]])
    parts = before.split("null")
    expected = "".join(
        part + (hashlib.sha256(next(sums)).hexdigest() if index < 3 else "") for index, part in enumerate(parts)
    )
    assert expected == lock.read_text()
    assert ["lock.yaml had no checksum for 3 files"] == [notice.split(";")[0] for notice in report.notices]


def test_a_second_run_does_not_use_the_network(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    first = resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    mirror.asked.clear()
    report = Recorder()

    second = resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", report)

    assert first == second
    assert [] == mirror.asked
    assert [] == report.notices


def test_a_cached_file_with_wrong_content_is_downloaded_again(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    first = resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    first.plugin_files["two"].write_bytes(b"spoilt")
    mirror.asked.clear()

    second = resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())

    assert mirror.files["/plugins/two/3.1/two.hpi"] == second.plugin_files["two"].read_bytes()
    assert ["/plugins/two/3.1/two.hpi", WAR] == mirror.loads()


def test_a_broken_download_is_resumed(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    mirror.asked.clear()
    cache = tmp_path / "empty"
    part = cache / hashlib.sha256(WAR_CONTENT).hexdigest() / "jenkins.war.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(WAR_CONTENT[:100_000])
    mirror.cut["/plugins/two/3.1/two.hpi"] = 50

    found = resolve(mirrored(mirror), load_lock(lock), cache, Recorder())

    assert found.war is not None
    assert found.war.read_bytes() == WAR_CONTENT
    assert (WAR, "bytes=100000-") in mirror.asked
    assert ["", "bytes=50-"] == [range_ for path, range_ in mirror.asked if path.endswith("two.hpi")]


def test_a_partial_download_of_another_file_is_deleted(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    cache = tmp_path / "empty"
    part = cache / hashlib.sha256(WAR_CONTENT).hexdigest() / "jenkins.war.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 100_000)

    found = resolve(mirrored(mirror), load_lock(lock), cache, Recorder())

    assert found.war is not None
    assert found.war.read_bytes() == WAR_CONTENT


def test_without_a_reachable_source_the_emulator_is_used_and_the_notice_says_why(lock: Path, tmp_path: Path) -> None:
    settings = JenkinsSettings(source="mirror", mirror=f"http://127.0.0.1:{closed_port()}/", fallback="emulator")
    report = Recorder()

    found = resolve(settings, load_lock(lock), tmp_path / "cache", report)

    assert ("emulator", VERSION, None) == (found.kind, found.version, found.war)
    assert {"one": "1.2.vabc", "two": "3.1"} == found.plugins
    (notice,) = report.notices
    assert "Connection refused" in notice
    assert "the emulator is used instead" in notice


def test_an_unreachable_source_without_a_fallback_fails_with_a_remedy(lock: Path, tmp_path: Path) -> None:
    settings = JenkinsSettings(source="mirror", mirror=f"http://127.0.0.1:{closed_port()}/")

    found = refusal(settings, lock, tmp_path / "cache")

    assert "Connection refused" in found.found
    assert "fallback: emulator" in found.remedy


def test_a_silent_source_is_given_up_after_seconds(lock: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = JenkinsSettings(source="mirror", mirror=f"http://127.0.0.1:{listener.getsockname()[1]}/")
        begun = time.monotonic()

        found = refusal(settings, lock, tmp_path / "cache")

    assert "timed out" in found.found
    assert time.monotonic() - begun < 5


def test_a_page_instead_of_a_checksum_counts_as_unreachable(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    mirror.files[f"{WAR}.sha256"] = b"<html>please sign in</html>"

    assert "does not contain a SHA-256" in refusal(mirrored(mirror), lock, tmp_path / "cache").found


def test_a_plugin_version_that_the_metadata_does_not_list_is_named(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    lock.write_text(lock.read_text().replace('"3.1"', '"3.2"'))

    assert "it has none for two 3.2" == refusal(mirrored(mirror), lock, tmp_path / "cache").found


def test_a_plugin_that_the_source_lacks_fails_even_with_the_fallback(
    mirror: Mirror, lock: Path, tmp_path: Path
) -> None:
    del mirror.files["/plugins/two/3.1/two.hpi"]

    assert "HTTP 404 Not Found" == refusal(mirrored(mirror, "emulator"), lock, tmp_path / "cache").found


def test_the_emulator_as_source_asks_nobody(lock: Path, tmp_path: Path) -> None:
    report = Recorder()

    found = resolve(JenkinsSettings(source="emulator"), load_lock(lock), tmp_path / "cache", report)

    assert "emulator" == found.kind
    assert [f"the emulator is used instead of Jenkins {VERSION}, as the environment file says"] == report.notices


def test_all_faults_of_the_plugins_are_reported_together(tmp_path: Path) -> None:
    contents = {
        "one": plugin("one", "1.0", "two:3.0,three:1.0;resolution:=optional,four:1.0"),
        "two": plugin("two", "2.9"),
        "five": plugin("five", "1", core="2.600"),
        "six": b"not a zip",
        "seven": plugin("seven", "8.0"),
    }
    files = {name: tmp_path / f"{name}.hpi" for name in contents}
    for name, content in contents.items():
        files[name].write_bytes(content)

    with pytest.raises(DistributionFailed) as raised:
        plugins.check(VERSION, {"one": "1.0", "two": "2.9", "five": "1", "six": "1", "seven": "7.0"}, files)

    assert [
        "five 1 needs Jenkins 2.600, the lock has 2.568.2",
        "one 1.0 needs two 3.0, the lock has 2.9",
        "one 1.0 needs four 1.0, which the lock does not have",
        "seven 7.0: the file says that it is seven 8.0",
        "six: it is not a plugin: File is not a zip file",
    ] == raised.value.found.splitlines()


def test_a_dependency_list_on_several_lines_is_read_completely(tmp_path: Path) -> None:
    path = tmp_path / "long.hpi"
    path.write_bytes(plugin("long", "1", ",".join(f"library-number-{number}:1.{number}" for number in range(12))))

    assert {f"library-number-{n}": f"1.{n}" for n in range(12)} == plugins.read_manifest(path).needs


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (f"version: {VERSION}", "version: 2.57", "needs quotes"),
        ("sha256: null", "sha256: abc", "not a SHA-256"),
        ("  fingerprint: ", "  fingerprint: A", "not a full fingerprint"),
        ("plugins:", "pluggins:", "the key 'plugins' is missing"),
        ("core:", "core: [", "while parsing"),
    ],
)
def test_a_broken_lock_is_refused_by_its_fault(lock: Path, old: str, new: str, expected: str) -> None:
    lock.write_text(lock.read_text().replace(old, new, 1))

    with pytest.raises(DistributionFailed) as raised:
        load_lock(lock)

    assert expected in raised.value.found


def test_the_projects_own_lock_is_readable_and_names_what_the_configuration_needs() -> None:
    found: Lock = load_lock(ROOT / "jenkins.lock.yaml")

    assert VERSION == found.version
    assert "5E386EADB55F01504CAE8BCF7198F4B714ABFC68" == found.fingerprint
    assert {"configuration-as-code", "matrix-auth", "git", "workflow-aggregator"} <= found.plugins.keys()


def test_only_a_site_with_https_has_addresses_for_another_machine(
    mirror: Mirror, folder: Path, lock: Path, tmp_path: Path
) -> None:
    over_http = resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    of_a_folder = resolve(filed(folder), load_lock(lock), tmp_path / "cache", Recorder())
    secure = JenkinsSettings(source="mirror", mirror="https://mirror.example.org/jenkins", fallback="none")

    cached = resolve(
        secure, load_lock(lock), tmp_path / "cache", Recorder()
    )  # every file is in the cache: nobody is asked

    pins = load_lock(lock)
    base = "https://mirror.example.org/jenkins"
    assert ({}, {}) == (over_http.urls, of_a_folder.urls)
    assert {
        pins.core.sha256: f"{base}{WAR}",
        pins.pins["one"].sha256: f"{base}/plugins/one/1.2.vabc/one.hpi",
        pins.pins["two"].sha256: f"{base}/plugins/two/3.1/two.hpi",
    } == cached.urls
