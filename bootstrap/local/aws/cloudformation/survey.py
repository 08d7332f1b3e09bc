"""Finds out which properties of a type its adapter makes something of: it is let run against a service that says yes to all.

    python -m bootstrap.local.aws.cloudformation.survey          writes not_modelled.json anew

A property counts as modelled when the adapter looks at it while it creates the resource (each property is given alone, and all
together), when it can be read back, or when it holds the tags. The rest is accepted and does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.cloudformation import adapters, modelled, reading, schemas
from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Context

REGION = "us-east-1"
DEEP = 3
FURTHER = {  # looked at only after an answer that cannot be made up
    "AWS::CloudFormation::Stack": {"TemplateURL", "Parameters"},
    "AWS::EC2::SubnetNetworkAclAssociation": {"NetworkAclId"},
}


class Looked(dict[str, Any]):
    """Properties that note which of them were looked at."""

    def __init__(self, properties: dict[str, Any], seen: set[str]) -> None:
        super().__init__(properties)
        self._seen = seen

    def __getitem__(self, name: str) -> Any:
        self._seen.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._seen.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As a dictionary's."""
        self._seen.add(name)
        return super().get(name, default)


class Yes(dict[str, Any]):
    """An answer that has whatever is asked of it."""

    def __missing__(self, name: str) -> Any:
        return Yes()

    def get(self, name: str, default: Any = None) -> Any:
        """Whatever is asked."""
        return Yes()

    def __str__(self) -> str:
        return "id-0"

    def __int__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter(())


class Obliging(Context):
    """A context whose service agrees to everything and is never slow."""

    def call(self, service: str, method: str, **parameters: Any) -> Any:
        """Agree."""
        return Yes()

    def wait(self, ready: Any, what: str) -> None:
        """It has settled."""


def table() -> dict[str, list[str]]:
    """For each type with an adapter: the properties that are accepted and not modelled."""
    return {kind: sorted(_unseen(kind)) for kind in sorted(adapters.known())}


def _unseen(kind: str) -> set[str]:
    adapter, schema = adapters.find(kind), schemas.load(kind, REGION)
    assert adapter is not None
    if schema is None:
        return set()
    read_only = {str(path).removeprefix("/properties/") for path in schema.get("readOnlyProperties", ())}
    names = set(schema.get("properties", {})) - read_only
    samples = {name: sample(schema, schema["properties"][name]) for name in names}
    seen = {schemas.tag_property(schema), *reading.readable(kind), *FURTHER.get(kind, ())}
    for given in ({}, samples, *({name: samples[name]} for name in names)):
        _let_create(adapter, given, seen)
    return names - seen


def _let_create(adapter: Adapter, given: dict[str, Any], seen: set[str]) -> None:
    to = Obliging(
        adapter.type,
        "A",
        "stack",
        "id",
        REGION,
        "1",
        "op",
        Looked(given, seen),
        lambda *_: Yes(),
        lambda _: None,
        nested=None,
    )
    for step in (adapter.create, adapter.attributes, lambda made: adapter.tag(made, ())):
        try:
            step(to)
        except Exception:
            continue


def sample(schema: dict[str, Any], rule: dict[str, Any], depth: int = 0) -> Any:
    """A value of the kind that the schema wants."""
    rule = schemas.follow(schema, rule)
    if "enum" in rule:
        return rule["enum"][0]
    kinds = rule.get("type", "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        inner = rule.get("properties", {}).items() if depth < DEEP else ()
        return {name: sample(schema, item, depth + 1) for name, item in inner}
    if kind == "array":
        return [sample(schema, rule.get("items", {}), depth + 1)] if depth < DEEP else []
    return {"integer": 1, "number": 1, "boolean": True}.get(kind, "1")


if __name__ == "__main__":
    modelled.PATH.write_text(json.dumps(table(), indent=1) + "\n")
