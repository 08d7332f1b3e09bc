"""What counts as a difference between a template's property and what a service tells."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.comparison.property_differences import compare_properties, is_same


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("60", 60),
        (True, "true"),
        ("true", True),
        (0, 0.0),
        (["b", "a"], ["a", "b"]),
        ("one", ["one"]),
        (["one"], "one"),
        ([], None),
        ({"A": 1}, {"a": "1", "B": 2}),
        ({"Version": "2012-10-17"}, '{"Version": "2012-10-17"}'),
        ({"Statement": [{"Action": "s3:*"}]}, {"Statement": {"Action": ["s3:*"]}}),
        ("example.internal", "example.internal."),
    ],
)
def test_same_things_in_other_words_are_the_same(expected: Any, actual: Any) -> None:
    assert is_same(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (60, 61),
        ("a", None),
        (["a"], ["a", "a"]),
        (["a", "b"], ["a", "c"]),
        ({"A": 1}, {}),
        ({"A": 1}, "text"),
        (True, False),
    ],
)
def test_other_things_are_not(expected: Any, actual: Any) -> None:
    assert not is_same(expected, actual)


def test_differences_have_paths_values_and_kinds() -> None:
    expected = {"A": {"B": 1, "C": 2}, "L": ["x", "y"], "N": "gone", "D": "{{resolve:ssm:a}}", "U": 1}
    actual = {"A": {"B": 1, "C": 3}, "L": ["y", "z"], "D": "else", "U": 2}
    found = compare_properties(expected, actual, frozenset({"A", "L", "N", "D"}))
    assert [
        ("/A/C", "2", "3", "NOT_EQUAL"),
        ("/L/0", "x", "null", "REMOVE"),
        ("/L/1", "null", "z", "ADD"),
        ("/N", "gone", "null", "REMOVE"),
    ] == [(one["PropertyPath"], one["ExpectedValue"], one["ActualValue"], one["DifferenceType"]) for one in found]
