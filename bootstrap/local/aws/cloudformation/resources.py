"""One resource at a time within a stack's operation: create it, alter it, replace it, delete it; each step is an event.

What the stack's file says of a resource changes under the store's lock, in one piece after the adapter is done, so that a kill
between two requests leaves a file from which the step can be taken again (its requests are answered from the journal).
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any

from bootstrap.local.aws.cloudformation import (
    adapters,
    arrival,
    life_policies,
    modelled,
    replacing,
    schemas,
    signalling,
    stack_policy,
)
from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Context, StandIn
from bootstrap.local.aws.cloudformation.errors import Gone, Refused, ResourceFailed, Unchanged
from bootstrap.local.aws.cloudformation.intrinsics import Scope, resolve_dynamic
from bootstrap.local.aws.cloudformation.order import Failed
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.tags import tags_of

if TYPE_CHECKING:
    from bootstrap.local.aws.cloudformation.engine import Engine

log = logging.getLogger(__name__)

SNAPSHOT_TYPES = frozenset({"AWS::EC2::Volume", "AWS::RDS::DBInstance"})


class Work:
    """The work on the resources of one stack in its current operation."""

    def __init__(self, engine: Engine, stack: Stack) -> None:
        self._engine = engine
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self._creation: dict[str, dict[str, Any]] = {}  # CreationPolicy and UpdatePolicy by logical id
        self._update: dict[str, dict[str, Any]] = {}
        self.is_halted = False  # another resource has failed: what only waits is cancelled

    def apply(self, scope: Scope, logical: str, depends: list[str], mark: str) -> None:
        """Bring one resource to what the template says; `mark` is noted on it when it is done. Raises ResourceFailed."""
        stack, body = self._stack, scope.template.resources[logical]
        adapter = adapters.find(str(body["Type"]))
        assert adapter is not None, "types were checked before"
        with self._engine.store.lock:
            resource = stack.resources.setdefault(logical, Resource(logical, adapter.type))
        fresh = not resource.physical_id or resource.is_half_made
        try:
            self._check_cancelled("creation" if fresh else "update")
            self._creation[logical] = scope.evaluate(body.get("CreationPolicy") or {})
            self._update[logical] = scope.evaluate(body.get("UpdatePolicy") or {})
            found = scope.evaluate(body.get("Properties") or {})
            properties = found if isinstance(found, dict) else {}
            tags = tags_of(stack, adapter.type, logical, properties)
            if fresh:
                self._create(resource, adapter, properties, tags)
            else:
                self._alter(resource, adapter, properties, tags)
        except (ResourceFailed, Refused) as failure:
            current = stack.resources[logical]
            current.depends = depends
            current.deletion_policy = str(body.get("DeletionPolicy", "Delete"))
            verb = "CREATE" if fresh or current.is_half_made else "UPDATE"
            told_as = "" if fresh else "UPDATE_FAILED"  # a replacement that cannot be made is a failed update
            stack.record(f"{verb}_FAILED", str(failure), current, told_as=told_as)
            raise
        with self._engine.store.lock:
            current = stack.resources[logical]
            current.depends, current.applied_by = depends, mark
            current.deletion_policy = str(scope.evaluate(body.get("DeletionPolicy", "Delete")))
            current.update_replace_policy = str(scope.evaluate(body.get("UpdateReplacePolicy", "Delete")))
        self._engine.store.save(stack)

    def take_in(self, scope: Scope, logical: str, physical_id: str, depends: list[str]) -> None:
        """Make a resource that exists the stack's: its tags are set, nothing else of it. Raises ResourceFailed."""
        stack, body = self._stack, scope.template.resources[logical]
        adapter = adapters.find(str(body["Type"]))
        assert adapter is not None, "types were checked before"
        with self._engine.store.lock:
            resource = stack.resources.setdefault(
                logical, Resource(logical, adapter.type, physical_id, depends=depends)
            )
        stack.record("IMPORT_IN_PROGRESS", "Resource import started.", resource)
        try:
            properties = scope.evaluate(body.get("Properties") or {})
            self._check_properties(adapter.type, logical, properties)
            tags = tags_of(stack, adapter.type, logical, properties)
            context = self.context(resource, adapter, properties, tags)
            with self._engine.door.operation(f"{self._operation.id}/{logical}/import"):
                attributes = adapter.attributes(context)
                if tags:
                    adapter.tag(context, ())
        except (ResourceFailed, Refused) as failure:
            stack.record("IMPORT_FAILED", str(failure), resource)
            raise
        with self._engine.store.lock:
            resource.properties, resource.tags, resource.attributes = properties, tags, attributes
            resource.deletion_policy = str(scope.evaluate(body.get("DeletionPolicy", "Delete")))
            resource.update_replace_policy = str(scope.evaluate(body.get("UpdateReplacePolicy", "Delete")))
            stack.record("IMPORT_COMPLETE", "Resource import completed.", resource)
        self._engine.store.save(stack)

    def skip(self, logical: str) -> None:
        """Leave a resource as it is, as ResourcesToSkip asks, and count it as done."""
        resource = self._stack.resources.get(logical)
        if resource is not None:
            self._stack.record("UPDATE_COMPLETE", "Resource skipped in the rollback", resource)

    def check_removals(self, names: list[str]) -> None:
        """Refuse an update that would delete what the stack policy protects. Raises Failed."""
        denied = [name for name in names if self._denial("Update:Delete", self._stack.resources[name])]
        for name in denied:
            resource = self._stack.resources[name]
            self._stack.record("UPDATE_FAILED", self._denial("Update:Delete", resource), resource)
        if denied:
            raise Failed(denied)

    def delete(self, resource: Resource, *, kept: bool, snapshot: bool = False) -> None:
        """Delete a resource, or let it go where it is to be kept. Raises ResourceFailed."""
        stack = self._stack
        if not resource.physical_id:
            return
        if kept:
            stack.record("DELETE_SKIPPED", "", resource)
            return
        adapter = adapters.find(resource.type)
        assert adapter is not None
        stack.record("DELETE_IN_PROGRESS", "", resource)
        context = self.context(resource, adapter, resource.properties, resource.tags)
        step = f"{self._operation.id}/{resource.logical_id}/{resource.physical_id}/delete"
        try:
            self._engine.faults.resource(resource.type, "delete", resource.logical_id)
            with self._engine.door.operation(step):
                if snapshot and resource.type in SNAPSHOT_TYPES:
                    adapter.snapshot(context)
                adapter.delete(context)
        except Gone:
            log.info("%s was gone already", resource.physical_id)
        except ResourceFailed as failure:
            stack.record("DELETE_FAILED", str(failure), resource)
            raise
        stack.record("DELETE_COMPLETE", "", resource)
        self._refresh(adapter, resource.properties)

    def try_delete(self, resource: Resource, *, kept: bool, snapshot: bool) -> None:
        """Delete a resource; what cannot be deleted is left behind and said, as CloudFormation does after an update."""
        try:
            self.delete(resource, kept=kept, snapshot=snapshot)
        except ResourceFailed:
            log.warning("%s of %s is left behind", resource.physical_id, self._stack.name)

    def _check_cancelled(self, what: str) -> None:
        if self._is_cancelled:
            raise ResourceFailed(f"Resource {what} cancelled")
        if self._stack.status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
            if self._engine.is_late(self._stack):
                raise ResourceFailed(f"Resource {what} cancelled: the stack's TimeoutInMinutes is over")
            if said := self._engine.breach(self._stack):
                raise ResourceFailed(f"Resource {what} cancelled: {said}")

    def _await_signals(self, logical: str) -> None:
        wanted = life_policies.awaited(self._creation.get(logical, {}))
        if wanted is not None:
            late = self._engine.is_late
            signalling.wait(
                self._engine,
                self._stack,
                logical,
                wanted,
                lambda: self.is_halted or late(self._stack) or self._is_cancelled,
            )

    @property
    def _is_cancelled(self) -> bool:
        return bool(self._operation.cause) and self._stack.status == "UPDATE_IN_PROGRESS"

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
        paper = adapter.reason if isinstance(adapter, StandIn) else ""
        resource.type = adapter.type
        if not is_replacement:  # of which the update's own event has told
            stack.record("CREATE_IN_PROGRESS", paper, resource)
        self._engine.store.save(stack)
        self._check_properties(adapter.type, resource.logical_id, properties)
        self._engine.faults.resource(adapter.type, "create", resource.logical_id)
        context = self.context(resource, adapter, properties, tags)
        announced = False

        def initiated(physical_id: str) -> None:
            nonlocal announced
            if not announced:
                announced = True
                with self._engine.store.lock:
                    context.physical_id = resource.physical_id = physical_id
                    resource.properties, resource.tags = properties, tags
                    told_as = "UPDATE_IN_PROGRESS" if is_replacement else ""
                    stack.record("CREATE_IN_PROGRESS", "Resource creation Initiated", resource, told_as=told_as)

        context.initiated = initiated
        with self._engine.door.operation(f"{self._operation.id}/{resource.logical_id}/create/{stack.status}"):
            try:
                initiated(adapter.create(context))
            except ResourceFailed:
                if context.physical_id:  # it is there, and must go with the rollback
                    initiated(context.physical_id)
                raise
            if tags:
                adapter.tag(context, ())
            attributes = adapter.attributes(context)
        self._await_signals(resource.logical_id)
        with self._engine.store.lock:
            resource.attributes = attributes
            done = "UPDATE_COMPLETE" if is_replacement else "CREATE_COMPLETE"
            stack.record(done, self._said(adapter, resource.logical_id, properties), resource)
        self._refresh(adapter, properties)

    def _refresh(self, adapter: Adapter, properties: dict[str, Any]) -> None:
        """Read again what a resource that came or went has changed about those that it names."""
        for name in adapter.moves:
            for other in list(self._stack.resources.values()):
                theirs = adapters.find(other.type)
                if theirs is not None and other.physical_id and other.physical_id == properties.get(name):
                    context = self.context(other, theirs, other.properties, other.tags)
                    try:
                        found = theirs.attributes(context)
                    except ResourceFailed:  # it goes too, and nothing will ask for it
                        continue
                    with self._engine.store.lock:
                        other.attributes = found

    def _alter(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> None:
        if resource.status == "CREATE_FAILED":  # what is there of it is not to be trusted, and may hold the name
            self.delete(resource, kept=False)
            with self._engine.store.lock:
                resource.physical_id, resource.attributes = "", {}
            self._create(resource, adapter, properties, tags)
            return
        same = resource.type == adapter.type and properties == resource.properties and tags == resource.tags
        if same and not resource.attempted and not adapter.always_looks:
            return
        if resource.type != adapter.type or self._must_replace(resource, adapter, properties):
            self._check_policy("Update:Replace", resource)
            self._replace(resource, adapter, properties, tags)
            return
        if not same:
            self._check_policy("Update:Modify", resource)
        stack = self._stack
        stack.record("UPDATE_IN_PROGRESS", "", resource)
        self._engine.store.save(stack)
        self._check_properties(adapter.type, resource.logical_id, properties)
        self._engine.faults.resource(adapter.type, "update", resource.logical_id)
        context = self.context(resource, adapter, properties, tags)
        attributes = self._change(resource, adapter, context, properties)
        with self._engine.store.lock:
            resource.properties, resource.tags, resource.attributes = properties, tags, attributes
            resource.attempted = {}
            stack.record("UPDATE_COMPLETE", self._said(adapter, resource.logical_id, properties), resource)

    def _change(self, resource: Resource, adapter: Adapter, to: Context, properties: dict[str, Any]) -> dict[str, Any]:
        stack = self._stack
        tag_name = schemas.tag_property(schemas.load(adapter.type, stack.region) or {})
        changed = to.changed - {tag_name}
        try:
            with self._engine.door.operation(f"{self._operation.id}/{resource.logical_id}/update/{stack.status}"):
                # On the way back from a change that the service never took, there is nothing to undo.
                is_there = resource.attempted and not arrival.missing(to, changed)
                if adapter.always_looks or (changed and not is_there):
                    adapter.update(to)
                if to.tags != resource.tags:
                    adapter.tag(to, sorted(resource.tags.keys() - to.tags.keys()))
                if dropped := arrival.missing(to, changed):
                    names = ", ".join(dropped)
                    raise ResourceFailed(f"The local cloud took the change of {names} and did not make it")
                return adapter.attributes(to)
        except Unchanged:
            raise
        except ResourceFailed:
            resource.attempted = properties  # some of it may have arrived: the way back undoes all of it
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
        with self._engine.store.lock:
            stack.superseded.append(copy.deepcopy(resource))
            stack.resources[resource.logical_id] = new
        self._engine.store.save(stack)
        self._create(new, adapter, properties, tags, is_replacement=True)

    def _must_replace(self, resource: Resource, adapter: Adapter, properties: dict[str, Any]) -> bool:
        schema = schemas.load(adapter.type, self._stack.region) or {}
        verdicts = set()
        for name in resource.properties.keys() | properties.keys():
            before, after = resource.properties.get(name), properties.get(name)
            if before != after:
                verdicts.add(schemas.recreation(schema, name, before, after))
        changed = self.context(resource, adapter, properties, resource.tags).changed
        policy = self._update.get(resource.logical_id, {})
        if "Always" in verdicts or life_policies.replaces_group(adapter.type, policy, changed):
            return True
        return "Conditionally" in verdicts and adapter.replaces(
            self.context(resource, adapter, properties, resource.tags)
        )

    def _denial(self, action: str, resource: Resource) -> str:
        if self._stack.status != "UPDATE_IN_PROGRESS":
            return ""
        policy = self._operation.policy or self._stack.policy
        return stack_policy.denial(policy, action, resource.logical_id, resource.type)

    def _check_policy(self, action: str, resource: Resource) -> None:
        said = self._denial(action, resource)
        if said:
            raise ResourceFailed(said)

    def _check_properties(self, kind: str, logical: str, properties: dict[str, Any]) -> None:
        schema = schemas.load(kind, self._stack.region)
        faults = schemas.faults(schema, properties) if schema else []
        if faults:
            said = "\n".join(faults)
            raise ResourceFailed(f"Properties validation failed for resource {logical} with message:\n{said}")

    def context(
        self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]
    ) -> Context:
        """What the adapter is given."""
        lookup = self._engine.scopes.dynamic(self._stack.region)
        return Context(
            type=adapter.type,
            logical_id=resource.logical_id,
            stack_name=self._stack.name,
            stack_id=self._stack.id,
            region=self._stack.region,
            account=self._stack.account,
            operation=self._operation.id,
            properties=resolve_dynamic(properties, lookup),
            client=self._engine.client,
            initiated=lambda _: None,
            tags=tags,
            physical_id=resource.physical_id,
            attributes=resource.attributes,
            old=_resolved(resource.attempted or resource.properties, lookup),
            nested=self._engine,
            is_signalled="ResourceSignal" in self._creation.get(resource.logical_id, {}),
            cancelled=lambda: self.is_halted or self._engine.is_late(self._stack) or self._is_cancelled,
            policy=self._update.get(resource.logical_id, {}),
            tell=lambda words: self._stack.record(resource.status, words, resource),
            signals=lambda: signalling.of(self._engine, self._operation, resource.logical_id),
        )

    def _said(self, adapter: Adapter, logical: str, properties: dict[str, Any]) -> str:
        """What a resource that is complete has to say: that it is on paper only, or what of it does nothing."""
        if isinstance(adapter, StandIn):
            return adapter.reason
        notes = (modelled.note(adapter.type, properties), life_policies.note(self._update.get(logical, {})))
        return "; ".join(note for note in notes if note)


def _resolved(properties: dict[str, Any], lookup: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = resolve_dynamic(properties, lookup)
    except ResourceFailed:
        return properties  # what it referred to is gone; the difference is one anyway
    return found
