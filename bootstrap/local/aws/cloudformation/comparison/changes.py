"""Compares a stack with its desired state, and changes nothing: the result is the content of a change set.

By the schemas of resource types (createOnlyProperties) a change replaces a resource or not. A resource that refers to a
replaced one changes, too.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.operations import nesting
from bootstrap.local.aws.cloudformation.operations.tags import make_tags
from bootstrap.local.aws.cloudformation.store import Resource, Stack, Wanted
from bootstrap.local.aws.cloudformation.template import schemas
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN, Scope, format_text
from bootstrap.local.aws.cloudformation.template.scope import Scopes
from bootstrap.local.aws.cloudformation.template.template import find_dependencies, find_names

Change = dict[str, Any]
# For a nested stack with unchanged properties: its template can differ, and only its update reads it (ResourceChangeDetail).
AUTOMATIC = {
    "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
    "Evaluation": "Dynamic",
    "ChangeSource": "Automatic",
}
REPLACEMENT = {"Always": "True", "Conditionally": "Conditional", "Never": "False"}


@dataclass(frozen=True)
class Nested:
    """The effect of an update on a nested stack: whether it changes, its change set, and its outputs by attribute name."""

    is_changed: bool
    change_set: str
    outputs: dict[str, Any]


# Compares a nested stack; the arguments are the logical id, the resource if it exists, properties and tags.
Look = Callable[[str, Resource | None, dict[str, Any], dict[str, str]], Nested]


@dataclass
class _Comparison:
    """The stack as it would be after the change, with the values of names then; `look` compares nested stacks."""

    proposal: Stack
    scope: Scope
    imagined: dict[str, Resource]
    altered: frozenset[str]
    look: Look | None


def compare(scopes: Scopes, stack: Stack, wanted: Wanted) -> list[Change]:
    """The changes of an execution: one entry for each changed resource, in the order of execution. Raises Refused."""
    return imagine(scopes, stack, wanted, None)[0]


def imagine(
    scopes: Scopes, stack: Stack, wanted: Wanted, compare_nested: Look | None
) -> tuple[list[Change], dict[str, Any]]:
    """The changes of an execution, and the outputs after it. Raises Refused.

    Without `compare_nested` a nested stack always changes ('Automatic'), because only its update reads its template.
    """
    imagined = {name: copy.copy(resource) for name, resource in stack.resources.items()}
    scope = scopes.make_scope(stack, wanted, stack.region, imagined)
    graph = find_dependencies(scope.template, scope.find_present())
    proposal = copy.copy(stack)
    proposal.wanted = wanted
    comparison = _Comparison(proposal, scope, imagined, _find_altered(stack.wanted, wanted), compare_nested)
    changes = []
    for logical in _sort_by_dependency(graph):
        change = _compare_resource(comparison, logical)
        if change:
            changes.append(change)
    removed = [stack.resources[name] for name in stack.resources if name not in scope.find_present()]
    return changes + [_make_removal(resource) for resource in removed], _evaluate_outputs(scope)


def differs_beyond_resources(scopes: Scopes, stack: Stack, wanted: Wanted) -> bool:
    """Whether outputs would change, even if no resource does."""
    return _evaluate_outputs(scopes.make_scope(stack, wanted, stack.region)) != stack.outputs


def _evaluate_outputs(scope: Scope) -> dict[str, Any]:
    outputs = {}
    for name, body in scope.template.read_section("Outputs").items():
        if "Condition" not in body or scope.evaluate_condition(body["Condition"]):
            export = scope.evaluate(body.get("Export", {})).get("Name")
            output = {"OutputValue": format_text(scope.evaluate(body["Value"])), "Description": body.get("Description")}
            output["ExportName"] = export
            outputs[name] = {key: format_text(value) for key, value in output.items() if value is not None}
    return outputs


def _compare_resource(comparison: _Comparison, logical: str) -> Change | None:
    body = comparison.scope.template.resources[logical]
    kind = str(body["Type"])
    resource = comparison.proposal.resources.get(logical)
    properties = comparison.scope.evaluate(body.get("Properties") or {})
    tags = make_tags(comparison.proposal, kind, logical, properties)
    existing = resource if resource and resource.physical_id and resource.type == kind else None
    nested = comparison.look(logical, existing, properties, tags) if comparison.look and kind == nesting.TYPE else None
    more = {"ChangeSetId": nested.change_set or None} if nested else {}
    if resource is None or not resource.physical_id:
        _invalidate_named(comparison.imagined, kind, properties)
        after = {"Properties": properties} if properties else {}
        return _make_entry("Add", logical, kind, AfterContext=_format_context(after), **more)
    is_quiet = kind != nesting.TYPE or (nested is not None and not nested.is_changed)
    if is_quiet and kind == resource.type and properties == resource.properties and tags == resource.tags:
        return None
    details = _list_details(comparison, resource, kind, properties, tags)
    replacement = _judge_replacement(resource, kind, details)
    _predict(comparison.imagined, logical, kind, replacement)
    if nested or (kind == nesting.TYPE and properties != resource.properties):
        comparison.imagined[logical].attributes = dict(nested.outputs) if nested else {"*": UNKNOWN}
    return _make_entry(
        "Modify",
        logical,
        kind,
        PhysicalResourceId=resource.physical_id,
        Replacement=replacement,
        Scope=sorted({detail["Target"]["Attribute"] for detail in details}),
        Details=details,
        BeforeContext=_format_context({"Properties": resource.properties}),
        AfterContext=_format_context({"Properties": properties}),
        **more,
    )


def _list_details(
    comparison: _Comparison, resource: Resource, kind: str, properties: dict[str, Any], tags: dict[str, str]
) -> list[Change]:
    schema = schemas.load(kind, comparison.proposal.region) or {}
    tag_name = schemas.find_tag_property(schema)
    written = comparison.scope.template.resources[resource.logical_id].get("Properties") or {}
    details = []
    if tags != resource.tags:
        tagged = {"Attribute": "Tags", "RequiresRecreation": "Never"}
        details.append({"Target": tagged, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    for name in sorted(resource.properties.keys() | properties.keys()):
        before, after = resource.properties.get(name), properties.get(name)
        if before != after and name != tag_name:
            target: dict[str, Any] = {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": schemas.judge_recreation(schema, name, before, after),
                "Path": f"/Properties/{name}",
                "AttributeChangeType": "Add" if before is None else "Remove" if after is None else "Modify",
                "BeforeValue": _format_value(before),
                "AfterValue": _format_value(after),
            }
            filled = {key: value for key, value in target.items() if value is not None}
            details.append({"Target": filled, **_find_cause(comparison, written.get(name), after)})
    return details or ([AUTOMATIC] if kind == nesting.TYPE else [])


def _find_cause(comparison: _Comparison, written: Any, after: Any) -> Change:
    """The source of the change of a property, as far as the template shows it."""
    evaluation = "Dynamic" if UNKNOWN in json.dumps(after) else "Static"
    for form, name in find_names(written):
        if form == "Ref" and name in comparison.altered:
            return {"Evaluation": evaluation, "ChangeSource": "ParameterReference", "CausingEntity": name}
        if name in comparison.scope.template.resources and evaluation == "Dynamic":
            source = "ResourceReference" if form == "Ref" else "ResourceAttribute"
            return {"Evaluation": evaluation, "ChangeSource": source, "CausingEntity": name}
    return {"Evaluation": evaluation, "ChangeSource": "DirectModification"}


def _find_altered(before: Wanted, after: Wanted) -> frozenset[str]:
    """The parameters whose value, or looked-up value, has changed."""
    names = before.parameters.keys() | after.parameters.keys()
    return frozenset(
        name
        for name in names
        if before.parameters.get(name) != after.parameters.get(name)
        or before.looked_up.get(name) != after.looked_up.get(name)
    )


def _judge_replacement(resource: Resource, kind: str, details: list[Change]) -> str:
    if kind != resource.type:
        return "True"
    needs = set()
    for detail in details:
        need = detail["Target"]["RequiresRecreation"]
        needs.add(REPLACEMENT[need])
    return next((verdict for verdict in ("True", "Conditional") if verdict in needs), "False")


def _predict(imagined: dict[str, Resource], logical: str, kind: str, replacement: str) -> None:
    """Set what later resources see: all attributes are unknown after a replacement, volatile ones after an update."""
    resource = imagined[logical]
    if replacement == "True":
        resource.physical_id, resource.attributes = UNKNOWN, {"*": UNKNOWN}
        return
    adapter = adapters.find(kind)
    unknown_attributes = dict.fromkeys(adapter.volatile, UNKNOWN) if adapter else {}
    resource.attributes = {**resource.attributes, **unknown_attributes}


def _invalidate_named(imagined: dict[str, Resource], kind: str, properties: dict[str, Any]) -> None:
    """Mark attributes of other resources as unknown that the creation of a new resource changes."""
    adapter = adapters.find(kind)
    for name, attributes in adapter.moves.items() if adapter else ():
        for other in imagined.values():
            if other.physical_id and other.physical_id == properties.get(name) != UNKNOWN:
                other.attributes = {**other.attributes, **dict.fromkeys(attributes, UNKNOWN)}


def _make_removal(resource: Resource) -> Change:
    action = {"Retain": "Retain", "Snapshot": "SnapshotAndDelete"}.get(resource.deletion_policy, "Delete")
    return _make_entry(
        "Remove",
        resource.logical_id,
        resource.type,
        PhysicalResourceId=resource.physical_id,
        PolicyAction=action,
        BeforeContext=_format_context({"Properties": resource.properties}),
    )


def _make_entry(action: str, logical: str, kind: str, **more: Any) -> Change:
    entry = {"Action": action, "LogicalResourceId": logical, "ResourceType": kind, "Scope": [], "Details": [], **more}
    return {"Type": "Resource", "ResourceChange": {key: value for key, value in entry.items() if value is not None}}


def _format_context(value: dict[str, Any]) -> str:
    return json.dumps(value)


def _format_value(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, dict | list) else format_text(value)


def _sort_by_dependency(graph: dict[str, set[str]]) -> list[str]:
    remaining, order = {name: set(needs) for name, needs in graph.items()}, []
    while remaining:
        free = [name for name, needs in remaining.items() if not needs & remaining.keys()]
        order += free
        for name in free:
            del remaining[name]
    return order
