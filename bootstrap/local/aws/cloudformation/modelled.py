"""Which properties are accepted and do nothing: a table by type, made by `survey` and held to the adapters by a test.

A resource that uses one of them says so in the reason of its CREATE_COMPLETE event.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("not_modelled.json")


@functools.cache
def table() -> dict[str, list[str]]:
    """For each type with an adapter: the properties that are accepted and not modelled."""
    found: dict[str, list[str]] = json.loads(PATH.read_text()) if PATH.exists() else {}
    return found


def note(kind: str, properties: dict[str, Any]) -> str:
    """What a resource's CREATE_COMPLETE event says of properties that are not modelled; '' when all are."""
    names = sorted(set(table().get(kind, ())) & properties.keys())
    return f"NOT MODELLED: the local cloud accepts {', '.join(names)} and does nothing with it" if names else ""
