"""What becomes of each property: what was read back of resources that have all of them, compared with what was given.

A property that no sample sets is not modelled: nothing is believed without having been seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bootstrap.local.aws.cloudformation.comparison.property_differences import is_same
from bootstrap.local.aws.cloudformation.template import schemas

REGION = "eu-central-1"
Sample = tuple[dict[str, Any], dict[str, Any]]  # as given, as read back


def sorted_out(kind: str, samples: Iterable[Sample]) -> dict[str, list[str]]:
    """The properties of a type by result: 'arrived', 'write-only', 'not modelled'."""
    schema = schemas.load(kind, REGION) or {}
    hidden = schemas.write_only(schema)
    given, missing = set[str](), set[str]()
    for expected, actual in samples:
        told = {name: value for name, value in expected.items() if "{{resolve:" not in json.dumps(value)}
        given |= set(_paths(told, ""))
        for name, value in told.items():
            missing |= set(_missing(value, actual.get(name), name))
    names = schemas.list_settable(schema)
    never = {path for name in names for path in _never(schema, schema["properties"][name], name, given)}
    unseen = {path for path in missing if path in hidden}
    lost = {path for path in missing | never - set(hidden) if not any(_lies_in(path, other) for other in unseen)}
    lost |= {name for name in names if name not in given}
    lost = {path for path in lost if not any(path != other and _lies_in(path, other) for other in lost)}
    return {
        "arrived": sorted(names - lost - unseen),
        "write-only": sorted(unseen),
        "not modelled": sorted(lost),
    }


def _paths(value: Any, above: str) -> Iterator[str]:
    """Every member that a value sets."""
    if isinstance(value, list):
        for item in value:
            yield from _paths(item, above)
    elif isinstance(value, dict):
        for name, item in value.items():
            path = f"{above}/{name}" if above else name
            yield path
            yield from _paths(item, path)


def _missing(expected: Any, actual: Any, path: str) -> list[str]:
    """The innermost members that did not arrive; the whole value if its members cannot be compared, or if none arrived."""
    if is_same(expected, actual):
        return []
    if isinstance(expected, dict):
        found = actual if isinstance(actual, dict) else {}
        lower = {key.lower(): value for key, value in found.items()}
        inner = {key: _missing(value, lower.get(key.lower()), f"{path}/{key}") for key, value in expected.items()}
        # What is empty proves nothing.
        gone = [key for key, paths in inner.items() if paths == [f"{path}/{key}"] or expected[key] in ([], {}, "")]
        return [path] if len(gone) == len(expected) else [one for paths in inner.values() for one in paths]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = _paired(expected, actual)
        return sorted({one for left, right in pairs for one in _missing(left, right, path)})
    return [path]


def _paired(expected: list[Any], actual: list[Any]) -> list[tuple[Any, Any]]:
    """The items that differ, in pairs in the order of the lists."""
    left, unmatched = list(actual), []
    for item in expected:
        match = next((one for one in left if is_same(item, one)), None)
        if match is None:
            unmatched.append(item)
        else:
            left.remove(match)
    return list(zip(unmatched, left, strict=True))


def _never(schema: dict[str, Any], rule: Any, path: str, given: set[str]) -> Iterator[str]:
    """The members of the schema that no sample sets, inside members that a sample sets."""
    if path not in given:
        yield path
        return
    rule = schemas.follow(schema, rule)
    while "items" in rule:
        rule = schemas.follow(schema, rule["items"])
    for name, inner in (rule.get("properties") or {}).items():
        yield from _never(schema, inner, f"{path}/{name}", given)


def _lies_in(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/")
