"""Change sets: CloudFormation computes what a template with its parameters would change, and this module reads the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.errors import StackFailed
from bootstrap.stacks.client import CloudFormation, list_pages
from bootstrap.stacks.replacement import describe_cost
from bootstrap.values import Change, ChangeKind

PATIENCE = 900.0  # seconds to wait; CloudFormation computes the largest change sets in a few minutes
_KINDS = {"Add": ChangeKind.ADD, "Remove": ChangeKind.REMOVE, "Import": ChangeKind.ADD}
# CloudFormation's messages for an empty change set: the first for templates, the second for the results of macros.
_NOTHING = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Cause:
    """Why a property differs: the parameter or resource that is named, '' for the template's own text."""

    entity: str
    may_replace: bool


@dataclass(frozen=True)
class ChangeSet:
    """A finished change set. `changes` is None if nothing differs; such a change set cannot be executed.

    `causes` has the reasons for the change of each resource that is altered or replaced, by its logical id.
    """

    arn: str
    stack_id: str
    changes: tuple[Change, ...] | None
    causes: Mapping[str, tuple[Cause, ...]] = field(default_factory=dict)

    def replaces(self, logical_ids: frozenset[str]) -> bool:
        """Whether it may replace one of these resources."""
        return any(
            change.kind is ChangeKind.REPLACE and change.name.partition("/")[2] in logical_ids
            for change in self.changes or ()
        )


def create(client: CloudFormation, request: Mapping[str, Any], sleep: Callable[[float], None]) -> ChangeSet:
    """Make a change set and wait until it is computed; StackFailed if CloudFormation cannot compute it within PATIENCE.

    A failed change set is deleted, because it would block the next one.
    """
    created = client.create_change_set(**request)
    answer, changes = _read_change_set(client, created["Id"], sleep)
    name = str(request["StackName"])
    if answer["Status"] == "CREATE_COMPLETE":
        resources = [it["ResourceChange"] for it in changes]
        causes = {it["LogicalResourceId"]: _find_causes(it) for it in resources if it["Action"] == "Modify"}
        shown = tuple(_change(name, it) for it in resources)
        return ChangeSet(created["Id"], created["StackId"], shown, causes)
    client.delete_change_set(ChangeSetName=created["Id"])
    reason = answer.get("StatusReason", "no reason was given")
    if any(text in reason for text in _NOTHING):
        return ChangeSet(created["Id"], created["StackId"], None)
    raise StackFailed(
        f"computing the changes of {name}", reason, "Nothing was changed. Correct the cause, then try again."
    )


def _read_change_set(
    client: CloudFormation, arn: str, sleep: Callable[[float], None]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    pause, begun = 0.1, time.monotonic()
    while True:
        answers = list(list_pages(client.describe_change_set, ChangeSetName=arn))
        if answers[0]["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            resources = [it for answer in answers for it in answer.get("Changes", ()) if "ResourceChange" in it]
            return answers[0], resources
        if time.monotonic() - begun > PATIENCE:
            raise StackFailed(
                f"computing the changes of {arn}",
                f"it is {answers[0]['Status']} after {PATIENCE / 60:.0f} minutes",
                "Nothing was changed. Wait until no other operation changes the stack, then try again.",
            )
        sleep(pause)
        pause = min(pause * 1.5, 2)


def _change(stack: str, resource_change: Mapping[str, Any]) -> Change:
    """The change of one resource. A conditional replacement counts as a replacement; the detail says 'may be replaced'."""
    replacement = resource_change.get("Replacement", "False")
    kind = _KINDS.get(resource_change["Action"], ChangeKind.ALTER if replacement == "False" else ChangeKind.REPLACE)
    detail = resource_change["ResourceType"]
    if kind in {ChangeKind.ALTER, ChangeKind.REPLACE}:
        detail += f": {', '.join(_list_touched(resource_change))}"
        detail += " (may be replaced)" if replacement == "Conditional" else ""
        if kind is ChangeKind.REPLACE:
            is_kept = resource_change.get("PolicyAction") == "ReplaceAndRetain"
            detail += f"; costs: {describe_cost(resource_change['ResourceType'], is_kept=is_kept)}"
    elif resource_change.get("PolicyAction", "").startswith("Retain"):
        detail += " (removed from the stack, retained)"
    return Change("stack", kind, f"{stack}/{resource_change['LogicalResourceId']}", detail)


def _find_causes(resource_change: Mapping[str, Any]) -> tuple[Cause, ...]:
    """The causes; an attribute of a resource counts as the resource."""
    return tuple(
        Cause(
            detail.get("CausingEntity", "").partition(".")[0],
            detail.get("Target", {}).get("RequiresRecreation", "Always") != "Never",
        )
        for detail in resource_change.get("Details", ())
    )


def _list_touched(resource_change: Mapping[str, Any]) -> list[str]:
    """The names of the properties that differ, else of the attributes (Tags, Metadata ...), each once, in their order."""
    targets = [detail.get("Target", {}) for detail in resource_change.get("Details", ())]
    names = [target.get("Name") or target.get("Attribute", "") for target in targets]
    return (
        list(dict.fromkeys(name for name in names if name)) or list(resource_change.get("Scope", ())) or ["properties"]
    )
