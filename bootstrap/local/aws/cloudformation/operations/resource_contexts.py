"""Makes the context that an adapter gets for a resource, and reads attributes again after other resources changed them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.stack_operations import StackOperations
from bootstrap.local.aws.cloudformation.errors import ResourceFailed
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.operations.signalling import ResourceSignals
from bootstrap.local.aws.cloudformation.operations.step_checks import StepChecks
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.template.intrinsics import Scope, resolve_dynamic


class ResourceContexts:
    """The contexts of one stack's resources in its current operation."""

    def __init__(
        self,
        services: Services,
        stacks: StackOperations,
        stack: Stack,
        checks: StepChecks,
        signals: ResourceSignals,
    ) -> None:
        self._services = services
        self._stacks = stacks
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self._checks = checks
        self._signals = signals
        self._creation: dict[str, dict[str, Any]] = {}  # CreationPolicy by logical id
        self._update: dict[str, dict[str, Any]] = {}  # UpdatePolicy by logical id
        self._refreshing = threading.Lock()

    def read_policies(self, scope: Scope, logical: str) -> None:
        """Evaluate the CreationPolicy and UpdatePolicy of a resource."""
        body = scope.template.resources[logical]
        self._creation[logical] = scope.evaluate(body.get("CreationPolicy") or {})
        self._update[logical] = scope.evaluate(body.get("UpdatePolicy") or {})

    def evaluate_creation_policy(self, logical: str) -> dict[str, Any]:
        """The evaluated CreationPolicy of a resource."""
        return self._creation.get(logical, {})

    def update_policy(self, logical: str) -> dict[str, Any]:
        """The evaluated UpdatePolicy of a resource."""
        return self._update.get(logical, {})

    def make(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> Context:
        """Make the context of a resource; raises ResourceFailed for a dynamic reference that cannot be resolved."""
        lookup = self._services.scopes.make_dynamic_lookup(self._stack.region)
        return Context(
            type=adapter.type,
            logical_id=resource.logical_id,
            stack_name=self._stack.name,
            stack_id=self._stack.id,
            region=self._stack.region,
            account=self._stack.account,
            operation=self._operation.id,
            properties=resolve_dynamic(properties, lookup),
            client=self._services.client,
            unasked=self._services.door.callers.use_service,
            initiated=lambda _: None,
            stacks=self._stacks,
            tags=tags,
            physical_id=resource.physical_id,
            attributes=resource.attributes,
            old=_resolve_if_possible(resource.attempted or resource.properties, lookup),
            is_signalled="ResourceSignal" in self.evaluate_creation_policy(resource.logical_id),
            cancelled=lambda: self._checks.is_cancelled,
            policy=self.update_policy(resource.logical_id),
            tell=lambda reason: self._stack.record(resource.status, reason, resource),
            signals=lambda: self._signals.read(resource.logical_id),
        )

    def refresh_named(self, adapter: Adapter, properties: dict[str, Any]) -> None:
        """Read the attributes again of resources that a created or deleted resource names, and so has changed.

        One at a time: of two readers, the one that read first could write last, and the later change would be lost.
        """
        for name in adapter.moves:
            for resource in list(self._stack.resources.values()):
                other_adapter = adapters.find(resource.type)
                if other_adapter is not None and resource.physical_id and resource.physical_id == properties.get(name):
                    with self._refreshing:
                        self._refresh(resource, other_adapter)

    def _refresh(self, resource: Resource, adapter: Adapter) -> None:
        context = self.make(resource, adapter, resource.properties, resource.tags)
        try:
            attributes = adapter.read_attributes(context)
        except ResourceFailed:  # it is deleted too, and its attributes are not needed any more
            return
        with self._services.store.lock:
            resource.attributes = attributes


def _resolve_if_possible(properties: dict[str, Any], lookup: Callable[[str, str], str]) -> dict[str, Any]:
    try:
        resolved: dict[str, Any] = resolve_dynamic(properties, lookup)
    except ResourceFailed:
        return properties  # the target of a reference was deleted; the properties differ from the new ones in any case
    return resolved
