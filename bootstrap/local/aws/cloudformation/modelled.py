"""Which properties of each type do something here, and which are accepted and do nothing."""

from __future__ import annotations

from typing import Any


def table() -> dict[str, Any]:
    """For each type: the properties that are accepted and not modelled."""
    return {}


def note(kind: str, properties: dict[str, Any]) -> str:
    """What a resource's CREATE_COMPLETE event says of properties that are not modelled; '' when all are."""
    return ""
