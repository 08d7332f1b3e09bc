"""Brings the resources of a stack to its template, in the order of their dependencies."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.stack_operations import StackOperations
from bootstrap.local.aws.cloudformation.errors import Interrupted, Refused, ResourceFailed, describe_failure
from bootstrap.local.aws.cloudformation.operations import nesting, order
from bootstrap.local.aws.cloudformation.operations.deleting import Deleter
from bootstrap.local.aws.cloudformation.operations.order import Failed
from bootstrap.local.aws.cloudformation.operations.resource_contexts import ResourceContexts
from bootstrap.local.aws.cloudformation.operations.resources import Work
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.operations.signalling import ResourceSignals
from bootstrap.local.aws.cloudformation.operations.step_checks import StepChecks
from bootstrap.local.aws.cloudformation.store import Stack
from bootstrap.local.aws.cloudformation.template.intrinsics import NOTHING, Scope, format_text
from bootstrap.local.aws.cloudformation.template.template import find_dependencies

log = logging.getLogger(__name__)


class ExportInUse(Failed):
    """The stack is not deleted, because other stacks import one of its exports; it keeps its status and its resources."""


class Deployment:
    """The work of one operation on one stack."""

    def __init__(self, services: Services, stacks: StackOperations, stack: Stack) -> None:
        self._services = services
        self._stacks = stacks
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self._scope = self._make_scope()
        self._checks = StepChecks(services, stack)
        signals = ResourceSignals(services.signals, stack.operation, services.closing)
        contexts = ResourceContexts(services, stacks, stack, self._checks, signals)
        self._deleter = Deleter(services, stack, self._checks, contexts)
        self._work = Work(services, stack, self._checks, signals, contexts, self._deleter)

    def _make_scope(self) -> Scope:
        return self._services.scopes.make_scope(self._stack, self._stack.wanted, self._stack.region, is_execution=True)

    def apply(self, *, is_rollback: bool = False, skip: set[str] | None = None) -> None:
        """Create and update resources until all are as in the template. Raises Failed."""
        self._scope = self._make_scope()
        try:
            graph = find_dependencies(self._scope.template, self._scope.find_present())
        except Refused as refusal:
            raise Failed([], refusal.message) from None
        mark = f"{self._operation.id}{'/rollback' if is_rollback else ''}"
        self._checks.check_removals(sorted(set(self._stack.resources) - self._scope.find_present()))

        def apply_one(logical: str) -> None:
            if logical in (skip or ()):
                return self._work.skip(logical)
            resource = self._stack.resources.get(logical)
            if resource is None or resource.applied_by != mark:
                self._work.apply(self._scope, logical, sorted(graph[logical]), mark)
            return None

        if (
            self._checks.is_to_be_deleted
        ):  # after a restart: what was begun is ended, so that it is known and can be deleted
            begun = [name for name, resource in self._stack.resources.items() if resource.is_half_made]
            self._run({name: set() for name in begun}, apply_one, stop_early=False)
            raise Failed([])
        self._run(graph, apply_one, stop_early=True)

    def import_resources(self) -> None:
        """Import the resources of an import operation without changing them. Raises Failed."""
        graph = find_dependencies(self._scope.template, self._scope.find_present())
        imports = self._operation.imports

        def import_one(logical: str) -> None:
            if logical in imports:
                self._work.import_resource(self._scope, logical, imports[logical], sorted(graph[logical]))

        self._run(graph, import_one, stop_early=True)

    def publish_outputs(self) -> None:
        """Evaluate and store the outputs. Raises Failed if the name of an export is taken, or a removed export is in use."""
        scope, stack = self._scope, self._stack
        try:
            evaluated = {
                name: self._evaluate_output(scope, body)
                for name, body in scope.template.read_section("Outputs").items()
            }
            imports = sorted(
                {format_text(scope.evaluate(name)) for name in list_imports(scope.template.document, scope)}
            )
        except Refused as refusal:
            raise Failed([], refusal.message) from None
        outputs = {name: output for name, output in evaluated.items() if output}
        with self._services.store.lock:  # two stacks that publish at the same time must not both export one name
            self._check_exports(outputs)
            stack.outputs, stack.imports = outputs, imports

    def remove(self, names: set[str], *, retain: set[str] | None = None, is_rollback: bool = False) -> None:
        """Delete resources, each before its dependencies. Raises Failed."""
        stack = self._stack
        for export in [output.get("ExportName") for output in stack.outputs.values()]:
            users = self._services.scopes.list_importers(export, stack.region) if export and not is_rollback else []
            if users:
                raise ExportInUse([], _explain_use("delete", str(export), users))
        graph: dict[str, set[str]] = {name: set() for name in names}
        for name in names:
            for need in stack.resources[name].depends:
                if need in graph:
                    graph[need].add(name)

        def remove_one(name: str) -> None:
            resource = stack.resources[name]
            kept = name in (retain or ()) or self._keeps(resource.deletion_policy, is_rollback=is_rollback)
            snapshot = resource.deletion_policy == "Snapshot" and not is_rollback
            if self._operation.is_forced:
                self._deleter.delete_or_skip(resource, kept=kept, snapshot=snapshot)
            else:
                self._deleter.delete(resource, kept=kept, snapshot=snapshot)
            with self._services.store.lock:
                if not (self._operation.is_forced and resource.status == "DELETE_SKIPPED"):
                    stack.resources.pop(name, None)
            self._services.store.save(stack)

        self._run(graph, remove_one, stop_early=False)
        self.clean_up(is_rollback=is_rollback)

    def clean_up(self, *, is_rollback: bool = False) -> None:
        """Delete replaced and removed resources, each before those that it depends on.

        One that cannot be deleted stays, with an event, as in CloudFormation.
        """
        stack = self._stack
        self._clean_up_nested()
        is_update = self._operation.kind in {"UPDATE", "ROLLBACK"}
        removed = set(stack.resources) - self._scope.find_present() if is_update else set()
        obsolete = [stack.resources[name] for name in removed] + stack.superseded
        for resource in order.sort_for_deletion(obsolete):
            if any(resource is old for old in stack.superseded):
                policy = resource.update_replace_policy
                kept = _keeps(policy, is_rollback=is_rollback)
            else:
                policy = resource.deletion_policy
                kept = self._keeps(policy, is_rollback=is_rollback and resource.applied_by == self._operation.id)
            self._deleter.try_delete(resource, kept=kept, snapshot=policy == "Snapshot" and not is_rollback)
            with self._services.store.lock:
                stack.superseded = [old for old in stack.superseded if old is not resource]
                if stack.resources.get(resource.logical_id) is resource:
                    del stack.resources[resource.logical_id]
            self._services.store.save(stack)

    def _clean_up_nested(self) -> None:
        """Let waiting nested stacks clean up, and wait until they have done it."""
        children = nesting.list_children(self._services.store, self._stack)
        for child in children:
            if child.is_held:
                self._stacks.release(child)
        for child in children:
            self._stacks.wait(child)

    def restore_superseded(self) -> None:
        """In a rollback, make replaced resources current again, and mark their replacements as superseded."""
        with self._services.store.lock:
            replaced, self._stack.superseded = self._stack.superseded, []
            for old in reversed(replaced):
                current = self._stack.resources.get(old.logical_id)
                self._stack.resources[old.logical_id] = old
                if current is not None and current.physical_id and current.physical_id != old.physical_id:
                    current.update_replace_policy = "Delete"
                    self._stack.superseded.append(current)
            self._operation.is_restored = True
        self._services.store.save(self._stack)

    def _evaluate_output(self, scope: Scope, body: dict[str, Any]) -> dict[str, Any] | None:
        if "Condition" in body and not scope.evaluate_condition(body["Condition"]):
            return None
        value = scope.evaluate(body["Value"])
        if value is NOTHING:
            return None
        export = scope.evaluate(body.get("Export", {})).get("Name")
        output = {"OutputValue": format_text(value), "Description": body.get("Description"), "ExportName": export}
        return {key: format_text(item) for key, item in output.items() if item is not None}

    def _check_exports(self, outputs: dict[str, dict[str, Any]]) -> None:
        stack, scopes = self._stack, self._services.scopes
        taken = {name: owner for name, (owner, _) in scopes.list_exports(stack.region).items() if owner.id != stack.id}
        new_exports = {
            output["ExportName"]: output["OutputValue"] for output in outputs.values() if "ExportName" in output
        }
        for name in new_exports:
            if name in taken:
                raise Failed(
                    [],
                    f"Export with name {name} is already exported by stack {taken[name].name}. Rollback requested by user.",
                )
        for output in stack.outputs.values():
            name = output.get("ExportName")
            users = scopes.list_importers(name, stack.region) if name else []
            if users and new_exports.get(name) != output["OutputValue"]:
                raise Failed([], _explain_use("update" if name in new_exports else "delete", str(name), users))

    def _keeps(self, policy: str, *, is_rollback: bool) -> bool:
        """Whether a policy retains a resource; `is_rollback` if the operation that is rolled back created it."""
        is_stricter = self._operation.retains_except_on_create and policy == "Retain"
        return _keeps("RetainExceptOnCreate" if is_stricter else policy, is_rollback=is_rollback)

    def _run(self, graph: dict[str, set[str]], work: Callable[[str], None], *, stop_early: bool) -> None:
        order.run(
            graph,
            work,
            name=self._stack.name,
            halts=lambda failed: (
                self._services.is_closing or (stop_early and (failed or self._checks.is_to_be_deleted))
            ),
            explain=lambda node, failure: self._explain(node, failure, stop_early=stop_early),
        )

    def _explain(self, name: str, failure: BaseException, *, stop_early: bool) -> None:
        if isinstance(failure, Interrupted):
            return
        self._checks.is_halted = stop_early
        if isinstance(failure, ResourceFailed | Refused):
            return
        log.error("resource %s", name, exc_info=failure)
        resource = self._stack.resources.get(name)
        if resource is not None:
            verb = resource.status.split("_")[0] or "CREATE"
            self._stack.record(f"{verb}_FAILED", describe_failure(failure), resource)


def _explain_use(verb: str, export: str, users: list[str]) -> str:
    """The reason in CloudFormation's words, as users quote it."""
    *others, last = users
    names = f"{', '.join(others)} and {last}" if others else last
    return f"{verb.capitalize()} canceled. Cannot {verb} export {export} as it is in use by {names}."


def list_imports(value: Any, scope: Scope) -> list[Any]:
    """The names of imports in a template, not evaluated; also those in branches of false conditions."""
    if isinstance(value, dict):
        own = [value["Fn::ImportValue"]] if set(value) == {"Fn::ImportValue"} else []
        return own + [name for item in value.values() for name in list_imports(item, scope)]
    if isinstance(value, list):
        return [name for item in value for name in list_imports(item, scope)]
    return []


def _keeps(policy: str, *, is_rollback: bool) -> bool:
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not is_rollback)
