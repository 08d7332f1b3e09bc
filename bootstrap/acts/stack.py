"""The stack act: brings each stack to its template and the settings.

Every change is made by a change set. The tags with the commit and the run are new in each launch; they alone must not change
every resource. So a first change set is made with the values of these tags that the stack has already. Only if it has changes,
a second one is made with the new values, and executed. If a resource of the template cannot get a new tag ('KeepsTags' in the
metadata of the template), an update keeps all tags that the stack has, and `cloud.tag_repair` changes those of its resources.
After a failure CloudFormation rolls back, and the act reports the cause.

CloudFormation replaces a resource by making the new one before it deletes the old one. That is impossible for a machine with a
volume. A template names such resources in its metadata ('Replacement'), with parameters with which they do not exist; the act
first updates the stack with these parameters.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bootstrap.cloud import refusals
from bootstrap.errors import StackFailed
from bootstrap.stacks import changes, false_replacements, states
from bootstrap.stacks.client import CloudFormation, list_pages
from bootstrap.stacks.steps import Pause, StackSteps, describe, list_changes, refuse_status
from bootstrap.stacks.template import Source, lint, load
from bootstrap.values import Change, ChangeKind, Reporter, Stack

__all__ = ["CloudFormation", "StackTemplate", "apply", "destroy", "lint", "list_names", "plan", "read"]


@dataclass(frozen=True)
class StackTemplate:
    """The desired state of one stack.

    `name` is its full name. `protect` is its termination protection. `volatile_tags` are the tags whose new value alone is no
    reason for a change.
    """

    name: str
    path: Path
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    volatile_tags: tuple[str, ...] = ("Commit", "Run")


def read(cloudformation: CloudFormation, name: str) -> Stack | None:
    """Read a stack; None if there is none, or if only a change set was made for it. StackFailed if AWS refuses."""
    with _explain_refusals(f"reading the stack {name}"):
        description = describe(cloudformation, name)
    return None if description is None or description["StackStatus"] == states.EMPTY else _parse_stack(description)


def list_names(cloudformation: CloudFormation, prefix: str) -> tuple[str, ...]:
    """The names of all stacks that begin with `prefix` and are not deleted. StackFailed if AWS refuses."""
    with _explain_refusals(f"looking for stacks whose names begin with {prefix}"):
        pages = list(list_pages(cloudformation.list_stacks))
    found = (summary for page in pages for summary in page["StackSummaries"])
    existing = {it["StackName"] for it in found if it["StackStatus"] != "DELETE_COMPLETE"}
    return tuple(sorted(name for name in existing if name.startswith(prefix)))


def await_rest(cloudformation: CloudFormation, name: str, report: Reporter, sleep: Pause = time.sleep) -> Stack | None:
    """Wait until no operation is running on the stack, whoever started it, then read it. StackFailed if AWS refuses."""
    with _explain_refusals(f"reading the stack {name}"):
        description = StackSteps(cloudformation, name, report, sleep).wait_for_rest()
    return None if description is None or description["StackStatus"] == states.EMPTY else _parse_stack(description)


def plan(cloudformation: CloudFormation, template: StackTemplate, sleep: Pause = time.sleep) -> tuple[Change, ...]:
    """The changes that `apply` would make, from a change set that is deleted again. TemplateInvalid, or StackFailed."""
    with _explain_refusals(f"planning the stack {template.name}"):
        source = load(template.path, template.parameters)
        description = describe(cloudformation, template.name)
        status = description["StackStatus"] if description else states.EMPTY
        if status in states.CREATION_FAILED or (status == states.DELETION_STOPPED and not template.protect):
            return (
                Change("stack", ChangeKind.REPLACE, template.name, f"is {status}; it is deleted and created again"),
            )
        if status in states.UPDATE_STOPPED:
            detail = f"is {status}; it is rolled back first, then the changes are computed"
            return (Change("stack", ChangeKind.ALTER, template.name, detail),)
        if status != states.EMPTY and status not in states.STEADY:
            raise refuse_status(template.name, status)
        request = _make_request(
            _keep_tags(template, source, description), source, "plan", is_new=status == states.EMPTY
        )
        change_set = changes.create(cloudformation, request, sleep)
        if change_set.changes is not None:
            cloudformation.delete_change_set(ChangeSetName=change_set.arn)
        if status == states.EMPTY:
            cloudformation.delete_stack(StackName=change_set.stack_id)
        return list_changes(template.name, change_set)


def apply(
    cloudformation: CloudFormation,
    template: StackTemplate,
    report: Reporter,
    *,
    before_removal: Callable[[Stack], None] | None = None,
    sleep: Pause = time.sleep,
) -> Stack:
    """Bring the stack to its template and return it; it is not touched if nothing differs. TemplateInvalid, or StackFailed.

    `before_removal` is called with the stack before a machine is removed to be replaced, so that it can be stopped properly.
    """
    steps = StackSteps(cloudformation, template.name, report, sleep)
    with _explain_refusals(f"deploying the stack {template.name}", changes=True):
        source = load(template.path, template.parameters)
        description = steps.prepare_update(is_kept=template.protect)
        if description is None:
            steps.carry_out(steps.propose(_make_request(template, source, "make", is_new=True)))
        else:
            _update(steps, template, source, description, before_removal)
        return _parse_stack(steps.guard(is_wanted=template.protect))


def destroy(cloudformation: CloudFormation, name: str, report: Reporter, sleep: Pause = time.sleep) -> tuple[str, ...]:
    """Delete the stack, also a protected one; returns the retained resources as type and physical id.

    StackFailed if it fails.
    """
    steps = StackSteps(cloudformation, name, report, sleep)
    with _explain_refusals(f"deleting the stack {name}", changes=True):
        description = steps.wait_for_rest()
        return steps.delete(description) if description else ()


# --- private functions


def _update(
    steps: StackSteps,
    template: StackTemplate,
    source: Source,
    description: Mapping[str, Any],
    before_removal: Callable[[Stack], None] | None,
) -> None:
    preview = steps.propose(_make_request(_keep_tags(template, source, description), source, "look"))
    if preview.changes is None:
        return
    if source.keeps_tags:
        steps.carry_out(preview)
        return
    steps.client.delete_change_set(ChangeSetName=preview.arn)
    is_replaced = preview.replaces(source.replaced)
    if source.by_way_of and is_replaced and not _is_same(steps, template, source, description, preview):
        if before_removal:
            before_removal(_parse_stack(description))
        without = replace(template, parameters={**template.parameters, **source.by_way_of})
        steps.carry_out(steps.propose(_make_request(without, source, "leave")))
        steps.carry_out(steps.propose(_make_request(template, source, "make")))
        return
    change_set = steps.propose(_make_request(template, source, "make"))
    # Resources that only get new tags are not reported: the changes of the first change set are.
    steps.carry_out(replace(change_set, changes=preview.changes))


def _is_same(
    steps: StackSteps,
    template: StackTemplate,
    source: Source,
    description: Mapping[str, Any],
    preview: changes.ChangeSet,
) -> bool:
    """Whether a replacement is announced only because a parameter names the same value in another way; reports it then."""
    resolved = false_replacements.find_resolved(description, template.parameters)
    if not resolved:
        return False
    body = steps.client.get_template(StackName=template.name, TemplateStage="Original")["TemplateBody"]
    if not false_replacements.is_same(
        preview, source.replaced, resolved, false_replacements.find_unaltered(body, source.body)
    ):
        return False
    steps.report.notice(
        f"{template.name}: CloudFormation announces a replacement because of {', '.join(sorted(resolved))}, whose value stays "
        "the same; nothing is removed for it"
    )
    return True


def _make_request(template: StackTemplate, source: Source, purpose: str, *, is_new: bool = False) -> dict[str, Any]:
    """The request for a change set. A missing parameter gets the default of the template, never its earlier value."""
    # One run can change a stack twice, and CloudFormation accepts each name of a change set only once.
    name = f"{purpose}-{template.tags.get('Run', 'unnamed')}-{uuid.uuid4().hex[:6]}"
    return {
        "StackName": template.name,
        "ChangeSetName": name,
        "ChangeSetType": "CREATE" if is_new else "UPDATE",
        # With the token, a request that the client repeats after a lost answer makes no second change set.
        "ClientToken": name,
        "TemplateBody": source.body,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in template.parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in template.tags.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def _keep_tags(template: StackTemplate, source: Source, description: Mapping[str, Any] | None) -> StackTemplate:
    """The template, with the values of volatile tags that the stack has already; with 'KeepsTags' with all its tags."""
    old = _parse_tags(description or {})
    if source.keeps_tags and old:
        return replace(template, tags=old)
    kept = {
        key: old.get(key, value) if key in template.volatile_tags else value for key, value in template.tags.items()
    }
    return replace(template, tags=kept)


def _parse_tags(description: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in description.get("Tags", ())}


def _parse_stack(description: Mapping[str, Any]) -> Stack:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", ())}
    # The value of a parameter that names an SSM parameter is what CloudFormation found by that name.
    parameters = {
        it["ParameterKey"]: it.get("ResolvedValue", it.get("ParameterValue", ""))
        for it in description.get("Parameters", ())
    }
    return Stack(description["StackName"], description["StackStatus"], outputs, parameters, _parse_tags(description))


@contextmanager
def _explain_refusals(doing: str, *, changes: bool = False) -> Iterator[None]:
    """Convert errors of AWS and of the connection to it into StackFailed; `changes` is for what changes stacks."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackFailed(
            doing,
            refusals.format_error(error),
            refusals.choose_remedy(error) + (" What CloudFormation changed before is not undone." if changes else ""),
        ) from error
