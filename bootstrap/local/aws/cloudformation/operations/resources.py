"""Creates, updates, replaces or imports one resource in a stack's operation; each step is an event.

The state of a resource in the stack's file is changed once, under the store's lock, after the adapter has finished. So after a
kill between two requests, the step can be repeated from the file: the journal has the answers of the requests that were made
already.
"""

from __future__ import annotations

import copy
from typing import Any

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.adapters.base import Adapter, StandIn
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.comparison import applied_properties, modelled_properties
from bootstrap.local.aws.cloudformation.errors import Refused, ResourceFailed, Unchanged
from bootstrap.local.aws.cloudformation.operations import life_policies, replacing
from bootstrap.local.aws.cloudformation.operations.deleting import Deleter
from bootstrap.local.aws.cloudformation.operations.resource_contexts import ResourceContexts
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.operations.signalling import ResourceSignals
from bootstrap.local.aws.cloudformation.operations.step_checks import StepChecks
from bootstrap.local.aws.cloudformation.operations.tags import make_tags
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.template import schemas
from bootstrap.local.aws.cloudformation.template.intrinsics import Scope


class Work:
    """The work on the resources of one stack in its current operation."""

    def __init__(
        self,
        services: Services,
        stack: Stack,
        checks: StepChecks,
        signals: ResourceSignals,
        contexts: ResourceContexts,
        deleter: Deleter,
    ) -> None:
        self._services = services
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self._checks = checks
        self._signals = signals
        self._contexts = contexts
        self._deleter = deleter

    def apply(self, scope: Scope, logical: str, depends: list[str], mark: str) -> None:
        """Bring one resource to the template; `mark` is stored as `applied_by` when it is done. Raises ResourceFailed."""
        stack, body = self._stack, scope.template.resources[logical]
        adapter = adapters.find(str(body["Type"]))
        assert adapter is not None, "types were checked before"
        with self._services.store.lock:
            # A rollback deletes in the order of `depends`, also if the creation ends in an error of this engine.
            resource = stack.resources.setdefault(logical, Resource(logical, adapter.type, depends=depends))
        is_new = not resource.physical_id or resource.is_half_made
        try:
            if (
                not resource.is_half_made
            ):  # after a restart, what was begun is ended, so that it is known and can be deleted
                self._checks.check_cancelled("creation" if is_new else "update")
            self._contexts.read_policies(scope, logical)
            evaluated = scope.evaluate(body.get("Properties") or {})
            properties = evaluated if isinstance(evaluated, dict) else {}
            tags = make_tags(stack, adapter.type, logical, properties)
            if is_new:
                self._create(resource, adapter, properties, tags)
            else:
                self._update(resource, adapter, properties, tags)
        except (ResourceFailed, Refused) as failure:
            current = stack.resources[logical]
            current.depends = depends
            current.deletion_policy = str(body.get("DeletionPolicy", life_policies.find_default_deletion_policy(body)))
            verb = "CREATE" if is_new or current.is_half_made else "UPDATE"
            event_status = "" if is_new else "UPDATE_FAILED"  # a replacement that cannot be created is a failed update
            stack.record(f"{verb}_FAILED", str(failure), current, event_status=event_status)
            raise
        with self._services.store.lock:
            current = stack.resources[logical]
            current.depends, current.applied_by = depends, mark
            self._set_retention(current, scope, body)
        self._services.store.save(stack)

    def import_resource(self, scope: Scope, logical: str, physical_id: str, depends: list[str]) -> None:
        """Import an existing resource into the stack: only its tags are changed. Raises ResourceFailed."""
        stack, body = self._stack, scope.template.resources[logical]
        adapter = adapters.find(str(body["Type"]))
        assert adapter is not None, "types were checked before"
        with self._services.store.lock:
            resource = stack.resources.setdefault(
                logical, Resource(logical, adapter.type, physical_id, depends=depends)
            )
        stack.record("IMPORT_IN_PROGRESS", "Resource import started.", resource)
        try:
            properties = scope.evaluate(body.get("Properties") or {})
            self._checks.check_properties(adapter.type, logical, properties)
            tags = make_tags(stack, adapter.type, logical, properties)
            context = self._contexts.make(resource, adapter, properties, tags)
            with self._services.door.enter_operation(f"{self._operation.id}/{logical}/import"):
                attributes = adapter.read_attributes(context)
                if tags:
                    adapter.tag(context, ())
        except (ResourceFailed, Refused) as failure:
            stack.record("IMPORT_FAILED", str(failure), resource)
            raise
        with self._services.store.lock:
            resource.properties, resource.tags, resource.attributes = properties, tags, attributes
            self._set_retention(resource, scope, body)
            stack.record("IMPORT_COMPLETE", "Resource import completed.", resource)
        self._services.store.save(stack)

    def skip(self, logical: str) -> None:
        """Do not change a resource of ResourcesToSkip, and count it as done."""
        resource = self._stack.resources.get(logical)
        if resource is not None:
            self._stack.record("UPDATE_COMPLETE", "Resource skipped in the rollback", resource)

    def _set_retention(self, resource: Resource, scope: Scope, body: dict[str, Any]) -> None:
        default = life_policies.find_default_deletion_policy(body)
        resource.deletion_policy = str(scope.evaluate(body.get("DeletionPolicy", default)))
        resource.update_replace_policy = str(scope.evaluate(body.get("UpdateReplacePolicy", "Delete")))

    def _await_signals(self, logical: str) -> None:
        expected = life_policies.read_awaited(self._contexts.evaluate_creation_policy(logical))
        if expected is not None:
            self._signals.wait(logical, expected, lambda: self._checks.is_cancelled)

    def _create(
        self,
        resource: Resource,
        adapter: Adapter,
        properties: dict[str, Any],
        tags: dict[str, str],
        *,
        is_replacement: bool = False,
    ) -> None:
        stack = self._stack
        stand_in_reason = adapter.reason if isinstance(adapter, StandIn) else ""
        resource.type = adapter.type
        if not is_replacement:  # its update has an event already
            stack.record("CREATE_IN_PROGRESS", stand_in_reason, resource)
        self._services.store.save(stack)
        self._checks.check_properties(adapter.type, resource.logical_id, properties)
        self._checks.check_faults(adapter.type, "create", resource.logical_id)
        context = self._contexts.make(resource, adapter, properties, tags)
        if is_replacement:
            self._note_displaced(context, adapter)
        is_announced = False

        def record_initiated(physical_id: str) -> None:
            nonlocal is_announced
            if not is_announced:
                is_announced = True
                with self._services.store.lock:
                    context.physical_id = resource.physical_id = physical_id
                    resource.properties, resource.tags = properties, tags
                    event_status = "UPDATE_IN_PROGRESS" if is_replacement else ""
                    stack.record(
                        "CREATE_IN_PROGRESS", "Resource creation Initiated", resource, event_status=event_status
                    )

        context.initiated = record_initiated
        # The same key after a restart, also if a deletion was asked for meanwhile: the journal knows what was made.
        phase = "CREATE_IN_PROGRESS" if self._operation.deletion else stack.status
        with self._services.door.enter_operation(f"{self._operation.id}/{resource.logical_id}/create/{phase}"):
            try:
                record_initiated(adapter.create(context))
            except ResourceFailed:
                if context.physical_id:  # it exists, and the rollback must delete it
                    record_initiated(context.physical_id)
                raise
            if tags:
                adapter.tag(context, ())
            attributes = adapter.read_attributes(context)
        self._await_signals(resource.logical_id)
        with self._services.store.lock:
            resource.attributes = attributes
            status = "UPDATE_COMPLETE" if is_replacement else "CREATE_COMPLETE"
            stack.record(status, self._note(adapter, resource.logical_id, properties), resource)
        self._contexts.refresh_named(adapter, properties)

    def _update(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> None:
        if resource.status == "CREATE_FAILED":  # it may be incomplete, and a new one may need its name
            self._deleter.delete(resource, kept=False)
            with self._services.store.lock:
                resource.physical_id, resource.attributes = "", {}
            self._create(resource, adapter, properties, tags)
            return
        is_same = resource.type == adapter.type and properties == resource.properties and tags == resource.tags
        if is_same and not resource.attempted and not adapter.always_looks:
            if adapter.displaces and self._is_restored(resource):
                self._create_again(resource, adapter)
            return
        if resource.type != adapter.type or self._must_replace(resource, adapter, properties):
            self._checks.check_policy("Update:Replace", resource)
            self._replace(resource, adapter, properties, tags)
            return
        if not is_same:
            self._checks.check_policy("Update:Modify", resource)
        stack = self._stack
        stack.record("UPDATE_IN_PROGRESS", "", resource)
        self._services.store.save(stack)
        self._checks.check_properties(adapter.type, resource.logical_id, properties)
        self._checks.check_faults(adapter.type, "update", resource.logical_id)
        context = self._contexts.make(resource, adapter, properties, tags)
        attributes = self._update_in_place(resource, adapter, context, properties)
        with self._services.store.lock:
            resource.properties, resource.tags, resource.attributes = properties, tags, attributes
            resource.attempted = {}
            stack.record("UPDATE_COMPLETE", self._note(adapter, resource.logical_id, properties), resource)

    def _update_in_place(
        self, resource: Resource, adapter: Adapter, to: Context, properties: dict[str, Any]
    ) -> dict[str, Any]:
        stack = self._stack
        tag_name = schemas.find_tag_property(schemas.load(adapter.type, stack.region) or {})
        changed = to.changed - {tag_name}
        try:
            with self._services.door.enter_operation(
                f"{self._operation.id}/{resource.logical_id}/update/{stack.status}"
            ):
                # A rollback need not undo a change that the service never applied.
                has_arrived = resource.attempted and not applied_properties.list_missing(to, changed)
                if adapter.always_looks or (changed and not has_arrived):
                    adapter.update(to)
                if to.tags != resource.tags:
                    adapter.tag(to, sorted(resource.tags.keys() - to.tags.keys()))
                if dropped := applied_properties.list_missing(to, changed):
                    names = ", ".join(dropped)
                    raise ResourceFailed(f"The local cloud took the change of {names} and did not make it")
                return adapter.read_attributes(to)
        except Unchanged:
            raise
        except ResourceFailed:
            resource.attempted = properties  # a part of the change may be applied: the rollback undoes all of it
            raise

    def _replace(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> None:
        stack = self._stack
        stack.record(
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating one.",
            resource,
        )
        replacing.check_custom_name(resource, properties)
        new = Resource(
            resource.logical_id,
            adapter.type,
            status="CREATE_IN_PROGRESS",
            deletion_policy=resource.deletion_policy,
            depends=resource.depends,
        )
        with self._services.store.lock:
            stack.superseded.append(copy.deepcopy(resource))
            stack.resources[resource.logical_id] = new
        self._services.store.save(stack)
        self._create(new, adapter, properties, tags, is_replacement=True)

    def _note_displaced(self, to: Context, adapter: Adapter) -> None:
        """Let the context have the id and the properties of the resource whose place it takes; none for most types."""
        others = [other for other in self._stack.superseded if other.logical_id == to.logical_id]
        if adapter.displaces and others:
            to.displaced, to.old = others[-1].physical_id, others[-1].properties

    def _is_restored(self, resource: Resource) -> bool:
        """Whether a rollback makes the resource current again, in the place of its replacement."""
        replacements = {other.logical_id for other in self._stack.superseded}
        return self._operation.is_restored and resource.logical_id in replacements

    def _create_again(self, resource: Resource, adapter: Adapter) -> None:
        """Create a resource that its replacement ended; it may get another physical id."""
        stack = self._stack
        stack.record("UPDATE_IN_PROGRESS", "", resource)
        context = self._contexts.make(resource, adapter, resource.properties, resource.tags)
        self._note_displaced(context, adapter)
        with self._services.door.enter_operation(f"{self._operation.id}/{resource.logical_id}/restore"):
            physical_id = adapter.create(context)
            context.physical_id = physical_id
            attributes = adapter.read_attributes(context)
        with self._services.store.lock:
            resource.physical_id, resource.attributes = physical_id, attributes
            stack.record("UPDATE_COMPLETE", "", resource)

    def _must_replace(self, resource: Resource, adapter: Adapter, properties: dict[str, Any]) -> bool:
        context = self._contexts.make(resource, adapter, properties, resource.tags)
        return replacing.must_replace(adapter, context, resource.properties, properties)

    def _note(self, adapter: Adapter, logical: str, properties: dict[str, Any]) -> str:
        """The reason for a resource's last event: that it is a stand-in, or its properties and policies without effect."""
        if isinstance(adapter, StandIn):
            return adapter.reason
        notes = (
            modelled_properties.note(adapter.type, properties),
            life_policies.note(self._contexts.update_policy(logical)),
        )
        return "; ".join(note for note in notes if note)
