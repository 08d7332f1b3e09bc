"""Compares a stack with what is wanted of it, without touching anything: the changes that a change set shows.

Replacement comes from the resource schemas (createOnlyProperties), and spreads: what refers to a resource that is replaced
changes with it.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from bootstrap.local.aws.cloudformation import adapters, schemas
from bootstrap.local.aws.cloudformation.intrinsics import UNKNOWN, Scope, text_of
from bootstrap.local.aws.cloudformation.scope import Scopes
from bootstrap.local.aws.cloudformation.store import Resource, Stack, Wanted
from bootstrap.local.aws.cloudformation.tags import tags_of
from bootstrap.local.aws.cloudformation.template import dependencies, names_in

Change = dict[str, Any]
REPLACEMENT = {"Always": "True", "Conditionally": "Conditional", "Never": "False"}


def compare(scopes: Scopes, stack: Stack, wanted: Wanted) -> list[Change]:
    """What executing would do, one entry per resource, in the order in which it would happen."""
    imagined = {name: copy.copy(resource) for name, resource in stack.resources.items()}
    scope = scopes.of(stack, wanted, stack.region, imagined)
    graph = dependencies(scope.template, scope.present())
    proposal = copy.copy(stack)
    proposal.wanted = wanted
    altered = _altered(stack.wanted, wanted)
    changes = []
    for logical in _ordered(graph):
        change = _one(proposal, scope, imagined, logical, altered)
        if change:
            changes.append(change)
    gone = [stack.resources[name] for name in stack.resources if name not in scope.present()]
    return changes + [_removed(resource) for resource in gone]


def differs_beyond_resources(scopes: Scopes, stack: Stack, wanted: Wanted) -> bool:
    """Whether outputs would change though no resource does."""
    scope = scopes.of(stack, wanted, stack.region)
    made = {}
    for name, body in scope.template.section("Outputs").items():
        if "Condition" not in body or scope.condition(body["Condition"]):
            export = scope.evaluate(body.get("Export", {})).get("Name")
            found = {"OutputValue": text_of(scope.evaluate(body["Value"])), "Description": body.get("Description")}
            found["ExportName"] = export
            made[name] = {key: text_of(value) for key, value in found.items() if value is not None}
    return made != stack.outputs


def _one(
    stack: Stack, scope: Scope, imagined: dict[str, Resource], logical: str, altered: frozenset[str]
) -> Change | None:
    body = scope.template.resources[logical]
    kind = str(body["Type"])
    resource = stack.resources.get(logical)
    properties = scope.evaluate(body.get("Properties") or {})
    if resource is None or not resource.physical_id:
        _move(imagined, kind, properties)
        after = {"Properties": properties} if properties else {}
        return _entry("Add", logical, kind, AfterContext=_context(after))
    tags = tags_of(stack, kind, logical, properties)
    if kind == resource.type and properties == resource.properties and tags == resource.tags:
        return None
    details = _details(stack, scope, resource, kind, properties, tags, altered)
    replacement = _replacement(resource, kind, details)
    _imagine(imagined, logical, kind, replacement)
    return _entry(
        "Modify",
        logical,
        kind,
        PhysicalResourceId=resource.physical_id,
        Replacement=replacement,
        Scope=sorted({detail["Target"]["Attribute"] for detail in details}),
        Details=details,
        BeforeContext=_context({"Properties": resource.properties}),
        AfterContext=_context({"Properties": properties}),
    )


def _details(
    stack: Stack,
    scope: Scope,
    resource: Resource,
    kind: str,
    properties: dict[str, Any],
    tags: dict[str, str],
    altered: frozenset[str],
) -> list[Change]:
    schema = schemas.load(kind, stack.region) or {}
    tag_name = schemas.tag_property(schema)
    written = scope.template.resources[resource.logical_id].get("Properties") or {}
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
                "RequiresRecreation": schemas.recreation(schema, name, before, after),
                "Path": f"/Properties/{name}",
                "AttributeChangeType": "Add" if before is None else "Remove" if after is None else "Modify",
                "BeforeValue": _shown(before),
                "AfterValue": _shown(after),
            }
            shown = {key: value for key, value in target.items() if value is not None}
            details.append({"Target": shown, **_cause(scope, written.get(name), after, altered)})
    return details


def _cause(scope: Scope, written: Any, after: Any, altered: frozenset[str]) -> Change:
    """Where a property's change comes from, as far as its text tells."""
    evaluation = "Dynamic" if UNKNOWN in json.dumps(after) else "Static"
    for form, name in names_in(written):
        if form == "Ref" and name in altered:
            return {"Evaluation": evaluation, "ChangeSource": "ParameterReference", "CausingEntity": name}
        if name in scope.template.resources and evaluation == "Dynamic":
            source = "ResourceReference" if form == "Ref" else "ResourceAttribute"
            return {"Evaluation": evaluation, "ChangeSource": source, "CausingEntity": name}
    return {"Evaluation": evaluation, "ChangeSource": "DirectModification"}


def _altered(before: Wanted, after: Wanted) -> frozenset[str]:
    """The parameters whose value, given or looked up, is another one."""
    names = before.parameters.keys() | after.parameters.keys()
    return frozenset(
        name
        for name in names
        if before.parameters.get(name) != after.parameters.get(name)
        or before.looked_up.get(name) != after.looked_up.get(name)
    )


def _replacement(resource: Resource, kind: str, details: list[Change]) -> str:
    if kind != resource.type:
        return "True"
    needs = set()
    for detail in details:
        need = detail["Target"]["RequiresRecreation"]
        needs.add(REPLACEMENT[need])
    return next((verdict for verdict in ("True", "Conditional") if verdict in needs), "False")


def _imagine(imagined: dict[str, Resource], logical: str, kind: str, replacement: str) -> None:
    """Let later resources see this one as it would be: unknown when replaced, its moving attributes unknown when altered."""
    resource = imagined[logical]
    if replacement == "True":
        resource.physical_id, resource.attributes = UNKNOWN, {"*": UNKNOWN}
        return
    adapter = adapters.find(kind)
    moving = dict.fromkeys(adapter.volatile, UNKNOWN) if adapter else {}
    resource.attributes = {**resource.attributes, **moving}


def _move(imagined: dict[str, Resource], kind: str, properties: dict[str, Any]) -> None:
    """Let later resources see what a new one changes about those that it names."""
    adapter = adapters.find(kind)
    for name, attributes in adapter.moves.items() if adapter else ():
        for other in imagined.values():
            if other.physical_id and other.physical_id == properties.get(name) != UNKNOWN:
                other.attributes = {**other.attributes, **dict.fromkeys(attributes, UNKNOWN)}


def _removed(resource: Resource) -> Change:
    action = {"Retain": "Retain", "Snapshot": "SnapshotAndDelete"}.get(resource.deletion_policy, "Delete")
    return _entry(
        "Remove",
        resource.logical_id,
        resource.type,
        PhysicalResourceId=resource.physical_id,
        PolicyAction=action,
        BeforeContext=_context({"Properties": resource.properties}),
    )


def _entry(action: str, logical: str, kind: str, **more: Any) -> Change:
    found = {"Action": action, "LogicalResourceId": logical, "ResourceType": kind, "Scope": [], "Details": [], **more}
    return {"Type": "Resource", "ResourceChange": {key: value for key, value in found.items() if value is not None}}


def _context(value: dict[str, Any]) -> str:
    return json.dumps(value)


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, dict | list) else text_of(value)


def _ordered(graph: dict[str, set[str]]) -> list[str]:
    left, order = {name: set(needs) for name, needs in graph.items()}, []
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        order += free
        for name in free:
            del left[name]
    return order
