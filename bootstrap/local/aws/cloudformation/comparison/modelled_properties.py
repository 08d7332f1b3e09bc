"""Which properties have an effect in their services, and which have none: a table by type, in properties.json.

tests/aws/test_properties.py makes the table: it creates resources with every property, reads them back through the services'
APIs and compares them; it fails if the table differs. Members of properties are paths like 'Rules/Prefix', without lists.
If a resource uses a property without effect, the reason of its event says so.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("properties.json")
Table = dict[str, dict[str, list[str]]]


@functools.cache
def load_table() -> Table:
    """The properties of each type with an adapter, in the groups 'arrived', 'write-only' and 'not modelled'."""
    content: Table = json.loads(PATH.read_text()) if PATH.exists() else {}
    return content


def list_arrived(kind: str) -> frozenset[str]:
    """The properties that are read back with the values from the template."""
    return frozenset(load_table().get(kind, {}).get("arrived", ()))


def list_not_modelled(kind: str) -> tuple[str, ...]:
    """The paths of properties that are accepted without effect."""
    return tuple(load_table().get(kind, {}).get("not modelled", ()))


def note(kind: str, properties: dict[str, Any]) -> str:
    """The reason for the event of a complete resource: its properties without effect; '' if it has none."""
    names = [path for path in list_not_modelled(kind) if _is_given(properties, path.split("/"))]
    return f"NOT MODELLED: the local cloud accepts {', '.join(names)} and does nothing with it" if names else ""


def remove_paths(properties: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """The properties without those at the paths."""
    remaining: dict[str, Any] = properties
    for path in paths:
        remaining = _remove_path(remaining, path.split("/"))
    return remaining


def _is_given(value: Any, path: list[str]) -> bool:
    if not path:
        return True
    if isinstance(value, list):
        return any(_is_given(item, path) for item in value)
    return isinstance(value, dict) and path[0] in value and _is_given(value[path[0]], path[1:])


def _remove_path(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_remove_path(item, path) for item in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {key: item for key, item in value.items() if key != path[0]}
    return {**value, path[0]: _remove_path(value[path[0]], path[1:])}
