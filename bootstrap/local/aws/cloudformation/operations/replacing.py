"""Replacement: whether a change needs a new physical resource, and whether it can exist at the same time as the old one."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.errors import ResourceFailed
from bootstrap.local.aws.cloudformation.operations import life_policies
from bootstrap.local.aws.cloudformation.store import Resource
from bootstrap.local.aws.cloudformation.template import schemas


def must_replace(adapter: Adapter, to: Context, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether a change from `before` to `after` replaces the resource, by its schema, its UpdatePolicy or its adapter."""
    schema = schemas.load(adapter.type, to.region) or {}
    verdicts = {
        schemas.judge_recreation(schema, name, before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    if "Always" in verdicts or life_policies.replaces_group(adapter.type, to.policy, to.changed):
        return True
    return "Conditionally" in verdicts and adapter.replaces(to)


def check_custom_name(resource: Resource, properties: dict[str, Any]) -> None:
    """Raise ResourceFailed if a resource with a custom name would be replaced: two resources cannot have the same name."""
    for name, value in properties.items():
        if value == resource.physical_id == resource.properties.get(name):
            raise ResourceFailed(
                f"CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {resource.physical_id} and update the stack again."
            )
