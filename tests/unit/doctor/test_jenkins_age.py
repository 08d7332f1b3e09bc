"""`doctor` tells how old the lock is, and which security warnings there are, by the update center's current offer."""

import datetime

import pytest

from bootstrap.doctor import jenkins_age
from bootstrap.doctor.findings import Finding, Health
from bootstrap.jenkins.distribution.update_center import Offer, SecurityWarning, UpdateCenter
from tests.unit.doctor.offers import AUGUST, make_lock
from tests.unit.jenkins.distribution.stand_ins import VERSION

TODAY = datetime.date(2026, 11, 30)
LONG_AGO = datetime.date(2020, 1, 1)
OFFERS = {"bee": Offer("1.0", LONG_AGO), "mole": Offer("2.5", AUGUST, "2.0", LONG_AGO)}


def describe(core: Offer | None = None, **more: object) -> dict[str, Finding]:
    said = {"core": core, "plugins": OFFERS, "deprecated": {}, "warnings": ()} | more
    return {each.name: each for each in jenkins_age.describe(make_lock(), UpdateCenter(**said), TODAY)}  # type: ignore[arg-type]


def test_a_core_that_is_the_newest_has_an_age() -> None:
    found = describe(Offer(VERSION, AUGUST))["core"]

    expected = f"Jenkins {VERSION} of 2026-08-05 (117 days old) is the newest that the update center offers"
    assert (Health.GOOD, expected) == (found.health, found.found)


def test_a_successor_of_the_core_is_named_and_the_lock_stays() -> None:
    found = describe(Offer("2.568.4", datetime.date(2026, 11, 20)))["core"]

    expected = f"Jenkins {VERSION} has a successor: 2.568.4 of 2026-11-20 (10 days old)"
    assert (Health.WARNING, expected) == (found.health, found.found)
    assert "run 'jenkins lock --core latest-lts', and launch" in found.remedy


def test_an_offer_without_a_core_says_so() -> None:
    assert "the update center does not say which core is the newest" == describe()["core"].found


def test_the_plugins_have_their_successors_the_oldest_and_what_is_not_known() -> None:
    assert (
        "1 of 3 plugins are the newest for this core; with a successor: mole 2.0 -> 2.5 of 2026-08-05 (117 days old); "
        "not offered any more: yak; the oldest is bee 1.0 of 2020-01-01 (6.9 years old); the age of 1 is not known"
    ) == describe()["plugins"].found


def test_security_warnings_and_deprecated_plugins_are_warnings() -> None:
    told = (
        SecurityWarning("SECURITY-1", "mole", "Something leaks", "https://example.org/1", ("2[.]0",)),
        SecurityWarning("SECURITY-2", "bee", "Something else leaks", "", ("0[.].*",)),
        SecurityWarning("SECURITY-3", "core", "The core leaks", "https://example.org/3", ("(",)),
        SecurityWarning("SECURITY-4", "fox", "Nobody has it", "", ()),
    )

    found = describe(warnings=told, deprecated={"bee": "https://example.org/bee", "fox": ""})

    assert Health.WARNING == found["security"].health
    assert (
        "SECURITY-1, mole: Something leaks https://example.org/1; SECURITY-3, core: The core leaks https://example.org/3"
    ) == found["security"].found
    assert (Health.WARNING, "bee (https://example.org/bee)") == (found["deprecated"].health, found["deprecated"].found)


def test_no_warning_is_said_to_be_none() -> None:
    found = describe()

    assert (Health.GOOD, "no warning of the update center is about these versions") == (
        found["security"].health,
        found["security"].found,
    )
    assert "deprecated" not in found


@pytest.mark.parametrize(
    ("dated", "health", "expected"),
    [
        (TODAY, Health.GOOD, "the update center's offer of 2026-11-30 (0 days old)"),
        (TODAY - datetime.timedelta(30), Health.GOOD, "the update center's offer of 2026-10-31 (30 days old)"),
        (
            TODAY - datetime.timedelta(31),
            Health.WARNING,
            "the update center's offer of 2026-10-30 (31 days old): it is 31 days old, so it "
            "lacks later successors and security warnings",
        ),
        (None, Health.WARNING, "the update center's offer: it does not say when it was made"),
    ],
)
def test_the_offer_has_a_date_and_an_old_one_is_a_warning(
    dated: datetime.date | None, health: Health, expected: str
) -> None:
    found = describe(dated=dated)["offer"]

    assert (health, expected) == (found.health, found.found)


@pytest.mark.parametrize("pattern", ["(" * 900 + ")" * 900, "1{99999999999999999999}", "a" * 1001, "("])
def test_a_pattern_that_cannot_be_read_is_about_every_version(pattern: str) -> None:
    assert SecurityWarning("S", "bee", "", "", (pattern,)).is_about("1.0")
