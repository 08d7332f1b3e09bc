"""Change sets of type IMPORT: add existing resources to a stack by their identifiers; nothing else may change."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation import adapters, reading
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.errors import Gone, Refused
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.store import Stack, Wanted
from bootstrap.local.aws.cloudformation.template import schemas
from bootstrap.local.aws.cloudformation.template.parsing import read

Change = dict[str, Any]


def find_targets(
    engine: Engine, requested: list[dict[str, Any]], stack: Stack | None, wanted: Wanted, region: str
) -> dict[str, str]:
    """The physical ids of the resources to import, by logical id; raises Refused for one that cannot be imported."""
    resources = read(wanted.template, wanted.parameters, region).resources
    physical_ids = {}
    for entry in requested:
        logical, kind = entry["LogicalResourceId"], entry["ResourceType"]
        if logical not in resources or resources[logical]["Type"] != kind:
            raise Refused(f"Resource {logical} of type {kind} is not in the template")
        if stack and logical in stack.resources:
            raise _refuse_present(logical)
        if "DeletionPolicy" not in resources[logical]:
            raise Refused(f"Resources to import [{logical}] are missing DeletionPolicy attribute in the template.")
        physical_ids[logical] = _read_identifier(kind, entry.get("ResourceIdentifier", {}), region)
        _check(engine, kind, physical_ids[logical], region)
        if _find_owner(engine, kind, physical_ids[logical], region):
            raise _refuse_present(logical)
    _check_others(set(resources), set(physical_ids), stack)
    return physical_ids


def list_changes(stack: Stack, wanted: Wanted, imports: dict[str, str], others: list[Change]) -> list[Change]:
    """The entries of the change set; raises Refused if `others` has changes of other resources."""
    changed = {change["ResourceChange"]["LogicalResourceId"] for change in others}
    forbidden = ", ".join(sorted(changed - set(imports)))
    if forbidden:
        raise Refused(
            f"As part of the import operation, you cannot modify or add [Resources]: {forbidden} are modified or added"
        )
    resources = read(wanted.template, wanted.parameters, stack.region).resources
    return [
        {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Import",
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical,
                "ResourceType": resources[logical]["Type"],
                "Scope": [],
                "Details": [],
            },
        }
        for logical, physical in imports.items()
    ]


def _read_identifier(kind: str, identifier: dict[str, str], region: str) -> str:
    schema = schemas.load(kind, region) or {}
    names = [str(path).rpartition("/")[2] for path in schema.get("primaryIdentifier", ())]
    if not reading.is_by_id(kind) or len(names) != 1:
        raise Refused(f"Resource type {kind} cannot be imported (the local cloud cannot read it by its identifier)")
    if set(identifier) != set(names):
        raise Refused(f"Resource identifier of {kind} is {names[0]}, not {', '.join(sorted(identifier)) or 'nothing'}")
    return identifier[names[0]]


def _find_owner(engine: Engine, kind: str, physical_id: str, region: str) -> Stack | None:
    """Return the stack that has a resource; None if no stack has it."""
    for stack in engine.store.list_stacks(region):
        resources = stack.resources.values() if stack.is_living else ()
        if any((resource.type, resource.physical_id) == (kind, physical_id) for resource in resources):
            return stack
    return None


def _refuse_present(logical: str) -> Refused:
    return Refused(f"Resources [{logical}] passed in ResourceToImport are already in a stack and cannot be imported.")


def _check(engine: Engine, kind: str, physical: str, region: str) -> None:
    adapter = adapters.find(kind)
    assert adapter is not None, "what can be read has an adapter"
    to = Context(
        kind, "", "", "", region, "", "import", {}, engine.client, lambda _: None, engine, physical_id=physical
    )
    try:
        adapter.read_attributes(to)
    except Gone as gone:
        raise Refused(f"Resource {physical} of type {kind} does not exist: {gone}") from None


def _check_others(template: set[str], imported: set[str], stack: Stack | None) -> None:
    existing = set(stack.resources) if stack else set()
    new = sorted(template - imported - existing)
    if new:
        raise Refused(f"All new resources of an import must be imported: {', '.join(new)} are not")
    if existing - template:
        raise Refused(
            f"As part of the import operation, you cannot remove [Resources]: {', '.join(sorted(existing - template))}"
        )
