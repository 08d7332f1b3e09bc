"""Whether a lock is a set that starts, by the table of needs."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import load_lock, needs
from bootstrap.jenkins.distribution.lock import Lock, Pin
from bootstrap.jenkins.distribution.needs import Needs, Row, Table
from tests.unit.jenkins.distribution.stand_ins import ROOT

LOCK = """\
core:
  version: 2.568.2
  path: jenkins.war
  sha256: null
signing_key:
  fingerprint: 5E386EADB55F01504CAE8BCF7198F4B714ABFC68
  url: https://example.invalid/jenkins.key
plugins:
  one: {version: "1.0", sha256: null}
  two: {version: "2.0-7.vabc", sha256: null}
"""
TABLE = """\
one:
  version: "1.0"
  least_core: "2.541.1"
  read_at: a commit near it
  needs: {two: "2.0-7.v1"}
two:
  version: "2.0-7.vabc"
  needs: {}
"""
NAMES = st.sampled_from("abcdef")


def faults(tmp_path: Path, lock: str = LOCK, table: str = TABLE) -> list[str]:
    """The faults of a lock and a table, their files by their own names."""
    (tmp_path / "lock.yaml").write_text(lock)
    (tmp_path / "needs.yaml").write_text(table)
    try:
        needs.check(load_lock(tmp_path / "lock.yaml"), needs.load_table(tmp_path / "needs.yaml"))
    except DistributionFailed as error:
        return error.found.replace(f"{tmp_path}/", "").splitlines()
    return []


def test_the_projects_own_lock_is_a_set_that_starts() -> None:
    lock, table = load_lock(ROOT / "jenkins.lock.yaml"), needs.load_table(ROOT / needs.NAME)

    assert [] == list(needs.find_faults(lock, table))
    assert {} == needs.find_unjudged(lock, table)
    assert lock.plugins == {name: row.version for name, row in table.rows.items()}


def test_everything_in_the_projects_own_lock_is_requested_or_required() -> None:
    lock, table = load_lock(ROOT / "jenkins.lock.yaml"), needs.load_table(ROOT / needs.NAME)
    reached, waiting = set(), list(lock.requested)
    while waiting:
        name = waiting.pop()
        waiting += [needed for needed in table.rows[name].needs if needed not in reached]
        reached.add(name)

    assert set(lock.pins) == reached


@pytest.mark.parametrize(
    "name", ["prism-api", "jsoup", "apache-httpcomponents-client-5-api", "woodstox-core-api", "structs", "ionicons-api"]
)
def test_the_projects_own_lock_without_a_needed_plugin_is_none(name: str) -> None:
    lock, table = load_lock(ROOT / "jenkins.lock.yaml"), needs.load_table(ROOT / needs.NAME)
    pins = {it: pin for it, pin in lock.pins.items() if it != name}
    less = Lock(lock.path, lock.core, lock.core_path, lock.fingerprint, lock.key_url, pins)

    found = [str(fault) for fault in needs.find_faults(less, table)]

    assert any(f"needs {name}" in fault and "which the lock does not have" in fault for fault in found)


def test_a_lock_that_has_all_that_it_needs_is_taken(tmp_path: Path) -> None:
    assert [] == faults(tmp_path)


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    lock = LOCK.replace('"2.0-7.vabc"', '"2.0-6.vabc"').replace("2.568.2", "2.540.3")
    table = (
        TABLE.replace('"2.0-7.vabc"', '"2.0-6.vabc"').replace(
            'two: "2.0-7.v1"', 'two: "2.0-7.v1", three: null, four: "4"'
        )
        + 'five:\n  version: "5"\n  needs: {}\n'
    )

    assert [
        "lock.yaml:9:9: one 1.0 needs Jenkins 2.541.1, the lock has 2.540.3",
        "lock.yaml:9:9: one 1.0 needs four 4, which the lock does not have",
        "lock.yaml:9:9: one 1.0 needs three, which the lock does not have",
        "lock.yaml:10:9: one 1.0 needs two 2.0-7.v1, the lock has 2.0-6.vabc",
        "needs.yaml:9:1: five 5: the lock does not have this plugin: remove the row",
    ] == faults(tmp_path, lock, table)


def test_what_the_table_does_not_know_is_no_fault_and_not_judged(tmp_path: Path) -> None:
    (tmp_path / "lock.yaml").write_text(LOCK.replace("2.0-7.vabc", "2.1") + '  three: {version: "3", sha256: null}\n')
    (tmp_path / "needs.yaml").write_text(TABLE)
    lock, table = load_lock(tmp_path / "lock.yaml"), needs.load_table(tmp_path / "needs.yaml")

    assert [] == list(needs.find_faults(lock, table))
    assert {
        "one": "its row in needs.yaml:1 was written by hand",
        "two": "needs.yaml:6 is about 2.0-7.vabc",
        "three": "needs.yaml does not have it",
    } == needs.find_unjudged(lock, table)


@given(
    st.tuples(NAMES, st.integers(1, 9), st.integers(1, 9) | st.none(), st.dictionaries(NAMES, st.integers(1, 9))),
    st.tuples(NAMES, st.integers(1, 9), st.integers(1, 9) | st.none(), st.dictionaries(NAMES, st.integers(1, 9))),
)
def test_a_record_is_that_of_one_row_alone(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    def compute(drawn: tuple[Any, ...]) -> str:
        name, version, core, wanted = drawn
        least = {it: str(version) for it, version in wanted.items()}
        return needs.compute_record(name, Needs(str(version), str(core) if core else None, least))

    assert (one == other) == (compute(one) == compute(other))


def test_a_requested_plugin_that_is_not_locked_is_a_fault(tmp_path: Path) -> None:
    lock = LOCK.replace("plugins:\n", "requested:\n  - one\n  - missing\nplugins:\n")

    assert ["lock.yaml:10:5: missing is requested, and 'plugins' does not have it"] == faults(tmp_path, lock)


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ("requested: one\n", "lock.yaml:8:1: requested: a list of names of plugins is needed here"),
        ("requested: [one, one]\n", "lock.yaml:8:18: requested: 'one' is there twice"),
        ("requested: [../one]\n", "lock.yaml:8:13: requested: '../one' is not the name of a plugin"),
        ("requested: [1]\n", "lock.yaml:8:13: requested: 1 is not the name of a plugin"),
        ("requests: [one]\n", "lock.yaml:8:1: unknown key 'requests'; did you mean 'requested'?"),
    ],
)
def test_a_broken_request_is_refused_by_its_place(tmp_path: Path, requested: str, expected: str) -> None:
    assert [expected] == faults(tmp_path, LOCK.replace("plugins:\n", f"{requested}plugins:\n"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"1.0"', "1.0", ["needs.yaml:2:3: one.version: 1.0 is not a version in quotes"]),
        ('"2.541.1"', "new", ["needs.yaml:3:3: one.least_core: 'new' is not a version in quotes"]),
        ('two: "2.0-7.v1"', "two: 2", ["needs.yaml:5:11: one.needs.two: 2 is not a version in quotes"]),
        ("  needs: {}", "  need: {}", ["needs.yaml:6:1: two: a row has the keys 'version' and 'needs', a mapping"]),
        ("read_at", "read", ["needs.yaml:4:3: one.read: unknown key; a row has least_core, needs, read_at, recorded, version"]),
        ("one:", "two:", ['needs.yaml:6:1: not YAML: while constructing a mapping found duplicate key "two"']),
        (TABLE, "- one\n", ["needs.yaml:1:1: the file must be a mapping of keys"]),
    ],
)  # fmt: skip
def test_a_broken_table_is_refused_by_its_places(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    found = faults(tmp_path, table=TABLE.replace(old, new, 1))

    assert expected == [line[: len(expected[0])] for line in found]


@given(st.dictionaries(NAMES, st.tuples(st.integers(1, 5), st.dictionaries(NAMES, st.integers(1, 5) | st.none()))))
def test_what_is_not_faulted_is_closed_and_new_enough(drawn: dict[str, tuple[int, dict[str, int | None]]]) -> None:
    """By another way than the function's own: a set of plugins that is walked from each of them."""
    pins = {name: Pin(str(version), None) for name, (version, _) in drawn.items()}
    lock = Lock(Path("lock"), Pin("2.568.2", None), "", "", "", pins)
    rows = {
        name: Row(str(version), None, {it: str(least) if least else None for it, least in wanted.items()}, (1, 1))
        for name, (version, wanted) in drawn.items()
    }

    found = list(needs.find_faults(lock, Table(Path("table"), rows)))

    unmet = sum(
        it not in drawn or bool(least and drawn[it][0] < least)
        for _, wanted in drawn.values()
        for it, least in wanted.items()
    )
    assert unmet == len(found)
