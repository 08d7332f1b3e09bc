"""What proves the files of a distribution: checksums, signatures, and the pinned key."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bootstrap.jenkins.distribution import load_lock, resolve
from tests.unit.jenkins.distribution.stand_ins import (
    WAR,
    WAR_CONTENT,
    Mirror,
    Recorder,
    SigningKey,
    filed,
    mirrored,
    plugin,
    refusal,
)


def test_a_core_with_another_checksum_than_in_the_lock_is_refused(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", Recorder())
    mirror.files[WAR] = b"another core"

    found = refusal(mirrored(mirror, "emulator"), lock, tmp_path / "empty")

    assert f"downloading jenkins.war from {mirror.url}{WAR}" == found.doing
    assert hashlib.sha256(b"another core").hexdigest() in found.found
    assert [] == list((tmp_path / "empty").rglob("*jenkins.war*"))


def test_a_plugin_with_another_checksum_than_in_the_list_is_refused(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    mirror.files["/plugins/two/3.1/two.hpi"] = plugin("two", "3.1", core="2.400")

    assert "two.hpi" in refusal(mirrored(mirror), lock, tmp_path / "cache").doing


def test_a_signature_of_another_file_is_refused(mirror: Mirror, key: SigningKey, lock: Path, tmp_path: Path) -> None:
    mirror.files[f"{WAR}.asc"] = key.sign(b"something else")
    before = lock.read_text()

    found = refusal(mirrored(mirror, "emulator"), lock, tmp_path / "cache")

    assert "gpg says BADSIG" == found.found
    assert before == lock.read_text()


def test_a_signature_by_another_key_is_refused(
    mirror: Mirror, other_key: SigningKey, lock: Path, tmp_path: Path
) -> None:
    mirror.files[f"{WAR}.asc"] = other_key.sign(WAR_CONTENT)

    assert "gpg says ERRSIG, NO_PUBKEY" == refusal(mirrored(mirror), lock, tmp_path / "cache").found


def test_another_key_than_the_pinned_one_is_refused_whatever_it_signed(
    mirror: Mirror, key: SigningKey, other_key: SigningKey, lock: Path, tmp_path: Path
) -> None:
    mirror.files[f"{WAR}.asc"] = other_key.sign(WAR_CONTENT)
    mirror.files["/jenkins.key"] = other_key.public

    found = refusal(mirrored(mirror), lock, tmp_path / "cache").found

    assert f"the source's key is {other_key.fingerprint}, not {key.fingerprint}" == found


def test_a_key_that_comes_with_a_second_one_is_refused(
    mirror: Mirror, key: SigningKey, other_key: SigningKey, lock: Path, tmp_path: Path
) -> None:
    mirror.files["/jenkins.key"] = key.public + other_key.public

    found = refusal(mirrored(mirror), lock, tmp_path / "cache").found

    assert other_key.fingerprint in found


def test_no_signature_at_all_is_refused(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    mirror.files[f"{WAR}.asc"] = b"<html>a page</html>"

    assert "gpg finds no good signature" == refusal(mirrored(mirror), lock, tmp_path / "cache").found


def test_a_signed_file_on_this_machine_is_used_in_place(folder: Path, lock: Path, tmp_path: Path) -> None:
    found = resolve(filed(folder), load_lock(lock), tmp_path / "cache", Recorder())

    assert folder / "jenkins.war" == found.war
    assert {name: folder / "plugins" / f"{name}.hpi" for name in ("one", "two")} == found.plugin_files


def test_an_unsigned_file_without_a_checksum_in_the_lock_is_refused_with_a_remedy(
    folder: Path, lock: Path, tmp_path: Path
) -> None:
    (folder / "jenkins.war.asc").unlink()

    found = refusal(filed(folder), lock, tmp_path / "cache")

    assert f"{folder / 'jenkins.war.asc'} cannot be read" in found.found
    assert "Put jenkins.war.asc there, or write the sha256 that you trust into jenkins.lock.yaml." == found.remedy


def test_a_file_with_another_checksum_than_in_the_lock_is_refused(folder: Path, lock: Path, tmp_path: Path) -> None:
    resolve(filed(folder), load_lock(lock), tmp_path / "cache", Recorder())
    (folder / "plugins" / "one.hpi").write_bytes(b"other")

    assert f"checking {folder / 'plugins' / 'one.hpi'}" == refusal(filed(folder), lock, tmp_path / "cache").doing
