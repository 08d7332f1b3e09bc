"""Change sets: CloudFormation computes what a template and its parameters would change, and the act reads it as changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.errors import StackFailed
from bootstrap.stacks.client import CloudFormation, pages
from bootstrap.stacks.replacement import cost
from bootstrap.values import Change, ChangeKind

PATIENCE = 900.0  # seconds; CloudFormation computes the largest change sets in a few minutes
_KINDS = {"Add": ChangeKind.ADD, "Remove": ChangeKind.REMOVE, "Import": ChangeKind.ADD}
# How CloudFormation words that there is nothing to do; the first comes from templates, the second from macros' results.
_NOTHING = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class ChangeSet:
    """A finished change set: its ARN, and `changes`, which is None where nothing differs (it cannot be executed then)."""

    arn: str
    stack_id: str
    changes: tuple[Change, ...] | None

    def replaces(self, logical_ids: frozenset[str]) -> bool:
        """Whether it may replace one of these resources."""
        return any(
            change.kind is ChangeKind.REPLACE and change.name.partition("/")[2] in logical_ids
            for change in self.changes or ()
        )


def create(client: CloudFormation, request: Mapping[str, Any], sleep: Callable[[float], None]) -> ChangeSet:
    """Make a change set and wait until it is computed; StackFailed where CloudFormation cannot compute it.

    A failed one is deleted, for it only stands in the way of the next.
    """
    made = client.create_change_set(**request)
    answer, changes = _computed(client, made["Id"], sleep)
    name = str(request["StackName"])
    if answer["Status"] == "CREATE_COMPLETE":
        return ChangeSet(made["Id"], made["StackId"], tuple(_change(name, it["ResourceChange"]) for it in changes))
    client.delete_change_set(ChangeSetName=made["Id"])
    reason = answer.get("StatusReason", "no reason was given")
    if any(text in reason for text in _NOTHING):
        return ChangeSet(made["Id"], made["StackId"], None)
    raise StackFailed(
        f"computing the changes of {name}", reason, "Nothing was changed. Correct the cause, then try again."
    )


def _computed(
    client: CloudFormation, arn: str, sleep: Callable[[float], None]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    pause, begun = 0.1, time.monotonic()
    while True:
        answers = list(pages(client.describe_change_set, ChangeSetName=arn))
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


def _change(stack: str, found: Mapping[str, Any]) -> Change:
    """One resource's change. A replacement that only execution can decide counts as one, and says that it may not happen."""
    replacement = found.get("Replacement", "False")
    kind = _KINDS.get(found["Action"], ChangeKind.ALTER if replacement == "False" else ChangeKind.REPLACE)
    detail = found["ResourceType"]
    if kind in {ChangeKind.ALTER, ChangeKind.REPLACE}:
        detail += f": {', '.join(_touched(found))}"
        detail += " (may be replaced)" if replacement == "Conditional" else ""
        if kind is ChangeKind.REPLACE:
            is_kept = found.get("PolicyAction") == "ReplaceAndRetain"
            detail += f"; costs: {cost(found['ResourceType'], is_kept=is_kept)}"
    elif found.get("PolicyAction", "").startswith("Retain"):
        detail += " (removed from the stack, retained)"
    return Change("stack", kind, f"{stack}/{found['LogicalResourceId']}", detail)


def _touched(found: Mapping[str, Any]) -> list[str]:
    """The properties that differ, or else the attributes (Tags, Metadata ...), each once, in their order."""
    targets = [detail.get("Target", {}) for detail in found.get("Details", ())]
    names = [target.get("Name") or target.get("Attribute", "") for target in targets]
    return list(dict.fromkeys(name for name in names if name)) or list(found.get("Scope", ())) or ["properties"]
