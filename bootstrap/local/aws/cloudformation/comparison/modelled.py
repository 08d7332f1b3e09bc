"""Which properties arrive at their services, and which are accepted and do nothing: a table by type, from properties.json.

The table is found by tests/aws/test_properties.py, which makes resources with every property, reads them back through the
services' APIs and compares; it fails when the table is not what it finds. A property's members are told as paths, like
'Rules/Prefix'; lists leave no trace in them. A resource that uses what does nothing says so in the reason of its event.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("properties.json")
Table = dict[str, dict[str, list[str]]]


@functools.cache
def table() -> Table:
    """For each type with an adapter its properties by what becomes of them: 'arrived', 'write-only' or 'not modelled'."""
    found: Table = json.loads(PATH.read_text()) if PATH.exists() else {}
    return found


def arrived(kind: str) -> frozenset[str]:
    """The properties that are read back as they were given."""
    return frozenset(table().get(kind, {}).get("arrived", ()))


def not_modelled(kind: str) -> tuple[str, ...]:
    """The paths of what is accepted and does nothing."""
    return tuple(table().get(kind, {}).get("not modelled", ()))


def note(kind: str, properties: dict[str, Any]) -> str:
    """What the event of a resource that is complete says of properties that are not modelled; '' when all are."""
    names = [path for path in not_modelled(kind) if _is_given(properties, path.split("/"))]
    return f"NOT MODELLED: the local cloud accepts {', '.join(names)} and does nothing with it" if names else ""


def without(properties: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """The properties less what lies at the paths."""
    left: dict[str, Any] = properties
    for path in paths:
        left = _without(left, path.split("/"))
    return left


def _is_given(value: Any, path: list[str]) -> bool:
    if not path:
        return True
    if isinstance(value, list):
        return any(_is_given(item, path) for item in value)
    return isinstance(value, dict) and path[0] in value and _is_given(value[path[0]], path[1:])


def _without(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {key: item for key, item in value.items() if key != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}
