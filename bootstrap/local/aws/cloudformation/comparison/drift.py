"""Drift: whether a resource of a stack still exists, and has the properties of its template.

A type whose properties cannot be read back (`reading`) is NOT_CHECKED, except if the resource does not exist. Write-only
properties of the type's schema, and properties that the local cloud does not model, are not compared.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation import adapters, reading
from bootstrap.local.aws.cloudformation.adapters.base import StandIn
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.stack_operations import StackOperations
from bootstrap.local.aws.cloudformation.comparison import applied_properties
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed
from bootstrap.local.aws.cloudformation.store import Resource, Stack

log = logging.getLogger(__name__)

Client = Callable[[str, str], Any]  # by service and region


def detect(client: Client, stacks: StackOperations, stack: Stack, resource: Resource) -> dict[str, Any]:
    """Compare one resource with its template; the result has the form of the API."""
    result: dict[str, Any] = {"Timestamp": time.time(), "StackResourceDriftStatus": "NOT_CHECKED"}
    adapter = adapters.find(resource.type)
    if adapter is None or isinstance(adapter, StandIn):
        return result
    to = _make_context(client, stacks, stack, resource)
    try:
        if resource.type not in reading.READS:
            adapter.read_attributes(to)
            return result if adapter.exists(to) else {**result, "StackResourceDriftStatus": "DELETED"}
        actual = reading.read_properties(to)
    except Gone:
        return {**result, "StackResourceDriftStatus": "DELETED"}
    except ResourceFailed as failure:
        log.warning("reading %s back: %s", resource.logical_id, failure)
        return result
    differing = applied_properties.find_differences(resource.type, stack.region, resource.properties, actual)
    visible = {name: actual.get(name) for name in resource.properties if name in actual}
    result["StackResourceDriftStatus"] = "MODIFIED" if differing else "IN_SYNC"
    result["PropertyDifferences"] = differing
    result["ExpectedProperties"] = json.dumps(resource.properties)
    result["ActualProperties"] = json.dumps(visible, default=str)
    return result


def _make_context(client: Client, stacks: StackOperations, stack: Stack, resource: Resource) -> Context:
    return Context(
        resource.type,
        resource.logical_id,
        stack.name,
        stack.id,
        stack.region,
        stack.account,
        "drift",
        resource.properties,
        client,
        lambda _: None,
        stacks,
        physical_id=resource.physical_id,
        attributes=resource.attributes,
        tags=resource.tags,
    )
