"""Versions compare as Jenkins compares them; the orders were asked of hudson.util.VersionNumber itself."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.jenkins.distribution.versions import LONGEST, is_older, is_version

# Each row from the lowest to the highest; versions that stand in one list are the same.
ROWS = [
    [
        ["1-snapshot"],
        ["1-alpha"],
        ["1-beta-2"],
        ["1.0-rc1", "1-cr1"],
        ["1", "1.0", "1.0.0-0", "1.ga", "1-final"],
        ["1-sp"],
    ],
    [["1.v2"], ["1-1"], ["1-2"], ["1.1"], ["1.1.1"]],
    [["2.9"], ["2.10"], ["2.10.1"], ["2.541.1"], ["2.541.3"], ["2.568.2"]],
    [["1.28.0-2"], ["1.28.0-87.v48a_8104cb_b_25"], ["1.28.1"]],
    [["2.5-143.v93b_c004f89de"], ["2.5-149.v72471e9c6371"], ["2.6"]],
    [["1413.v2ff1a_5e720fa_"], ["1511.v2e3cb_0008ef0"], ["1571.1580.v18e46842c125"], ["4370.v49a_6937566b_6"]],
    [["20251224-185.v0cc18490c62c"], ["20260814-226.v20f9685d642c"]],
    [["0.3.0.1-19.vc432d923e5ee"], ["0.3.0.1-29.v67e9a_1c969b_b_"]],
]
NAMED = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}(-[0-9]{1,3})?(\.v[0-9a-f_]{4,12})?", fullmatch=True)


@pytest.mark.parametrize("row", ROWS)
def test_versions_are_in_jenkins_order(row: list[list[str]]) -> None:
    for lower, higher in itertools.combinations(row, 2):
        for one, other in itertools.product(lower, higher):
            assert (True, False) == (is_older(one, other), is_older(other, one)), (one, other)
    for same in row:
        assert not any(is_older(one, other) for one, other in itertools.permutations(same, 2))


@given(NAMED, NAMED, NAMED)
def test_the_order_is_total(one: str, two: str, three: str) -> None:
    assert not is_older(one, one)
    assert not (is_older(one, two) and is_older(two, one))
    if is_older(one, two) and is_older(two, three):
        assert is_older(one, three)


@given(NAMED, st.integers(0, 999))
def test_a_higher_number_is_newer(version: str, number: int) -> None:
    assert is_older(f"{number}.{version}", f"{number + 1}.{version}")


@given(st.text(max_size=3 * LONGEST), st.text(max_size=3 * LONGEST))
def test_a_string_that_is_no_version_can_be_compared(one: str, other: str) -> None:
    assert is_older(one, other) in {True, False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.568.2", True), ("1.0-SNAPSHOT", True), ("v1", False), ("", False),
        ("../1.0", False), ("1 0", False), ("1" * (LONGEST + 1), False),
    ],
)  # fmt: skip
def test_a_version_begins_with_a_number_and_contains_no_path(text: str, expected: bool) -> None:
    assert expected == is_version(text)
