"""What can be known of a source before anything is loaded from it."""

import base64
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from bootstrap.environment.models import JenkinsSettings
from bootstrap.jenkins.distribution import load_lock, resolve, source_check
from tests.unit.jenkins.distribution.stand_ins import (
    VERSION,
    WAR,
    Mirror,
    Recorder,
    SigningKey,
    closed_port,
    filed,
    mirrored,
    plugin,
)

ONE, TWO, LIST = "/plugins/one/1.2.vabc/one.hpi", "/plugins/two/3.1/two.hpi", "/plugin-versions.json"


def look(settings: JenkinsSettings, lock: Path, tmp_path: Path) -> source_check.Presence:
    before = lock.read_text()
    found = source_check.check_source(settings, load_lock(lock), tmp_path / "cache")
    assert before == lock.read_text()
    return found


def learn(settings: JenkinsSettings, lock: Path, tmp_path: Path) -> None:
    """Let the lock hold every sum, with the files in another cache than the looks'."""
    resolve(settings, load_lock(lock), tmp_path / "learnt", Recorder())


def test_a_complete_mirror_has_no_faults_and_nothing_is_downloaded(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    assert source_check.Presence(f"{mirror.url}/") == look(mirrored(mirror), lock, tmp_path)
    assert {WAR, f"{WAR}.sha256", f"{WAR}.asc", "/jenkins.key", LIST, ONE, TWO} == set(mirror.loads())
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("path", [f"{WAR}.asc", f"{WAR}.sha256", "/jenkins.key", LIST, ONE, TWO])
def test_a_missing_file_of_a_mirror_is_a_fault(mirror: Mirror, lock: Path, tmp_path: Path, path: str) -> None:
    del mirror.files[path]

    assert (f"{mirror.url}{path}: HTTP 404 Not Found",) == look(mirrored(mirror), lock, tmp_path).faults


def test_all_faults_of_a_mirror_are_reported_together(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    del mirror.files[ONE], mirror.files[TWO]

    assert 2 == len(look(mirrored(mirror), lock, tmp_path).faults)


def test_a_mirror_with_other_checksums_than_the_lock_is_refused(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    learn(mirrored(mirror), lock, tmp_path)
    other = hashlib.sha256(b"other")
    mirror.files[f"{WAR}.sha256"] = f"{other.hexdigest()} jenkins.war".encode()
    listed = json.loads(mirror.files[LIST])
    listed["plugins"]["two"]["3.1"]["sha256"] = base64.b64encode(other.digest()).decode()
    mirror.files[LIST] = json.dumps(listed).encode()

    first, second = look(mirrored(mirror), lock, tmp_path).faults

    assert f"{mirror.url}{WAR}: its SHA-256 is {other.hexdigest()} at the source itself" in first
    assert f"{mirror.url}{TWO}: its SHA-256 is {other.hexdigest()} according to plugin-versions.json there" in second


def test_a_mirror_needs_no_list_if_the_lock_has_all_checksums(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    learn(mirrored(mirror), lock, tmp_path)
    del mirror.files[LIST], mirror.files[f"{WAR}.sha256"], mirror.files[f"{WAR}.asc"]

    assert () == look(mirrored(mirror), lock, tmp_path).faults


def test_a_version_that_the_mirrors_list_lacks_is_named(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    mirror.files["/plugins/two/3.2/two.hpi"] = plugin("two", "3.2")
    lock.write_text(lock.read_text().replace('"3.1"', '"3.2"'))

    (fault,) = look(mirrored(mirror), lock, tmp_path).faults

    assert "it has none for two 3.2" in fault


def test_a_cached_file_is_not_requested(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    mirror.asked.clear()

    assert source_check.Presence(f"{mirror.url}/") == look(mirrored(mirror), lock, tmp_path)
    assert [] == mirror.asked


def test_a_source_that_does_not_answer_is_reported_as_unobtainable(lock: Path, tmp_path: Path) -> None:
    settings = JenkinsSettings(source="mirror", mirror=f"http://127.0.0.1:{closed_port()}/")

    found = look(settings, lock, tmp_path)

    assert "Connection refused" in found.unobtainable
    assert () == found.faults


def test_a_source_that_did_not_answer_is_not_asked_again(lock: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        settings = JenkinsSettings(source="mirror", mirror=address, fallback="emulator")

        found = resolve(settings, load_lock(lock), tmp_path / "cache", Recorder(), "no answer within 6 s")

        with pytest.raises(TimeoutError):
            listener.accept()
    assert "emulator" == found.kind


def test_a_complete_folder_has_no_faults(folder: Path, lock: Path, tmp_path: Path) -> None:
    assert source_check.Presence(str(folder / "jenkins.war")) == look(filed(folder), lock, tmp_path)


def test_all_faults_of_a_folder_are_reported_together(
    folder: Path, lock: Path, key: SigningKey, tmp_path: Path
) -> None:
    (folder / "jenkins.war.asc").write_bytes(key.sign(b"another core"))
    (folder / "plugins" / "one.hpi").unlink()
    (folder / "plugins" / "two.hpi").write_bytes(plugin("two", "3.1", "three:1", core="2.600"))

    assert (
        "checking the signature of jenkins.war: gpg says BADSIG",
        f"{folder}/plugins/one.hpi: it does not exist",
        f"two 3.1 needs Jenkins 2.600, the lock has {VERSION}",
        "two 3.1 needs three 1, which the lock does not have",
    ) == look(filed(folder), lock, tmp_path).faults


def test_a_file_with_another_checksum_in_a_folder_is_refused(folder: Path, lock: Path, tmp_path: Path) -> None:
    learn(filed(folder), lock, tmp_path)
    (folder / "plugins" / "one.hpi").write_bytes(b"other")

    (fault,) = look(filed(folder), lock, tmp_path).faults

    assert f"{folder}/plugins/one.hpi: its SHA-256 is {hashlib.sha256(b'other').hexdigest()}, not " in fault


def test_the_proof_of_missing_checksums_is_described_until_they_are_known(
    mirror: Mirror, lock: Path, tmp_path: Path
) -> None:
    official = source_check.describe_unproved(JenkinsSettings(), load_lock(lock))
    by_mirror = source_check.describe_unproved(mirrored(mirror), load_lock(lock))
    learn(mirrored(mirror), lock, tmp_path)

    assert (
        "lock.yaml has no checksum for the core and 2 plugins. A launch that reaches the official site verifies the core by "
        "its OpenPGP signature with the pinned key and the plugins by its plugin-versions.json, signed by an authority that "
        "the core carries. It writes the checksums into the lock"
    ) == official
    assert "or unsigned, which you must trust" in by_mirror
    assert "" == source_check.describe_unproved(mirrored(mirror), load_lock(lock))
    assert "" == source_check.describe_unproved(JenkinsSettings(source="emulator"), load_lock(lock))


@pytest.mark.parametrize("name", ["jenkins.war", "plugins/two.hpi"])
def test_a_file_that_cannot_be_read_is_a_fault(
    folder: Path, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Root reads everything, so the refusal is the reader's own here."""
    real = Path.open

    def refused(path: Path, *arguments: Any, **more: Any) -> Any:
        if path == folder / name:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", refused)

    found = look(filed(folder), lock, tmp_path).faults

    assert f"{folder}/{name}: it cannot be read: Permission denied" in found
