"""Compares a resource's properties as the template has them with what was read back, in CloudFormation's terms.

Only what the template says is compared. Order within lists does not matter, nor whether a number or a flag is written as text,
nor whether one thing stands alone or in a list (as policies allow).
"""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.template.intrinsics import text_of

Difference = dict[str, str]


def differences(expected: dict[str, Any], actual: dict[str, Any], readable: frozenset[str]) -> list[Difference]:
    """What differs among the properties that could be read; dynamic references are left out."""
    found: list[Difference] = []
    for name, value in expected.items():
        if name in readable and "{{resolve:" not in json.dumps(value):
            found += _compare(f"/{name}", value, actual.get(name))
    return found


def same(expected: Any, actual: Any) -> bool:
    """Whether two values mean the same."""
    if isinstance(actual, dict | list):
        expected = _document(expected)
    if isinstance(expected, dict):
        actual = _document(actual)
        return isinstance(actual, dict) and all(same(value, _get(actual, key)) for key, value in expected.items())
    if isinstance(expected, list):
        actual = _document(actual)
    if isinstance(expected, list) and isinstance(actual, list):
        left = list(actual)
        for item in expected:
            match = next((one for one in left if same(item, one)), None)
            if match is None:
                return False
            left.remove(match)
        return not left
    if isinstance(expected, list) or isinstance(actual, list):
        return same(_listed(expected), _listed(actual)) if actual is not None else not expected
    return _text(expected) == _text(actual)


def _compare(path: str, expected: Any, actual: Any) -> list[Difference]:
    if same(expected, actual):
        return []
    if isinstance(expected, dict) and isinstance(_document(actual), dict):
        return [
            one
            for key, value in expected.items()
            for one in _compare(f"{path}/{key}", value, _get(_document(actual), key))
        ]
    if isinstance(expected, list) and isinstance(actual, list):
        return _compare_lists(path, expected, actual)
    return [_difference(path, expected, actual, "REMOVE" if actual is None else "NOT_EQUAL")]


def _compare_lists(path: str, expected: list[Any], actual: list[Any]) -> list[Difference]:
    left, missing = list(enumerate(actual)), []
    for index, item in enumerate(expected):
        match = next((pair for pair in left if same(item, pair[1])), None)
        if match is None:
            missing.append(_difference(f"{path}/{index}", item, None, "REMOVE"))
        else:
            left.remove(match)
    return missing + [_difference(f"{path}/{index}", None, item, "ADD") for index, item in left]


def _difference(path: str, expected: Any, actual: Any, kind: str) -> Difference:
    return {
        "PropertyPath": path,
        "ExpectedValue": _shown(expected),
        "ActualValue": _shown(actual),
        "DifferenceType": kind,
    }


def _get(found: dict[str, Any], name: str) -> Any:
    """A member without regard to its case: services write names their own way."""
    return found.get(name, next((value for key, value in found.items() if key.lower() == name.lower()), None))


def _document(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _text(value: Any) -> str:
    text = text_of(value) if value is not None else ""
    try:
        return repr(float(text)) if text.lower() not in {"nan", "inf", "infinity"} else text
    except ValueError:
        return text.lower() if text in {"True", "False"} else text.removesuffix(".")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    return (
        json.dumps(value, default=str)
        if isinstance(value, dict | list)
        else "null"
        if value is None
        else text_of(value)
    )
