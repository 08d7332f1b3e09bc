"""What `jenkins lock` refuses: requests that cannot be resolved or do not fit, and files that nothing proves."""

import json
from typing import Any

import pytest

from bootstrap.errors import DistributionFailed, UsageError
from tests.unit.jenkins.distribution.relocking import Project, check
from tests.unit.jenkins.distribution.stand_ins import VERSION, SigningKey, closed_port


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--add", "bea"], "the update center has no plugin 'bea'; did you mean 'bee'?"),
        (["--add", "cow:9"], "the update center has no cow 9; its newest version is 2.0"),
        (
            ["--add", "cow:3.0"],
            "the update center has no cow 3.0; its newest version is 2.0",
        ),
        (
            ["--add", "new"],
            f"new 2.0 needs Jenkins 2.600.1, the lock has {VERSION}",
        ),
        (
            ["--add", "new:2.0"],
            f"new 2.0 needs Jenkins 2.600.1, the lock has {VERSION}; no version of it is for that",
        ),
        (["--add", "far"], f"far 1.0 requires new 1.0: new 2.0 needs Jenkins 2.600.1, the lock has {VERSION}"),
        (["--add", "lost"], "the update center has no plugin 'nowhere' (lost 1.0 requires nowhere 1.0)"),
        (["--add", "late"], "late 1.0 requires api 7: the update center has no such version"),
        (
            ["--add", "wide", "--add", "api:1.0"],
            "wide 1.0 requires api 2.0, and version 1.0 of it was asked for",
        ),
    ],
)
def test_what_cannot_be_resolved_is_refused_with_its_reason(project: Project, arguments: list[str], found: str) -> None:
    project.center.publish("cow", "2.0")
    project.center.publish("new", "2.0", core="2.600.1")
    project.center.publish("far", "1.0", "new:1.0")
    project.center.publish("lost", "1.0", "nowhere:1.0")
    project.center.publish("late", "1.0", "api:7")
    project.center.publish("api", "2.0")
    project.center.publish("wide", "1.0", "api:2.0")

    error = project.refuse(*arguments)

    assert isinstance(error, DistributionFailed)
    assert found == error.found


def test_an_invented_version_in_the_lock_is_refused(project: Project) -> None:
    project.lock_file.write_text(project.lock_file.read_text().replace('mole: {version: "1.0"', 'mole: {version: "9"'))

    assert "the update center has no mole 9; its newest version is 1.0" == project.refuse().found


def test_a_core_that_is_too_old_for_a_locked_plugin_is_refused(project: Project) -> None:
    project.center.publish("mole", "1.0", core="2.600.1")

    expected = f"mole 1.0 needs Jenkins 2.600.1, the lock has {VERSION}; no version of it is for that"
    assert expected == project.refuse().found


def test_a_checksum_of_the_lock_is_never_replaced(project: Project) -> None:
    text = project.lock_file.read_text()
    project.lock_file.write_text(
        text.replace('bee: {version: "1.0", sha256: null}', f'bee: {{version: "1.0", sha256: {"a" * 64}}}')
    )

    assert f"bee 1.0: the lock has the SHA-256 {'a' * 64}, plugin-versions.json has " in project.refuse().found


@pytest.mark.parametrize("name", ["plugin-versions.json", "update-center.actual.json"])
@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda document: document.pop("signature"), "it carries no signature"),
        (lambda document: document["plugins"].pop("yak"), "its signature does not match its content"),
    ],
)
def test_what_nothing_proves_is_refused_also_from_a_mirror(project: Project, name: str, spoil: Any, found: str) -> None:
    document = json.loads(project.center.mirror.files[f"/{name}"])
    spoil(document)
    project.center.mirror.files[f"/{name}"] = json.dumps(document).encode()

    error = project.refuse()

    assert (f"checking the signature of {name} of {project.center.mirror.url}/", found) == (error.doing, error.found)


def test_a_core_that_its_key_did_not_sign_is_refused(project: Project, other_key: SigningKey) -> None:
    project.center.serve_core(other_key)

    assert "checking the signature of jenkins.war" == project.refuse().doing


def test_without_the_offer_the_lock_is_made_and_says_what_is_not_known(project: Project) -> None:
    del project.center.mirror.files["/update-center.actual.json"]

    assert 0 == project.run()

    assert "! deprecated plugins and security warnings are not known: " in project.output()
    check(project)


def test_a_source_that_does_not_answer_is_an_error_that_says_where_to_run_it(project: Project) -> None:
    project.source = f"{{source: mirror, mirror: 'http://127.0.0.1:{closed_port()}/'}}"

    error = project.refuse()

    assert "asking http://127.0.0.1" in error.doing
    assert error.remedy.startswith("Run this where the update center can be reached")


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--add", "../bee"], "'../bee' is neither the name of a plugin nor NAME:VERSION"),
        (["--add", "bee:"], "'bee:' is neither the name of a plugin nor NAME:VERSION"),
        (["--remove", "fox"], "the lock has no plugin 'fox' that could be removed"),
        (["--remove", "api"], "nobody requested 'api': it is in the lock because bee requires it"),
        (["--upgrade", "fox"], "the lock has no plugin 'fox' that could be upgraded"),
        (["--add", "bee", "--remove", "bee"], "'bee' is to be added and to be removed"),
        (["--add", "bee:1.0", "--add", "bee"], "'bee' is to be added twice: in version 1.0, and in the newest version"),
        (["--add", "bee:1.0", "--add", "bee:2"], "'bee' is to be added twice: in version 1.0, and in version 2"),
        (["--core", "newest"], "'newest' is neither a version nor latest-lts"),
        (["--core", "../2.568.2"], "'../2.568.2' is neither a version nor latest-lts"),
        (["--exit-zero"], "--exit-zero is for --check"),
    ],
)
def test_a_request_that_does_not_fit_the_lock_is_refused_before_a_source_is_asked(
    project: Project, arguments: list[str], found: str
) -> None:
    error = project.refuse(*arguments)

    assert isinstance(error, UsageError)
    assert found == error.found
    assert [] == project.center.mirror.asked
