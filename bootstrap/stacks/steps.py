"""The operations on one stack: propose, execute, delete, roll back; each waits until the stack settles."""

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
_AS_BEFORE = "Nothing of it was deleted. Remove the cause, then destroy again."


@dataclass(frozen=True)
class StackSteps:
    """The operations on one stack: each waits until the stack settles, and reports the events."""

    client: CloudFormation
    name: str
    report: Reporter
    sleep: Pause

    def propose(self, request: Mapping[str, Any]) -> ChangeSet:
        """Make a change set and wait until it is computed; StackFailed if CloudFormation cannot compute it."""
        return changes.create(self.client, request, self.sleep)

    def carry_out(self, change_set: ChangeSet) -> None:
        """Execute a change set; StackFailed with the first resource that failed by itself."""
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
                states.choose_remedy(status, self.name),
            )

    def prepare_update(self, *, is_kept: bool) -> dict[str, Any] | None:
        """Wait and repair until the stack can be updated; None if it must be created. StackFailed if neither is possible.

        What a failed creation left is deleted. What a failed deletion left is deleted too, except with `is_kept`: the new stack
        would not have the retained data.
        """
        stack = self.wait_for_rest()
        if stack is None or stack["StackStatus"] == states.EMPTY:
            return None
        status = stack["StackStatus"]
        if status in states.STEADY:
            return stack
        if status in states.UPDATE_STOPPED:
            return self.roll_back(stack)
        if status not in states.CREATION_FAILED and (status != states.DELETION_STOPPED or is_kept):
            raise refuse_status(self.name, status)
        failed_operation = "deletion" if status == states.DELETION_STOPPED else "creation"
        self.report.notice(
            f"{self.name} is {status} after a {failed_operation} that failed; it is deleted and created again"
        )
        self.delete(stack)
        return None

    def roll_back(self, stack: Mapping[str, Any]) -> dict[str, Any]:
        """Roll back a stack whose update stopped half way; StackFailed if that fails."""
        status = stack["StackStatus"]
        self.report.notice(f"{self.name} is {status}: the update is rolled back first, then the stack is changed")
        follower = Follower(self.client, stack["StackId"], self.report, self.sleep)
        call = getattr(self.client, states.UPDATE_STOPPED[status])
        call(StackName=stack["StackId"], ClientRequestToken=str(uuid.uuid4()))
        final_status = follower.wait()
        rolled_back = describe(self.client, stack["StackId"])
        if final_status not in states.STEADY or rolled_back is None:
            raise StackFailed(
                f"rolling the stack {self.name} back from {status}",
                f"{final_status}: {follower.failure or 'no resource gives a reason'}",
                states.choose_remedy(final_status, self.name),
            )
        return rolled_back

    def wait_for_rest(self) -> dict[str, Any] | None:
        """Wait until no operation is running on the stack, whoever started it; None if there is no stack."""
        while True:
            stack = describe(self.client, self.name)
            if stack is None or not states.is_busy(stack["StackStatus"]):
                return stack
            self.report.progress(f"waiting for {self.name}, which is {stack['StackStatus']}")
            follower = Follower(self.client, stack["StackId"], self.report, self.sleep)
            # The follower ignores events that exist already. If the last event is one of them, the status shows it.
            stack_now = describe(self.client, stack["StackId"])
            if stack_now is not None and states.is_busy(stack_now["StackStatus"]):
                follower.wait()

    def delete(self, stack: Mapping[str, Any]) -> tuple[str, ...]:
        """Delete the stack, also a protected one; returns its retained resources. StackFailed if the deletion fails."""
        if stack["StackStatus"] == states.EMPTY:
            self.client.delete_stack(StackName=stack["StackId"])
            return ()
        if stack.get("EnableTerminationProtection"):
            self.client.update_termination_protection(EnableTerminationProtection=False, StackName=stack["StackId"])
        self.report.change(Change("stack", ChangeKind.REMOVE, self.name))
        follower = Follower(self.client, stack["StackId"], self.report, self.sleep)
        self.client.delete_stack(StackName=stack["StackId"], ClientRequestToken=str(uuid.uuid4()))
        status = follower.wait()
        if status != "DELETE_COMPLETE":
            reason = f"{status}: {follower.failure or 'no resource gives a reason'}"
            remedy = states.choose_remedy(status, self.name) if status not in states.STEADY else _AS_BEFORE
            raise StackFailed(f"deleting the stack {self.name}", reason, remedy)
        return follower.kept

    def guard(self, *, is_wanted: bool) -> dict[str, Any]:
        """Set the termination protection; returns the stack. StackFailed if the stack was deleted meanwhile."""
        stack = describe(self.client, self.name)
        if stack is None:
            raise StackFailed(
                f"reading the stack {self.name}", "it is deleted", "Somebody deleted it meanwhile; launch again."
            )
        if bool(stack.get("EnableTerminationProtection")) != is_wanted:
            self.client.update_termination_protection(EnableTerminationProtection=is_wanted, StackName=stack["StackId"])
        return stack


def list_changes(name: str, change_set: ChangeSet) -> tuple[Change, ...]:
    """The changes of a change set; one without resources alters only outputs, parameters or conditions."""
    if change_set.changes is None:
        return ()
    return change_set.changes or (Change("stack", ChangeKind.ALTER, name, "outputs or parameters only"),)


def describe(client: CloudFormation, name: str) -> dict[str, Any] | None:
    """Return CloudFormation's description of a stack; None if it does not exist or is deleted. Raises ClientError."""
    try:
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else dict(stack)


def refuse_status(name: str, status: str) -> StackFailed:
    """Return the error for a stack whose status allows no change, with the remedy for that status."""
    return StackFailed(f"changing the stack {name}", f"it is {status}", states.choose_remedy(status, name))
