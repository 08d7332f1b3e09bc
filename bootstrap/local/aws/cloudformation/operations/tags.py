"""The tags that a resource gets: the stack's, its own, and those that CloudFormation adds."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.store import Stack
from bootstrap.local.aws.cloudformation.template import forms, schemas
from bootstrap.local.aws.cloudformation.template.intrinsics import format_text
from bootstrap.local.aws.cloudformation.template.value_types import name_type

MOST = 50  # tags that a person may give to a stack or a resource
KEY_LENGTH = 128
VALUE_LENGTH = 256


def make_tags(stack: Stack, kind: str, logical: str, properties: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a resource: the stack's, its own, and those that CloudFormation adds; none for a type without tags.

    Raises Refused for tags that the service would refuse.
    """
    schema = schemas.load(kind, stack.region) or {}
    name = schemas.find_tag_property(schema)
    if not name:
        return {}
    try:
        own = check_tags(_list_tags(properties.get(name) or [], name))
    except Refused as refusal:
        raise Refused(f"Properties validation failed for resource {logical} with message:\n{refusal.message}") from None
    return {
        **{key: format_text(value) for key, value in stack.wanted.tags.items()},
        **own,
        "aws:cloudformation:stack-name": stack.name,
        "aws:cloudformation:stack-id": stack.id,
        "aws:cloudformation:logical-id": logical,
    }


def check_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return tags by key; raises Refused for a key that is given twice, reserved or too long, or for too many tags."""
    tags = dict(pairs)
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1}) if len(tags) < len(pairs) else []
    if repeated:
        raise Refused(f"Duplicate tag keys found: [{', '.join(repeated)}]")
    if any(key.lower().startswith("aws:") for key in keys):
        raise Refused("aws: prefixed tag key names are not allowed for external use.")
    if len(tags) > MOST:
        raise Refused(f"The number of tags, {len(tags)}, is greater than maximum allowed, {MOST}")
    for key, value in pairs:
        if not 1 <= len(key) <= KEY_LENGTH or len(value) > VALUE_LENGTH:
            raise Refused(
                f"The key of a tag must have 1 to {KEY_LENGTH} characters, its value {VALUE_LENGTH} at most: {key[:KEY_LENGTH]}"
            )
    return tags


def _list_tags(written: Any, name: str) -> list[tuple[str, str]]:
    """Return the tags of a property, a list of Key and Value or a map; raises Refused for another form."""
    if isinstance(written, dict):
        entries = [{"Key": key, "Value": value} for key, value in written.items()]
    elif isinstance(written, list):
        entries = written
    else:
        raise Refused(f"#/{name}: expected type: JSONArray, found: {name_type(written)}")
    pairs = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise Refused(f"#/{name}/{index}: expected type: JSONObject, found: {name_type(entry)}")
        for part in ("Key", "Value"):
            if part not in entry:
                raise Refused(f"#/{name}/{index}: required key [{part}] not found")
            if not forms.is_text(entry[part]):
                raise Refused(f"#/{name}/{index}/{part}: expected type: String, found: {name_type(entry[part])}")
        pairs.append((format_text(entry["Key"]), format_text(entry["Value"])))
    return pairs
