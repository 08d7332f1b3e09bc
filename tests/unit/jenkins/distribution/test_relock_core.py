"""`jenkins lock` with another core: it is proved, and the plugins stay."""

import hashlib
import json

import pytest

from bootstrap.jenkins.distribution import load_lock
from tests.unit.jenkins.distribution.relocking import Project, check
from tests.unit.jenkins.distribution.stand_ins import VERSION, SigningKey

NEWER = "2.577.1"


def offer_core(project: Project, key: SigningKey, version: str = NEWER) -> None:
    project.center.serve_core(key, version)
    project.center.offer["core"] = {"version": version, "buildDate": "Oct 28, 2026"}
    project.center.sign()


@pytest.mark.parametrize("asked", [NEWER, "latest-lts"])
def test_another_core_is_proved_and_locked_and_the_plugins_stay(project: Project, key: SigningKey, asked: str) -> None:
    project.run()
    offer_core(project, key)
    before, versions = project.lock_file.read_text(), project.versions()
    project.output()

    assert 2 == project.run("--core", asked, "--check")
    assert before == project.lock_file.read_text()
    project.output()
    assert 0 == project.run("--core", asked)

    lock = load_lock(project.lock_file)
    assert (NEWER, f"war-stable/{NEWER}/jenkins.war", versions) == (lock.version, lock.core_path, lock.plugins)
    core = hashlib.sha256(project.center.mirror.files[f"/{lock.core_path}"]).hexdigest()
    assert core == lock.core.sha256
    output = project.output()
    assert f"core  {VERSION} -> {NEWER}" in output
    assert f"of Jenkins {NEWER}: {core}" in output
    assert before.replace(VERSION, NEWER).splitlines()[:4] == project.lock_file.read_text().splitlines()[:4]
    check(project)


def test_the_newest_lts_is_never_older_than_the_locked_core(project: Project, key: SigningKey) -> None:
    project.run()
    offer_core(project, key, "2.541.3")
    before = project.texts()

    assert 0 == project.run("--core", "latest-lts")

    assert before == project.texts()


def test_an_offer_of_a_weekly_release_is_no_lts(project: Project, key: SigningKey) -> None:
    offer_core(project, key, "2.580")

    error = project.refuse("--core", "latest-lts")

    assert "it offers Jenkins 2.580, which is not an LTS" == error.found


def test_a_plugin_that_needs_a_newer_core_is_taken_with_that_core(project: Project, key: SigningKey) -> None:
    project.run()
    project.center.publish("new", "2.0", core=NEWER)
    offer_core(project, key)
    assert f"new 2.0 needs Jenkins {NEWER}, the lock has {VERSION}" in project.refuse("--add", "new").found

    assert 0 == project.run("--add", "new", "--core", NEWER)

    assert "2.0" == project.versions()["new"]
    check(project)


def test_an_older_core_is_refused_if_a_locked_plugin_needs_a_newer_one(project: Project, key: SigningKey) -> None:
    project.run()
    project.center.publish("mole", "2.0", core="2.560.1")
    assert 0 == project.run("--upgrade", "mole")
    project.center.serve_core(key, "2.541.3")

    error = project.refuse("--core", "2.541.3")

    assert "mole 2.0 needs Jenkins 2.560.1, the lock has 2.541.3" in error.found
    assert "for Jenkins 2.541.3" in error.doing


def test_a_core_that_nobody_proves_is_not_locked(project: Project, key: SigningKey, other_key: SigningKey) -> None:
    project.run()
    missing = project.refuse("--core", NEWER)
    assert f"for Jenkins {NEWER}" in missing.doing
    assert "war-stable has LTS releases alone" in missing.remedy
    project.center.serve_core(other_key, NEWER)
    project.center.mirror.files["/jenkins.key"] = key.public
    assert "signature" in str(project.refuse("--core", NEWER))
    # The signature is good, and it is about another version: a source that keeps an old core under a new name.
    project.center.serve_core(key, NEWER, project.center.authority.core("2.541.3"))

    assert "it says that it is Jenkins 2.541.3" == project.refuse("--core", NEWER).found


def test_an_offer_that_the_new_core_does_not_prove_chooses_no_core(project: Project, key: SigningKey) -> None:
    project.run()
    offer_core(project, key)
    document = json.loads(project.center.mirror.files["/update-center.actual.json"])
    document["core"]["version"] = "2.577.2"
    project.center.serve_core(key, "2.577.2")
    project.center.mirror.files["/update-center.actual.json"] = json.dumps(document).encode()

    assert "its signature does not match its content" == project.refuse("--core", "latest-lts").found
