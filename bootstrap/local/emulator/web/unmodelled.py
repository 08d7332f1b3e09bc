"""Refuses, in the emulator's name, the paths that Jenkins has and the emulator lacks (`data/unmodelled.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..failures import NAME, Refused
from .calls import Call

_PATH = Path(__file__).parents[1] / "data" / "unmodelled.yaml"


@cache
def _load() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, Any] = yaml.safe_load(_PATH.read_text(encoding="utf-8"))
    return loaded


def is_object(kind: str, rest: list[str]) -> bool:
    """Whether the path names an object, which Jenkins redirects to the path with a slash at its end."""
    return f"{'/'.join(rest)}/" in _load().get(kind, {})


def refuse(kind: str, rest: list[str], method: str, call: Call) -> None:
    """Raise Refused (501) if Jenkins has a path below a kind of object; returns if it has none. Rights come first."""
    for place in (kind, "any"):
        for length in range(len(rest), 0, -1):
            path = "/".join(rest[:length])
            listed = _load().get(place, {})
            permissions = listed.get(path, listed.get(f"{path}/"))
            if permissions is not None:
                if permissions:
                    call.require_any(*permissions)
                raise Refused(501, f"{NAME} does not model {method} {'/'.join(rest)} of a {kind}; Jenkins has it")
