"""The resource schemas of cfn-lint, read as files: which properties a type has, and which of them replace the resource.

cfn-lint itself is not imported, because that takes 0.8 s; only its data is used: providers/<region>.json has the file of each
type.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bootstrap.local.aws.cloudformation.template import value_types

Schema = dict[str, Any]


@functools.cache
def _find_directory() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None and spec.origin is not None, "cfn-lint is among the locked packages"
    return Path(spec.origin).parent / "data" / "schemas"


@functools.cache
def _load_types(region: str) -> dict[str, str]:
    path = _find_directory() / "providers" / f"{region}.json"
    if not path.exists():
        path = path.with_name("us-east-1.json")
    names: dict[str, str] = json.loads(path.read_bytes())
    return names


@functools.cache
def list_regions() -> frozenset[str]:
    """Return the regions of AWS."""
    return frozenset(path.stem for path in (_find_directory() / "providers").glob("*-*.json"))


@functools.cache
def load(kind: str, region: str) -> Schema | None:
    """The schema of a resource type in a region, or None for a type that CloudFormation does not know."""
    name = _load_types(region).get(kind)
    if name is None:
        return None
    schema: Schema = json.loads((_find_directory() / "resources" / f"{name}.json").read_bytes())
    return schema


def find_tag_property(schema: Schema) -> str:
    """The name of the property with tags, or '' for a type without tags."""
    tagging = schema.get("tagging", {})
    if tagging.get("taggable", "Tags" in schema.get("properties", {})):
        name = str(tagging.get("tagProperty", "/properties/Tags")).rpartition("/")[2]
        return name if name in schema.get("properties", {}) else ""
    return ""


def judge_recreation(schema: Schema, name: str, before: Any, after: Any) -> str:
    """Whether a change of a top-level property needs a new resource: 'Always', 'Conditionally' or 'Never'."""
    if _touches(schema.get("createOnlyProperties", ()), name, before, after):
        return "Always"
    if _touches(schema.get("conditionalCreateOnlyProperties", ()), name, before, after):
        return "Conditionally"
    return "Never"


def _touches(paths: Any, name: str, before: Any, after: Any) -> bool:
    for path in paths:
        first, *rest = str(path).removeprefix("/properties/").split("/")
        if first == name and _find_value(before, rest) != _find_value(after, rest):
            return True
    return False


def _find_value(value: Any, path: list[str]) -> Any:
    for index, part in enumerate(path):
        if part == "*":
            return [_find_value(item, path[index + 1 :]) for item in value] if isinstance(value, list) else value
        value = value.get(part) if isinstance(value, dict) else None
    return value


def list_faults(schema: Schema, properties: dict[str, Any]) -> list[str]:
    """The faults of properties, with CloudFormation's messages; empty if there are none."""
    top = {**schema, "additionalProperties": False}
    read_only = {str(path).removeprefix("/properties/") for path in schema.get("readOnlyProperties", ())}
    all_faults = list(_find_faults(schema, top, properties, "#"))
    return all_faults + [f"#: extraneous key [{name}] is not permitted" for name in properties if name in read_only]


def _find_faults(schema: Schema, rule: Any, value: Any, place: str) -> Iterator[str]:
    rule = follow(schema, rule)
    expected = rule.get("type", ())
    kinds = [expected] if isinstance(expected, str) else list(expected)
    if kinds and not any(value_types.fits(kind, value) for kind in kinds):
        yield f"{place}: expected type: {value_types.NAMES.get(kinds[0], kinds[0])}, found: {value_types.name_type(value)}"
        return
    if isinstance(value, dict) and "properties" in rule:
        properties = rule["properties"]
        patterns = rule.get("patternProperties")
        for name, item in value.items():
            if name in properties:
                yield from _find_faults(schema, properties[name], item, f"{place}/{name}")
            elif rule.get("additionalProperties") is False and not patterns:
                yield f"{place}: extraneous key [{name}] is not permitted"
        for name in rule.get("required", ()):
            if name not in value:
                yield f"{place}: required key [{name}] not found"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_faults(schema, rule.get("items", {}), item, f"{place}/{index}")
    elif isinstance(value, dict | list) is False and "enum" in rule and str(value) not in map(str, rule["enum"]):
        yield f"{place}: {value} is not a valid enum value"
    elif isinstance(value, str | int | float) and not (isinstance(value, str) and "{{resolve:" in value):
        yield from (f"{place}: {fault}" for fault in _find_bounds_fault(rule, kinds, value))


def _find_bounds_fault(rule: Schema, kinds: list[str], value: str | float) -> Iterator[str]:
    """What a length, a pattern or a bound forbids; a number may be written as a text."""
    if "string" in kinds and not isinstance(value, bool):
        text = str(value)
        if len(text) > (longest := rule.get("maxLength", len(text))):
            yield f"expected maxLength: {longest}, actual: {len(text)}"
        if len(text) < (shortest := rule.get("minLength", 0)):
            yield f"expected minLength: {shortest}, actual: {len(text)}"
        pattern = _compile(str(rule.get("pattern", "")))
        if pattern is not None and not pattern.search(text):
            yield "failed validation constraint for keyword [pattern]"
    elif {"integer", "number"} & set(kinds):
        if float(value) > (greatest := rule.get("maximum", float(value))):
            yield f"{value} is not less or equal to {greatest}"
        if float(value) < (least := rule.get("minimum", float(value))):
            yield f"{value} is not greater or equal to {least}"


@functools.cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """The pattern of a schema; None if Python does not know its form, which is Java's: then nothing is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None


def follow(schema: Schema, rule: Any) -> Schema:
    """A rule of a schema, with its references ($ref) resolved."""
    while isinstance(rule, dict) and "$ref" in rule:
        target: Any = schema
        for part in str(rule["$ref"]).removeprefix("#/").split("/"):
            target = target.get(part, {})
        rule = target
    return rule if isinstance(rule, dict) else {}


def list_settable(schema: Schema) -> frozenset[str]:
    """The properties that a template may set."""
    read_only = {str(path).removeprefix("/properties/") for path in schema.get("readOnlyProperties", ())}
    return frozenset(schema.get("properties", {})) - read_only


def write_only(schema: Schema) -> tuple[str, ...]:
    """The paths of properties that a service never returns, like 'LoginProfile/Password'; lists do not appear in them."""
    paths = (str(path).removeprefix("/properties/") for path in schema.get("writeOnlyProperties", ()))
    return tuple(path.replace("/*", "") for path in paths)
