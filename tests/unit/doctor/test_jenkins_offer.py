"""Where `doctor` takes the update center's offer from, what proves it, and what of it cannot be read."""

import datetime
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.context import Context
from bootstrap.doctor import jenkins_age
from bootstrap.doctor.findings import Finding, Health
from bootstrap.environment.models import JenkinsSettings
from bootstrap.environment.settings import load
from bootstrap.jenkins.distribution import metadata, update_center
from bootstrap.preconditions import jenkins_files
from tests.unit.doctor.offers import AUGUST, PINS, make_lock
from tests.unit.jenkins.distribution.authority import Authority, Center
from tests.unit.jenkins.distribution.stand_ins import VERSION, WAR, Mirror, closed_port


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("right")


@pytest.fixture
def center(authority: Authority) -> Iterator[Center]:
    mirror = Mirror()
    made = Center(mirror, authority)
    mirror.files[WAR] = authority.core()
    made.offer["core"] = {"version": "2.568.4", "buildDate": "Nov 20, 2026"}
    for name, pin in PINS.items():
        made.publish(name, pin.version)
    yield made
    mirror.server.shutdown()
    mirror.server.server_close()


Examine = Callable[..., dict[str, Finding]]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    monkeypatch.setattr(jenkins_files, "DOWNLOADS", tmp_path / "downloads")

    def run(source: str, unobtainable: str = "", sha256: str | None = None) -> dict[str, Finding]:
        path = tmp_path / "trial.yaml"
        path.write_text(f"environment: trial\ncloud: local\nowner: a\ncost_center: b\njenkins: {source}\n")
        with Context(path, load(path)) as context:
            context.__dict__["lock"] = make_lock(sha256)
            return {each.name: each for each in jenkins_age.examine(context, unobtainable)}

    return run


def by_mirror(url: str) -> str:
    return f"{{source: mirror, mirror: '{url}'}}"


def put_core(center: Center) -> str:
    """Put the core among the downloads; returns its checksum."""
    core = center.mirror.files[WAR]
    sha256 = hashlib.sha256(core).hexdigest()
    target = jenkins_files.DOWNLOADS / sha256 / "jenkins.war"
    target.parent.mkdir(parents=True)
    target.write_bytes(core)
    return sha256


def test_a_mirror_is_asked_for_its_offer_alone(center: Center, examine: Examine) -> None:
    found = examine(by_mirror(center.mirror.url))

    assert "has a successor: 2.568.4 of 2026-11-20" in found["core"].found
    assert found["core"].found.endswith(" (signature not checked: the core is not downloaded yet)")
    assert "3 of 3 plugins are the newest for this core" in found["plugins"].found
    assert ["/update-center.actual.json"] == center.mirror.loads()


def test_an_offer_that_nothing_proves_is_remarked_in_each_finding_and_its_patterns_are_not_run(
    center: Center, examine: Examine
) -> None:
    center.offer["deprecations"] = {"mole": {"url": "https://example.org/mole"}}
    endless = {"pattern": ".*" * 200 + "x"}
    center.offer["warnings"] = [{"id": "SECURITY-1", "type": "core", "versions": [endless]}]
    center.sign()

    found = examine(by_mirror(center.mirror.url))

    remark = " (signature not checked: the core is not downloaded yet)"
    assert ["offer", "core", "plugins", "deprecated"] == [
        name for name, each in found.items() if each.found.endswith(remark)
    ]
    assert (Health.GOOD, True) == (
        found["security"].health,
        "not known until the core" in found["security"].found,
    )


BROKEN: list[Any] = [None, 1, True, "text", [], {}, [[]], {"a": {}}, [{"pattern": 1}], ["pattern"]]


@pytest.mark.parametrize("value", BROKEN, ids=str)
@pytest.mark.parametrize("is_proved", [True, False])
def test_what_has_another_form_in_an_offer_is_no_traceback(
    center: Center, examine: Examine, value: Any, is_proved: bool
) -> None:
    entry = {"id": "S", "type": "plugin", "name": "bee", "message": "m", "url": "u", "versions": []}
    center.offer["warnings"] = [value, *({**entry, key: value} for key in entry)]
    center.offer["core"] = {"version": value, "buildDate": value}
    center.offer["deprecations"] = {"bee": value, "mole": {"url": value}}
    center.offer["plugins"] |= {"bee": value, "mole": {"version": value}, "yak": {"version": "3.0", "labels": value}}
    center.sign()

    found = examine(by_mirror(center.mirror.url), sha256=put_core(center) if is_proved else None)

    assert {"core", "plugins", "security", "deprecated"} <= found.keys()


@pytest.mark.parametrize(
    ("stamp", "core", "expected"),
    [
        ("2025-01-02T03:04:05Z", {"version": "1", "buildDate": "Nov 20, 2026"}, datetime.date(2025, 1, 2)),
        (None, {"version": "1", "buildDate": "Nov 20, 2026"}, datetime.date(2026, 11, 20)),
        ("soon", {}, AUGUST),  # of the plugins
    ],
)
def test_the_date_of_an_offer_is_its_own_or_that_of_its_newest_release(
    center: Center, stamp: str | None, core: dict[str, str], expected: datetime.date
) -> None:
    center.offer |= {"generationTimestamp": stamp, "core": core}
    center.sign()

    content = center.mirror.files["/update-center.actual.json"]

    assert expected == update_center.read(metadata.parse(content, "here")).dated


def test_an_old_offer_with_a_good_signature_is_not_passed_off_as_todays(center: Center, examine: Examine) -> None:
    center.offer["generationTimestamp"] = "2025-01-02T03:04:05Z"
    center.sign()

    found = examine(by_mirror(center.mirror.url), sha256=put_core(center))["offer"]

    assert (Health.WARNING, True) == (found.health, "of 2025-01-02 (" in found.found)


def test_the_signature_is_checked_where_the_core_is_at_hand(center: Center, examine: Examine) -> None:
    found = examine(by_mirror(center.mirror.url), sha256=put_core(center))

    assert "signature" not in found["core"].found


def test_an_offer_that_is_not_proved_is_not_believed(center: Center, examine: Examine) -> None:
    document = json.loads(center.mirror.files["/update-center.actual.json"])
    document["core"]["version"] = "9.9"
    center.mirror.files["/update-center.actual.json"] = json.dumps(document).encode()

    (found,) = examine(by_mirror(center.mirror.url), sha256=put_core(center)).values()

    assert (Health.WARNING, True) == (found.health, "its signature does not match its content" in found.found)


def test_a_folder_has_its_offer_beside_the_plugins(center: Center, examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "jenkins.war").write_bytes(center.mirror.files[WAR])
    (tmp_path / "plugins" / "update-center.actual.json").write_bytes(center.mirror.files["/update-center.actual.json"])

    found = examine(f"{{source: file, file: '{tmp_path / 'jenkins.war'}'}}")

    assert "has a successor: 2.568.4" in found["core"].found


@pytest.mark.parametrize(
    ("source", "unobtainable", "reason"),
    [
        ("{source: emulator}", "", "the environment file asks for the emulator"),
        pytest.param(by_mirror(f"http://127.0.0.1:{closed_port()}/"), "", "Connection refused", id="a closed port"),
        (by_mirror("http://never.invalid/"), "no answer within 6 s", "the source does not answer"),
        ("{source: file, file: /nowhere/jenkins.war}", "", "/nowhere/plugins/update-center.actual.json cannot be read"),
    ],
)
def test_what_cannot_be_told_is_said_with_its_reason(
    examine: Examine, source: str, unobtainable: str, reason: str
) -> None:
    (found,) = examine(source, unobtainable).values()

    assert ("age", Health.GOOD) == (found.name, found.health)
    assert "are not known: " in found.found
    assert reason in found.found


def test_the_official_site_is_asked_for_the_line_of_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    from bootstrap.jenkins.distribution import transfer
    from bootstrap.jenkins.distribution.sources import choose

    asked: list[str] = []

    def fetch(url: str, _: object) -> bytes:
        asked.append(url)
        return b'{"plugins": {}}'

    monkeypatch.setattr(transfer, "fetch", fetch)

    choose(JenkinsSettings(source="official"), make_lock()).read_current(VERSION)

    assert [f"https://updates.jenkins.io/update-center.actual.json?version={VERSION}"] == asked
