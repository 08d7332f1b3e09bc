"""The tags that a resource gets: the stack's, its own, and those that CloudFormation adds."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.store import Stack
from bootstrap.local.aws.cloudformation.template import schemas
from bootstrap.local.aws.cloudformation.template.intrinsics import text_of


def tags_of(stack: Stack, kind: str, logical: str, properties: dict[str, Any]) -> dict[str, str]:
    """The tags of a resource: the stack's, its own, and those that CloudFormation adds; none for a type without tags."""
    schema = schemas.load(kind, stack.region) or {}
    name = schemas.tag_property(schema)
    if not name:
        return {}
    own = properties.get(name) or []
    listed = own.items() if isinstance(own, dict) else ((tag["Key"], tag["Value"]) for tag in own)
    return {
        **{key: text_of(value) for key, value in stack.wanted.tags.items()},
        **{str(key): text_of(value) for key, value in listed},
        "aws:cloudformation:stack-name": stack.name,
        "aws:cloudformation:stack-id": stack.id,
        "aws:cloudformation:logical-id": logical,
    }
