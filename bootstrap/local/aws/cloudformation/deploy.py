"""Brings a stack's resources to what its template says: in order of their dependencies, independent ones side by side."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bootstrap.local.aws.cloudformation import adapters, order, schemas
from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Context, StandIn
from bootstrap.local.aws.cloudformation.errors import Gone, Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.intrinsics import NOTHING, Scope, resolve_dynamic, text_of
from bootstrap.local.aws.cloudformation.order import Failed
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.tags import tags_of
from bootstrap.local.aws.cloudformation.template import dependencies

if TYPE_CHECKING:
    from bootstrap.local.aws.cloudformation.engine import Engine

log = logging.getLogger(__name__)

SNAPSHOT_TYPES = frozenset({"AWS::EC2::Volume", "AWS::RDS::DBInstance"})


class Deployment:
    """One operation's work on one stack."""

    def __init__(self, engine: Engine, stack: Stack) -> None:
        self._engine = engine
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self._scope = self._new_scope()

    def _new_scope(self) -> Scope:
        return self._engine.scopes.of(self._stack, self._stack.wanted, self._stack.region)

    def apply(self, *, is_rollback: bool = False, skip: set[str] | None = None) -> None:
        """Create and alter until every wanted resource is as its template says. Raises Failed."""
        self._scope = self._new_scope()
        try:
            graph = dependencies(self._scope.template, self._scope.present())
        except Refused as refusal:
            raise Failed([], refusal.message) from None
        mark = f"{self._operation.id}{'/rollback' if is_rollback else ''}"

        def work(logical: str) -> None:
            if logical in (skip or ()):
                return
            resource = self._stack.resources.get(logical)
            if resource is None or resource.applied_by != mark:
                self._apply_one(logical, sorted(graph[logical]), mark)

        self._run(graph, work, stop_early=True)

    def publish(self) -> None:
        """Evaluate the outputs. Raises Failed when an export's name is taken, or still used and gone."""
        scope, stack = self._scope, self._stack
        try:
            made = {name: self._output(scope, body) for name, body in scope.template.section("Outputs").items()}
        except Refused as refusal:
            raise Failed([], refusal.message) from None
        outputs = {name: output for name, output in made.items() if output}
        self._check_exports(outputs)
        stack.outputs = outputs
        stack.imports = sorted({text_of(scope.evaluate(name)) for name in imports_of(scope.template.document, scope)})

    def remove(self, names: set[str], *, retain: set[str] | None = None, is_rollback: bool = False) -> None:
        """Delete resources, each before those that it needs. Raises Failed."""
        stack = self._stack
        for export in [output.get("ExportName") for output in stack.outputs.values()]:
            users = self._engine.scopes.importers(export, stack.region) if export and not is_rollback else []
            if users:
                raise Failed([], f"Export {export} cannot be deleted as it is in use by {', '.join(users)}")
        graph: dict[str, set[str]] = {name: set() for name in names}
        for name in names:
            for need in stack.resources[name].depends:
                if need in graph:
                    graph[need].add(name)

        def work(name: str) -> None:
            resource = stack.resources[name]
            kept = name in (retain or ()) or _keeps(resource.deletion_policy, is_rollback=is_rollback)
            self._delete_one(resource, kept=kept, snapshot=resource.deletion_policy == "Snapshot" and not is_rollback)
            with self._engine.store.lock:
                stack.resources.pop(name, None)
            self._engine.store.save(stack)

        self._run(graph, work, stop_early=False)
        self.clean_up(is_rollback=is_rollback)

    def clean_up(self, *, is_rollback: bool = False) -> None:
        """Delete what an update left behind; what cannot be deleted is left there and said, as CloudFormation does."""
        stack = self._stack
        gone = set(stack.resources) - self._scope.present() if self._operation.kind in {"UPDATE", "ROLLBACK"} else set()
        for name in self._in_delete_order(gone):
            resource = stack.resources[name]
            created_now = is_rollback and resource.applied_by == self._operation.id
            kept = _keeps(resource.deletion_policy, is_rollback=created_now)
            self._try_delete(resource, kept=kept, snapshot=resource.deletion_policy == "Snapshot" and not is_rollback)
            stack.resources.pop(name, None)
            self._engine.store.save(stack)
        while stack.superseded:
            resource = stack.superseded[-1]
            kept = _keeps(resource.update_replace_policy, is_rollback=is_rollback)
            self._try_delete(
                resource, kept=kept, snapshot=resource.update_replace_policy == "Snapshot" and not is_rollback
            )
            stack.superseded.pop()
            self._engine.store.save(stack)

    def restore_superseded(self) -> None:
        """In a rollback: what had been replaced is current again, and the replacement is to be deleted."""
        replaced, self._stack.superseded = self._stack.superseded, []
        for old in replaced:
            current = self._stack.resources.get(old.logical_id)
            self._stack.resources[old.logical_id] = old
            if current is not None and current.physical_id and current.physical_id != old.physical_id:
                current.update_replace_policy = "Delete"
                self._stack.superseded.append(current)
        self._engine.store.save(self._stack)

    # one resource

    def _apply_one(self, logical: str, depends: list[str], mark: str) -> None:
        body = self._scope.template.resources[logical]
        resource = self._stack.resources.get(logical)
        adapter = adapters.find(str(body["Type"]))
        assert adapter is not None, "types were checked before"
        fresh = resource is None or not resource.physical_id
        if resource is None:
            resource = self._stack.resources.setdefault(logical, Resource(logical, adapter.type))
        try:
            self._check_cancelled()
            properties = self._properties(body)
            tags = self._tags(adapter.type, logical, properties)
            if fresh:
                self._create(resource, adapter, properties, tags)
            else:
                self._alter(resource, adapter, properties, tags)
        except (ResourceFailed, Refused) as failure:
            current = self._stack.resources[logical]
            verb = "UPDATE" if self._operation.kind != "CREATE" and not fresh else "CREATE"
            current.depends = depends
            current.deletion_policy = str(body.get("DeletionPolicy", "Delete"))
            self._stack.record(f"{verb}_FAILED", str(failure), current)
            raise
        current = self._stack.resources[logical]
        current.depends, current.applied_by = depends, mark
        current.deletion_policy = str(self._scope.evaluate(body.get("DeletionPolicy", "Delete")))
        current.update_replace_policy = str(self._scope.evaluate(body.get("UpdateReplacePolicy", "Delete")))
        self._engine.store.save(self._stack)

    def _check_cancelled(self) -> None:
        if self._operation.cause and self._stack.status == "UPDATE_IN_PROGRESS":
            raise ResourceFailed("Resource update cancelled")

    def _create(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> None:
        stack = self._stack
        resource.type = adapter.type
        stack.record("CREATE_IN_PROGRESS", adapter.reason if isinstance(adapter, StandIn) else "", resource)
        self._engine.store.save(stack)
        self._check_properties(adapter.type, resource.logical_id, properties)
        self._check_fault(adapter.type)
        step = f"{self._operation.id}/{resource.logical_id}/create/{stack.status}"
        context = self._context(resource, adapter, properties, tags)
        announced = False

        def initiated(physical_id: str) -> None:
            nonlocal announced
            if not announced:
                announced = True
                context.physical_id = resource.physical_id = physical_id
                stack.record("CREATE_IN_PROGRESS", "Resource creation Initiated", resource)

        context.initiated = initiated
        with self._engine.door.operation(step):
            initiated(adapter.create(context))
            resource.properties, resource.tags = properties, tags
            if tags:
                adapter.tag(context, ())
            resource.attributes = adapter.attributes(context)
        stack.record("CREATE_COMPLETE", adapter.reason if isinstance(adapter, StandIn) else "", resource)

    def _alter(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> None:
        if resource.type == adapter.type and properties == resource.properties and tags == resource.tags:
            return
        if resource.type != adapter.type or self._must_replace(resource, adapter, properties):
            self._replace(resource, adapter, properties, tags)
            return
        stack = self._stack
        stack.record("UPDATE_IN_PROGRESS", "", resource)
        self._engine.store.save(stack)
        self._check_properties(adapter.type, resource.logical_id, properties)
        context = self._context(resource, adapter, properties, tags)
        with self._engine.door.operation(f"{self._operation.id}/{resource.logical_id}/update/{stack.status}"):
            self._check_fault(adapter.type)
            changed = context.changed - {schemas.tag_property(schemas.load(adapter.type, stack.region) or {})}
            if changed:
                adapter.update(context)
            if tags != resource.tags:
                adapter.tag(context, sorted(resource.tags.keys() - tags.keys()))
            resource.properties, resource.tags = properties, tags
            resource.attributes = adapter.attributes(context)
        stack.record("UPDATE_COMPLETE", "", resource)

    def _replace(self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]) -> None:
        stack = self._stack
        stack.record(
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating one.",
            resource,
        )
        _check_custom_name(resource, properties)
        new = Resource(resource.logical_id, adapter.type, deletion_policy=resource.deletion_policy)
        with self._engine.store.lock:
            stack.superseded.append(copy.deepcopy(resource))
            stack.resources[resource.logical_id] = new
        self._engine.store.save(stack)
        self._create(new, adapter, properties, tags)
        new.status = "UPDATE_COMPLETE"
        stack.record("UPDATE_COMPLETE", "", new)

    def _must_replace(self, resource: Resource, adapter: Adapter, properties: dict[str, Any]) -> bool:
        schema = schemas.load(adapter.type, self._stack.region) or {}
        verdicts = set()
        for name in resource.properties.keys() | properties.keys():
            before, after = resource.properties.get(name), properties.get(name)
            if before != after:
                verdicts.add(schemas.recreation(schema, name, before, after))
        if "Always" in verdicts:
            return True
        return "Conditionally" in verdicts and adapter.replaces(
            self._context(resource, adapter, properties, resource.tags)
        )

    def _delete_one(self, resource: Resource, *, kept: bool, snapshot: bool = False) -> None:
        stack = self._stack
        if not resource.physical_id:
            return
        if kept:
            stack.record("DELETE_SKIPPED", "", resource)
            return
        adapter = adapters.find(resource.type)
        assert adapter is not None
        stack.record("DELETE_IN_PROGRESS", "", resource)
        context = self._context(resource, adapter, resource.properties, resource.tags)
        try:
            with self._engine.door.operation(
                f"{self._operation.id}/{resource.logical_id}/{resource.physical_id}/delete"
            ):
                if snapshot and resource.type in SNAPSHOT_TYPES:
                    adapter.snapshot(context)
                adapter.delete(context)
        except Gone:
            log.info("%s was gone already", resource.physical_id)
        except ResourceFailed as failure:
            stack.record("DELETE_FAILED", str(failure), resource)
            raise
        stack.record("DELETE_COMPLETE", "", resource)

    def _try_delete(self, resource: Resource, *, kept: bool, snapshot: bool) -> None:
        try:
            self._delete_one(resource, kept=kept, snapshot=snapshot)
        except ResourceFailed:
            log.warning("%s of %s is left behind", resource.physical_id, self._stack.name)

    # evaluation

    def _properties(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self._scope.evaluate(body.get("Properties") or {})
        return found if isinstance(found, dict) else {}

    def _tags(self, kind: str, logical: str, properties: dict[str, Any]) -> dict[str, str]:
        return tags_of(self._stack, kind, logical, properties)

    def _context(
        self, resource: Resource, adapter: Adapter, properties: dict[str, Any], tags: dict[str, str]
    ) -> Context:
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
            old=resource.properties,
            nested=self._engine,
        )

    def _check_properties(self, kind: str, logical: str, properties: dict[str, Any]) -> None:
        schema = schemas.load(kind, self._stack.region)
        faults = schemas.faults(schema, properties) if schema else []
        if faults:
            said = "\n".join(faults)
            raise ResourceFailed(f"Properties validation failed for resource {logical} with message:\n{said}")

    def _check_fault(self, kind: str) -> None:
        faults = self._engine.faults
        with self._engine.store.lock:
            if kind in faults:
                faults[kind] -= 1
                if faults[kind] <= 0:
                    del faults[kind]
                    raise ResourceFailed(
                        "Resource handler returned message: a fault that was asked for (InternalFailure)"
                    )

    def _output(self, scope: Scope, body: dict[str, Any]) -> dict[str, Any] | None:
        if "Condition" in body and not scope.condition(body["Condition"]):
            return None
        value = scope.evaluate(body["Value"])
        if value is NOTHING:
            return None
        export = scope.evaluate(body.get("Export", {})).get("Name")
        made = {"OutputValue": text_of(value), "Description": body.get("Description"), "ExportName": export}
        return {key: text_of(item) for key, item in made.items() if item is not None}

    def _check_exports(self, outputs: dict[str, dict[str, Any]]) -> None:
        stack, scopes = self._stack, self._engine.scopes
        others = {name: owner for name, (owner, _) in scopes.exports(stack.region).items() if owner.id != stack.id}
        wanted = {output["ExportName"]: output["OutputValue"] for output in outputs.values() if "ExportName" in output}
        for name in wanted:
            if name in others:
                raise Failed(
                    [],
                    f"Export with name {name} is already exported by stack {others[name].name}. Rollback requested by user.",
                )
        for output in stack.outputs.values():
            name = output.get("ExportName")
            users = scopes.importers(name, stack.region) if name else []
            if users and wanted.get(name) != output["OutputValue"]:
                verb = "updated" if name in wanted else "deleted"
                raise Failed([], f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")

    # running

    def _in_delete_order(self, names: set[str]) -> list[str]:
        left, order = set(names), []
        while left:
            needed = {need for name in left for need in self._stack.resources[name].depends}
            free = sorted(left - needed) or sorted(left)
            order += free
            left -= set(free)
        return order

    def _run(self, graph: dict[str, set[str]], work: Callable[[str], None], *, stop_early: bool) -> None:
        order.run(
            graph,
            work,
            name=self._stack.name,
            halts=lambda failed: self._engine.is_closing or (failed and stop_early),
            explain=self._explain,
        )

    def _explain(self, name: str, failure: BaseException) -> None:
        if isinstance(failure, ResourceFailed | Refused):
            return
        log.error("resource %s", name, exc_info=failure)
        resource = self._stack.resources.get(name)
        if resource is not None:
            verb = resource.status.split("_")[0] or "CREATE"
            self._stack.record(f"{verb}_FAILED", f"Internal Failure: {type(failure).__name__}: {failure}", resource)


def imports_of(value: Any, scope: Scope) -> list[Any]:
    """The names that a template imports, unevaluated; those in false conditions are not left out."""
    if isinstance(value, dict):
        own = [value["Fn::ImportValue"]] if set(value) == {"Fn::ImportValue"} else []
        return own + [name for item in value.values() for name in imports_of(item, scope)]
    if isinstance(value, list):
        return [name for item in value for name in imports_of(item, scope)]
    return []


def _keeps(policy: str, *, is_rollback: bool) -> bool:
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not is_rollback)


def _check_custom_name(resource: Resource, properties: dict[str, Any]) -> None:
    """A resource with a name of its own cannot be there twice, so it cannot be replaced under the same name."""
    for name in ("RoleName", "GroupName", "Name", "LogGroupName", "TopicName", "QueueName", "KeyName", "BucketName"):
        if name in properties and properties[name] == resource.physical_id == resource.properties.get(name):
            raise ResourceFailed(
                f"CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {resource.physical_id} and update the stack again."
            )
