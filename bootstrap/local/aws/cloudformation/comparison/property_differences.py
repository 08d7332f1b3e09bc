"""Compares the properties of a resource in the template with those read back; the result has the form of CloudFormation.

Only properties in the template are compared. Not compared are the order in lists, whether a number or a boolean is written as
text, and whether a single value is in a list or not (policies allow both).
"""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.template.intrinsics import format_text

Difference = dict[str, str]


def compare_properties(expected: dict[str, Any], actual: dict[str, Any], readable: frozenset[str]) -> list[Difference]:
    """The differences of the `readable` properties; properties with dynamic references are left out."""
    all_differences: list[Difference] = []
    for name, value in expected.items():
        if name in readable and "{{resolve:" not in json.dumps(value):
            all_differences += _compare(f"/{name}", value, actual.get(name))
    return all_differences


def is_same(expected: Any, actual: Any) -> bool:
    """Whether two values mean the same."""
    if isinstance(actual, dict | list):
        expected = _parse_document(expected)
    if isinstance(expected, dict):
        actual = _parse_document(actual)
        return isinstance(actual, dict) and all(is_same(value, _get(actual, key)) for key, value in expected.items())
    if isinstance(expected, list):
        actual = _parse_document(actual)
    if isinstance(expected, list) and isinstance(actual, list):
        unmatched = list(actual)
        for item in expected:
            match = next((candidate for candidate in unmatched if is_same(item, candidate)), None)
            if match is None:
                return False
            unmatched.remove(match)
        return not unmatched
    if isinstance(expected, list) or isinstance(actual, list):
        return is_same(_make_list(expected), _make_list(actual)) if actual is not None else not expected
    return _format_scalar(expected) == _format_scalar(actual)


def _compare(path: str, expected: Any, actual: Any) -> list[Difference]:
    if is_same(expected, actual):
        return []
    if isinstance(expected, dict) and isinstance(_parse_document(actual), dict):
        return [
            difference
            for key, value in expected.items()
            for difference in _compare(f"{path}/{key}", value, _get(_parse_document(actual), key))
        ]
    if isinstance(expected, list) and isinstance(actual, list):
        return _compare_lists(path, expected, actual)
    return [_make_difference(path, expected, actual, "REMOVE" if actual is None else "NOT_EQUAL")]


def _compare_lists(path: str, expected: list[Any], actual: list[Any]) -> list[Difference]:
    unmatched, missing = list(enumerate(actual)), []
    for index, item in enumerate(expected):
        match = next((pair for pair in unmatched if is_same(item, pair[1])), None)
        if match is None:
            missing.append(_make_difference(f"{path}/{index}", item, None, "REMOVE"))
        else:
            unmatched.remove(match)
    return missing + [_make_difference(f"{path}/{index}", None, item, "ADD") for index, item in unmatched]


def _make_difference(path: str, expected: Any, actual: Any, kind: str) -> Difference:
    return {
        "PropertyPath": path,
        "ExpectedValue": _format_value(expected),
        "ActualValue": _format_value(actual),
        "DifferenceType": kind,
    }


def _get(members: dict[str, Any], name: str) -> Any:
    """A member by its name, in any case, because services write names differently."""
    return members.get(name, next((value for key, value in members.items() if key.lower() == name.lower()), None))


def _parse_document(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _format_scalar(value: Any) -> str:
    text = format_text(value) if value is not None else ""
    try:
        return repr(float(text)) if text.lower() not in {"nan", "inf", "infinity"} else text
    except ValueError:
        return text.lower() if text in {"True", "False"} else text.removesuffix(".")


def _make_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _format_value(value: Any) -> str:
    return (
        json.dumps(value, default=str)
        if isinstance(value, dict | list)
        else "null"
        if value is None
        else format_text(value)
    )
