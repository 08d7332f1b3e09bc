"""The JSON schema of all known settings, flat as that of Jenkins: a class is described once, under `definitions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .vocabulary import Attribute, Vocabulary

_TYPES = {
    **dict.fromkeys(("int", "long", "double", "java.lang.Integer"), "integer"),
    **dict.fromkeys(("boolean", "java.lang.Boolean"), "boolean"),
}


def make_json_schema(plugins: Mapping[str, str]) -> dict[str, Any]:
    """The schema of a Jenkins with these plugins."""
    vocabulary = Vocabulary(plugins)
    definitions: dict[str, Any] = {}
    roots = {
        root: _describe_members(vocabulary, vocabulary.list_root_attributes(root), definitions)
        for root in vocabulary.roots
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "description": "Jenkins Configuration as Code",
        "additionalProperties": False,
        "type": "object",
        "definitions": definitions,
        "properties": roots,
    }


def _describe_members(
    vocabulary: Vocabulary, attributes: Mapping[str, Attribute], definitions: dict[str, Any]
) -> dict[str, Any]:
    described = {name: _describe(vocabulary, attribute, definitions) for name, attribute in attributes.items()}
    return {"additionalProperties": False, "type": "object", "properties": described}


def _describe(vocabulary: Vocabulary, attribute: Attribute, definitions: dict[str, Any]) -> dict[str, Any]:
    kind = attribute.kind
    implementations = vocabulary.list_implementations(kind)
    if implementations is not None:
        for each in implementations.values():
            _define(vocabulary, each, definitions)
        if kind not in definitions:
            choices = [
                {"properties": {name: {"$ref": f"#/definitions/{each}"}}} for name, each in implementations.items()
            ]
            definitions[kind] = {"type": "object", "oneOf": choices}
        described: dict[str, Any] = {"$ref": f"#/definitions/{kind}"}
    elif vocabulary.is_class(kind):
        _define(vocabulary, kind, definitions)
        described = {"$ref": f"#/definitions/{kind}"}
    else:
        described = {"type": _TYPES.get(kind, "string")}
        if attribute.words:
            described["enum"] = list(attribute.words)
    return {"type": "array", "items": described} if attribute.is_list else described


def _define(vocabulary: Vocabulary, kind: str, definitions: dict[str, Any]) -> None:
    if kind not in definitions:
        definitions[kind] = {}  # it may hold itself
        definitions[kind] = _describe_members(vocabulary, vocabulary.list_attributes(kind), definitions)
