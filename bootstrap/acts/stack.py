"""The stack act: each stack is what its template and the settings say, and a plan is exactly what will be carried out.

Every change goes through a change set. The one that decides is made with the tags of the commit and the run that the stack
already carries: were they new each time, every launch would change every resource. Only when something else differs is the
change set made again with the new ones, and carried out; not even then where the template says that a resource of it cannot
take a new tag ('KeepsTags' in its metadata). A failure is CloudFormation's to roll back, and ours to explain.

A machine that holds a volume cannot be replaced as CloudFormation replaces, the new before the old goes. A template names such
resources in its metadata ('Replacement'), with the parameters under which they do not exist; the act goes that way first.
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
from bootstrap.stacks import changes, states
from bootstrap.stacks.client import CloudFormation
from bootstrap.stacks.steps import Pause, StackSteps, describe, list_changes, refuse_status
from bootstrap.stacks.template import Source, lint, load
from bootstrap.values import Change, ChangeKind, Reporter, Stack

__all__ = ["CloudFormation", "StackTemplate", "apply", "destroy", "lint", "plan", "read"]


@dataclass(frozen=True)
class StackTemplate:
    """One stack as it should be.

    `name` is its full name. `protect` guards it against deletion. `volatile_tags` are those whose new value alone is no reason
    to touch anything.
    """

    name: str
    path: Path
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    volatile_tags: tuple[str, ...] = ("Commit", "Run")


def read(cloudformation: CloudFormation, name: str) -> Stack | None:
    """The stack of that name, or None; one that was only ever planned does not count."""
    with _explained(f"reading the stack {name}"):
        found = describe(cloudformation, name)
    return None if found is None or found["StackStatus"] == states.EMPTY else _stack(found)


def plan(cloudformation: CloudFormation, template: StackTemplate, sleep: Pause = time.sleep) -> tuple[Change, ...]:
    """What `apply` would do; the change set that tells it is deleted again, and so is a stack that it opened."""
    with _explained(f"planning the stack {template.name}"):
        source = load(template.path, template.parameters)
        found = describe(cloudformation, template.name)
        status = found["StackStatus"] if found else states.EMPTY
        if status in states.DEAD or (status == states.HALF_GONE and not template.protect):
            return (
                Change("stack", ChangeKind.REPLACE, template.name, f"is {status}; it is deleted and created again"),
            )
        if status in states.HALF_BACK:
            detail = f"is {status}; it is rolled back first, then the changes are computed"
            return (Change("stack", ChangeKind.ALTER, template.name, detail),)
        if status != states.EMPTY and status not in states.STEADY:
            raise refuse_status(template.name, status)
        request = _request(_lasting(template, found), source, "plan", is_new=status == states.EMPTY)
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
    """Bring the stack to its template and return it; one to which nothing is to be done is returned untouched.

    `before_removal` is called with the stack before a machine is taken away to be replaced: to stop it in good order.
    """
    steps = StackSteps(cloudformation, template.name, report, sleep)
    with _explained(f"deploying the stack {template.name}"):
        source = load(template.path, template.parameters)
        found = steps.ready(is_kept=template.protect)
        if found is None:
            steps.carry_out(steps.propose(_request(template, source, "make", is_new=True)))
        else:
            _update(steps, template, source, found, before_removal)
        return _stack(steps.guard(is_wanted=template.protect))


def destroy(cloudformation: CloudFormation, name: str, report: Reporter, sleep: Pause = time.sleep) -> tuple[str, ...]:
    """Delete the stack, also a protected one; returns what its template keeps, as type and physical id."""
    steps = StackSteps(cloudformation, name, report, sleep)
    with _explained(f"deleting the stack {name}"):
        found = steps.at_rest()
        return steps.delete(found) if found else ()


# --- how it is done


def _update(
    steps: StackSteps,
    template: StackTemplate,
    source: Source,
    found: Mapping[str, Any],
    before_removal: Callable[[Stack], None] | None,
) -> None:
    look = steps.propose(_request(_lasting(template, found), source, "look"))
    if look.changes is None:
        return
    if source.keeps_tags:
        steps.carry_out(look)
        return
    steps.client.delete_change_set(ChangeSetName=look.arn)
    if source.by_way_of and look.replaces(source.replaced):
        if before_removal:
            before_removal(_stack(found))
        without = replace(template, parameters={**template.parameters, **source.by_way_of})
        steps.carry_out(steps.propose(_request(without, source, "leave")))
        steps.carry_out(steps.propose(_request(template, source, "make")))
        return
    change_set = steps.propose(_request(template, source, "make"))
    # What only gets the new tags is not worth a line: the changes of the first look are told.
    steps.carry_out(replace(change_set, changes=look.changes))


def _request(template: StackTemplate, source: Source, purpose: str, *, is_new: bool = False) -> dict[str, Any]:
    """The request for a change set. Parameters that are not given take the template's defaults, never an earlier value."""
    # One run may change a stack twice, and the name of a change set is its own for as long as CloudFormation remembers it.
    name = f"{purpose}-{template.tags.get('Run', 'unnamed')}-{uuid.uuid4().hex[:6]}"
    return {
        "StackName": template.name,
        "ChangeSetName": name,
        "ChangeSetType": "CREATE" if is_new else "UPDATE",
        # A request that the client itself repeats after a lost answer makes no second change set.
        "ClientToken": name,
        "TemplateBody": source.body,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in template.parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in template.tags.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def _lasting(template: StackTemplate, found: Mapping[str, Any] | None) -> StackTemplate:
    """The template with the volatile tags that the stack already has."""
    old = {tag["Key"]: tag["Value"] for tag in (found or {}).get("Tags", ()) if tag["Key"] in template.volatile_tags}
    return replace(template, tags={key: old.get(key, value) for key, value in template.tags.items()})


def _stack(found: Mapping[str, Any]) -> Stack:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    parameters = {it["ParameterKey"]: it.get("ParameterValue", "") for it in found.get("Parameters", ())}
    return Stack(found["StackName"], found["StackStatus"], outputs, parameters)


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """What AWS or the way to it refuses becomes StackFailed."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackFailed(
            doing, refusals.text(error), f"{refusals.remedy(error)} What CloudFormation changed before is not undone."
        ) from error
