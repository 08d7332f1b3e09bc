"""The steps on one stack: propose, execute, delete, bring back; each waits until the stack has settled."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from bootstrap.errors import StackFailed
from bootstrap.stacks import changes, states
from bootstrap.stacks.changes import ChangeSet
from bootstrap.stacks.client import CloudFormation
from bootstrap.stacks.events import Follower
from bootstrap.values import Change, ChangeKind, Reporter

Pause = Callable[[float], None]


@dataclass(frozen=True)
class StackSteps:
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
        for change in list_changes(self.name, change_set):
            self.report.change(change)
        if change_set.changes is None:
            return
        follower = Follower(self.client, change_set.stack_id, self.report, self.sleep)
        self.client.execute_change_set(ChangeSetName=change_set.arn, ClientRequestToken=str(uuid.uuid4()))
        status = follower.wait()
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise StackFailed(
                f"deploying the stack {self.name}",
                f"{status}: {follower.failure or 'no resource gives a reason'}",
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
            raise refuse_status(self.name, status)
        what = "deletion" if status == states.HALF_GONE else "creation"
        self.report.notice(f"{self.name} is {status} after a {what} that failed; it is deleted and created again")
        self.delete(found)
        return None

    def brought_back(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """A stack whose update stopped half way, back at what it was before; StackFailed where it does not get there."""
        status = found["StackStatus"]
        self.report.notice(f"{self.name} is {status}: the update is rolled back first, then the stack is changed")
        follower = Follower(self.client, found["StackId"], self.report, self.sleep)
        call = getattr(self.client, states.HALF_BACK[status])
        call(StackName=found["StackId"], ClientRequestToken=str(uuid.uuid4()))
        ended = follower.wait()
        again = describe(self.client, found["StackId"])
        if ended not in states.STEADY or again is None:
            raise StackFailed(
                f"rolling the stack {self.name} back from {status}",
                f"{ended}: {follower.failure or 'no resource gives a reason'}",
                states.remedy(ended, self.name),
            )
        return again

    def at_rest(self) -> dict[str, Any] | None:
        """The stack once nothing is under way in it, whoever began that."""
        while True:
            found = describe(self.client, self.name)
            if found is None or not states.is_busy(found["StackStatus"]):
                return found
            self.report.progress(f"waiting for {self.name}, which is {found['StackStatus']}")
            follower = Follower(self.client, found["StackId"], self.report, self.sleep)
            # The follower takes what it finds for old; a last event among that shows in the status.
            again = describe(self.client, found["StackId"])
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
            told = f"{status}: {follower.failure or 'no resource gives a reason'}"
            raise StackFailed(f"deleting the stack {self.name}", told, states.remedy(status, self.name))
        return follower.kept

    def guard(self, *, is_wanted: bool) -> dict[str, Any]:
        """The stack as it stands now, protected against deletion or not, as wanted."""
        found = describe(self.client, self.name)
        if found is None:
            raise StackFailed(
                f"reading the stack {self.name}", "it is deleted", "Somebody deleted it meanwhile; launch again."
            )
        if bool(found.get("EnableTerminationProtection")) != is_wanted:
            self.client.update_termination_protection(EnableTerminationProtection=is_wanted, StackName=found["StackId"])
        return found


def list_changes(name: str, change_set: ChangeSet) -> tuple[Change, ...]:
    """The changes of a set; one without resources still alters outputs, parameters or conditions."""
    if change_set.changes is None:
        return ()
    return change_set.changes or (Change("stack", ChangeKind.ALTER, name, "outputs or parameters only"),)


def describe(client: CloudFormation, name: str) -> dict[str, Any] | None:
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)


def refuse_status(name: str, status: str) -> StackFailed:
    return StackFailed(f"changing the stack {name}", f"it is {status}", states.remedy(status, name))
