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
from bootstrap.stacks.changes import ChangeSet
from bootstrap.stacks.client import CloudFormation
from bootstrap.stacks.events import Follower
from bootstrap.stacks.template import Source, lint, load
from bootstrap.values import Change, ChangeKind, Reporter, Stack

__all__ = ["CloudFormation", "StackTemplate", "apply", "destroy", "lint", "plan", "read"]

Pause = Callable[[float], None]


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
    with _explained(f"looking at the stack {name}"):
        found = _describe(cloudformation, name)
    return None if found is None or found["StackStatus"] == states.EMPTY else _stack(found)


def plan(cloudformation: CloudFormation, template: StackTemplate, sleep: Pause = time.sleep) -> tuple[Change, ...]:
    """What `apply` would do; the change set that tells it is deleted again, and so is a stack that it opened."""
    with _explained(f"planning the stack {template.name}"):
        source = load(template.path, template.parameters)
        found = _describe(cloudformation, template.name)
        status = found["StackStatus"] if found else states.EMPTY
        if status in states.DEAD or (status == states.HALF_GONE and not template.protect):
            return (Change("stack", ChangeKind.REPLACE, template.name, f"is {status}; it is deleted and made anew"),)
        if status in states.HALF_BACK:
            detail = f"is {status}; it is brought back first, and what differs is known then"
            return (Change("stack", ChangeKind.ALTER, template.name, detail),)
        if status != states.EMPTY and status not in states.STEADY:
            raise _unready(template.name, status)
        request = _request(_lasting(template, found), source, "plan", is_new=status == states.EMPTY)
        change_set = changes.create(cloudformation, request, sleep)
        if change_set.changes is not None:
            cloudformation.delete_change_set(ChangeSetName=change_set.arn)
        if status == states.EMPTY:
            cloudformation.delete_stack(StackName=change_set.stack_id)
        return _told(template.name, change_set)


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
    hand = _Hand(cloudformation, template.name, report, sleep)
    with _explained(f"bringing the stack {template.name} to its template"):
        source = load(template.path, template.parameters)
        found = hand.ready(is_kept=template.protect)
        if found is None:
            hand.carry_out(hand.propose(_request(template, source, "make", is_new=True)))
        else:
            _update(hand, template, source, found, before_removal)
        return _stack(hand.guard(is_wanted=template.protect))


def destroy(cloudformation: CloudFormation, name: str, report: Reporter, sleep: Pause = time.sleep) -> tuple[str, ...]:
    """Delete the stack, also a protected one; returns what its template keeps, as type and physical id."""
    hand = _Hand(cloudformation, name, report, sleep)
    with _explained(f"deleting the stack {name}"):
        found = hand.at_rest()
        return hand.delete(found) if found else ()


# --- how it is done


def _update(
    hand: _Hand,
    template: StackTemplate,
    source: Source,
    found: Mapping[str, Any],
    before_removal: Callable[[Stack], None] | None,
) -> None:
    look = hand.propose(_request(_lasting(template, found), source, "look"))
    if look.changes is None:
        return
    if source.keeps_tags:
        hand.carry_out(look)
        return
    hand.client.delete_change_set(ChangeSetName=look.arn)
    if source.by_way_of and look.replaces(source.replaced):
        if before_removal:
            before_removal(_stack(found))
        without = replace(template, parameters={**template.parameters, **source.by_way_of})
        hand.carry_out(hand.propose(_request(without, source, "leave")))
        hand.carry_out(hand.propose(_request(template, source, "make")))
        return
    change_set = hand.propose(_request(template, source, "make"))
    # What only gets the new tags is not worth a line: the changes of the first look are told.
    hand.carry_out(replace(change_set, changes=look.changes))


@dataclass(frozen=True)
class _Hand:
    """What is done to one stack: each step waits until the stack has settled, and tells what happens."""

    client: CloudFormation
    name: str
    report: Reporter
    sleep: Pause

    def propose(self, request: Mapping[str, Any]) -> ChangeSet:
        """A computed change set."""
        return changes.create(self.client, request, self.sleep)

    def carry_out(self, change_set: ChangeSet) -> None:
        """Execute it; StackFailed with the first resource that failed by itself."""
        for change in _told(self.name, change_set):
            self.report.change(change)
        if change_set.changes is None:
            return
        follower = Follower(self.client, change_set.stack_id, self.report, self.sleep)
        self.client.execute_change_set(ChangeSetName=change_set.arn, ClientRequestToken=str(uuid.uuid4()))
        status = follower.wait()
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise StackFailed(
                f"bringing the stack {self.name} to its template",
                f"{status}: {follower.failure or 'no resource tells why'}",
                states.remedy(status, self.name),
            )

    def ready(self, *, is_kept: bool) -> dict[str, Any] | None:
        """The stack, fit for an update, or None where it is to be made; the remains of a failed creation are deleted.

        So are those of a deletion that failed, except of a stack that is kept: what lies in there would be lost to the new one.
        """
        found = self.at_rest()
        if found is None or found["StackStatus"] == states.EMPTY:
            return None
        status = found["StackStatus"]
        if status in states.STEADY:
            return found
        if status in states.HALF_BACK:
            return self.brought_back(found)
        if status not in states.DEAD and (status != states.HALF_GONE or is_kept):
            raise _unready(self.name, status)
        what = "deletion" if status == states.HALF_GONE else "creation"
        self.report.notice(f"{self.name} is {status} after a {what} that failed; it is deleted and made anew")
        self.delete(found)
        return None

    def brought_back(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """A stack whose update stopped half way, back at what it was before; StackFailed where it does not get there."""
        status = found["StackStatus"]
        self.report.notice(
            f"{self.name} is {status}: it is brought back to what it was before that update, then changed"
        )
        follower = Follower(self.client, found["StackId"], self.report, self.sleep)
        call = getattr(self.client, states.HALF_BACK[status])
        call(StackName=found["StackId"], ClientRequestToken=str(uuid.uuid4()))
        ended = follower.wait()
        again = _describe(self.client, found["StackId"])
        if ended not in states.STEADY or again is None:
            raise StackFailed(
                f"bringing the stack {self.name} back from {status}",
                f"{ended}: {follower.failure or 'no resource tells why'}",
                states.remedy(ended, self.name),
            )
        return again

    def at_rest(self) -> dict[str, Any] | None:
        """The stack once nothing is under way in it, whoever began that."""
        while True:
            found = _describe(self.client, self.name)
            if found is None or not states.is_busy(found["StackStatus"]):
                return found
            self.report.progress(f"waiting for {self.name}, which is {found['StackStatus']}")
            follower = Follower(self.client, found["StackId"], self.report, self.sleep)
            # The follower takes what it finds for old; a last event among that shows in the status.
            again = _describe(self.client, found["StackId"])
            if again is not None and states.is_busy(again["StackStatus"]):
                follower.wait()

    def delete(self, found: Mapping[str, Any]) -> tuple[str, ...]:
        """Delete the stack; what its template keeps."""
        if found["StackStatus"] == states.EMPTY:
            self.client.delete_stack(StackName=found["StackId"])
            return ()
        if found.get("EnableTerminationProtection"):
            self.client.update_termination_protection(EnableTerminationProtection=False, StackName=found["StackId"])
        self.report.change(Change("stack", ChangeKind.REMOVE, self.name))
        follower = Follower(self.client, found["StackId"], self.report, self.sleep)
        self.client.delete_stack(StackName=found["StackId"], ClientRequestToken=str(uuid.uuid4()))
        status = follower.wait()
        if status != "DELETE_COMPLETE":
            told = f"{status}: {follower.failure or 'no resource tells why'}"
            raise StackFailed(f"deleting the stack {self.name}", told, states.remedy(status, self.name))
        return follower.kept

    def guard(self, *, is_wanted: bool) -> dict[str, Any]:
        """The stack as it stands now, protected against deletion or not, as wanted."""
        found = _describe(self.client, self.name)
        if found is None:
            raise StackFailed(
                f"reading the stack {self.name}", "it is gone", "Somebody deleted it meanwhile; launch again."
            )
        if bool(found.get("EnableTerminationProtection")) != is_wanted:
            self.client.update_termination_protection(EnableTerminationProtection=is_wanted, StackName=found["StackId"])
        return found


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


def _told(name: str, change_set: ChangeSet) -> tuple[Change, ...]:
    """The changes of a set; one without resources still alters outputs, parameters or conditions."""
    if change_set.changes is None:
        return ()
    return change_set.changes or (Change("stack", ChangeKind.ALTER, name, "outputs or parameters only"),)


def _lasting(template: StackTemplate, found: Mapping[str, Any] | None) -> StackTemplate:
    """The template with the volatile tags that the stack already has."""
    old = {tag["Key"]: tag["Value"] for tag in (found or {}).get("Tags", ()) if tag["Key"] in template.volatile_tags}
    return replace(template, tags={key: old.get(key, value) for key, value in template.tags.items()})


def _describe(client: CloudFormation, name: str) -> dict[str, Any] | None:
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)


def _stack(found: Mapping[str, Any]) -> Stack:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    parameters = {it["ParameterKey"]: it.get("ParameterValue", "") for it in found.get("Parameters", ())}
    return Stack(found["StackName"], found["StackStatus"], outputs, parameters)


def _unready(name: str, status: str) -> StackFailed:
    return StackFailed(f"changing the stack {name}", f"it is {status}", states.remedy(status, name))


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """What AWS or the way to it refuses becomes StackFailed."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackFailed(
            doing, refusals.text(error), f"{refusals.remedy(error)} What CloudFormation did before stays."
        ) from error
