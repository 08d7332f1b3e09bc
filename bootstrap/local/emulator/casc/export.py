"""Exports the configuration: YAML with encrypted secrets, and the JSON schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from .check import SecretText, schema


def export(configured: dict[str, Any], seal: Callable[[str], str]) -> str:
    """The configuration as normalised YAML: keys sorted, secrets encrypted with the key of this home."""
    text: str = yaml.safe_dump(
        _shown(configured, seal), sort_keys=True, allow_unicode=True, default_flow_style=False, width=120
    )
    return text


def _shown(value: Any, seal: Callable[[str], str]) -> Any:
    if isinstance(value, SecretText):
        return seal(str(value)) if value else ""
    if isinstance(value, dict):
        return {key: _shown(child, seal) for key, child in value.items()}
    if isinstance(value, list):
        return [_bare(_shown(child, seal)) for child in value]
    return value


def _bare(value: Any) -> Any:
    # An implementation without values is written as its bare name.
    if isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) in ({}, None):
        return next(iter(value))
    return value


def json_schema() -> dict[str, Any]:
    """The JSON schema of all known settings."""
    properties = {
        name: {"type": "array", "items": _described(kind["list"], 0)} if "list" in kind else _described(kind, 0)
        for name, kind in schema()["roots"].items()
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _described(kind: Any, depth: int) -> dict[str, Any]:
    if isinstance(kind, list):
        return {"type": "array", "items": _described(kind[0], depth + 1)}
    if isinstance(kind, str):
        return {} if kind == "any" else {"type": "string" if kind == "secret" else kind}
    if "ref" in kind:
        return _described(schema()["definitions"][kind["ref"]], depth + 1)
    if "enum" in kind:
        return {"type": "string", "enum": kind["enum"]}
    if "type" in kind:
        return _described(kind["type"], depth + 1)
    if "choice" in kind:
        return {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {name: _described(child, depth + 1) for name, child in kind["of"].items()},
                },
            ]
        }
    if kind["of"] == "any":
        return {"type": "object"}
    members = {name: _described(child, depth + 1) for name, child in kind["of"].items()}
    return {"type": "object", "additionalProperties": False, "properties": members}
