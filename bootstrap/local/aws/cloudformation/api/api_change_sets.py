"""The operations on change sets.

A name is unique within a stack; only a complete change set that is not obsolete is executed.
"""

from __future__ import annotations

import copy
import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation.api import answers
from bootstrap.local.aws.cloudformation.api.input import (
    check_name,
    find,
    read_given,
    read_page_start,
    read_wanted,
    require_ready,
)
from bootstrap.local.aws.cloudformation.comparison import changes
from bootstrap.local.aws.cloudformation.errors import Refused, TransformFailed
from bootstrap.local.aws.cloudformation.operations import importing, nested_change_sets
from bootstrap.local.aws.cloudformation.operations.engine import ACCOUNT, Engine
from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Wanted

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."

Input = dict[str, Any]
Output = dict[str, Any]


class ChangeSets:
    """Create, describe, execute, delete and list change sets."""

    _engine: Engine

    def CreateChangeSet(self, request: Input, region: str) -> Output:  # noqa: N802 (AWS's name, as all below)
        """Compare the desired state with the stack, and store the result as a change set."""
        to_import = request.get("ResourcesToImport", [])
        kind = "IMPORT" if to_import else request.get("ChangeSetType", "UPDATE")
        if kind == "CREATE":
            check_name(request["StackName"])
        stack = self._engine.store.find(request["StackName"], region)
        if kind == "UPDATE" or (kind == "IMPORT" and stack is not None and stack.status != "REVIEW_IN_PROGRESS"):
            stack = find(self._engine, request["StackName"], region)
            require_ready(stack, "updated")
        elif stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise Refused(
                f"Stack [{stack.name}] already exists and cannot be created again "
                f"with the changeSet [{request['ChangeSetName']}]."
            )
        imports, failed = {}, ""
        try:
            desired = read_wanted(self._engine, request, stack, region)
            if kind == "IMPORT":
                imports = importing.find_targets(self._engine, to_import, stack, desired, region)
        except TransformFailed as failure:
            desired, failed = read_given(self._engine, request, stack, region), failure.message
        if stack is None:
            stack = self._engine.make_stack(request["StackName"], region, desired, "REVIEW_IN_PROGRESS")
            stack.record("REVIEW_IN_PROGRESS", "User Initiated")
            self._engine.store.save(stack)
        self._require_free_name(stack, request["ChangeSetName"])
        change_set = self._make(stack, request, kind, desired)
        reason = failed or self._compare(stack, change_set, imports)
        if reason:
            change_set.status, change_set.reason, change_set.execution_status = "FAILED", reason, "UNAVAILABLE"
        with self._engine.store.lock:
            stack.change_sets.append(change_set)
        self._engine.store.save(stack)
        return {"Id": change_set.id, "StackId": stack.id}

    def DescribeChangeSet(self, request: Input, region: str) -> Output:  # noqa: N802
        """The change set with its changes, a hundred on a page."""
        stack, change_set = self.find_change_set(request, region)
        start = read_page_start(request)
        description = answers.describe_change_set(
            stack, change_set, with_values=request.get("IncludePropertyValues", False)
        )
        page = description["Changes"][start : start + 100]
        more = {"NextToken": str(start + 100)} if len(description["Changes"]) > start + 100 else {}
        return {**description, "Changes": page, **more}

    def ExecuteChangeSet(self, request: Input, region: str) -> Output:  # noqa: N802
        """Begin the operation that the change set describes."""
        stack, change_set = self.find_change_set(request, region)
        nested_change_sets.check_root(change_set, "executed")
        if change_set.status != "CREATE_COMPLETE" or change_set.execution_status != "AVAILABLE":
            state = change_set.status if change_set.status == "FAILED" else change_set.execution_status
            raise Refused(
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{state}]",
                "InvalidChangeSetStatus",
            )
        if stack.status != "REVIEW_IN_PROGRESS":
            require_ready(stack, "updated")
        nested_change_sets.begin(self._engine, stack, change_set)
        for other in stack.change_sets:  # the others were computed for the stack before this operation
            if other is not change_set:
                nested_change_sets.drop(self._engine, stack, other)
        stack.change_sets = [change_set]
        change_set.execution_status = "EXECUTE_COMPLETE"
        token = request.get("ClientRequestToken", "")
        if change_set.type == "IMPORT":
            self._engine.import_resources(stack, copy.deepcopy(change_set.wanted), change_set.imports, token=token)
            return {}
        disable = request.get("DisableRollback", False)
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.wanted = change_set.wanted
            default = "DO_NOTHING" if disable else "ROLLBACK"
            self._engine.create(
                stack,
                on_failure=change_set.on_failure or default,
                token=token,
                retain_except_on_create=request.get("RetainExceptOnCreate", False),
                change_set=change_set,
            )
        else:
            disable = disable or change_set.on_failure == "DO_NOTHING"
            self._engine.update(
                stack,
                copy.deepcopy(change_set.wanted),
                disable_rollback=disable,
                token=token,
                retain_except_on_create=request.get("RetainExceptOnCreate", False),
                change_set=change_set,
            )
        return {}

    def DeleteChangeSet(self, request: Input, region: str) -> Output:  # noqa: N802
        """Delete a change set, with those of nested stacks; a stack in REVIEW_IN_PROGRESS stays, as on AWS."""
        try:
            stack, change_set = self.find_change_set(request, region)
        except Refused:
            return {}
        nested_change_sets.check_root(change_set, "deleted")
        nested_change_sets.drop(self._engine, stack, change_set)
        with self._engine.store.lock:
            stack.change_sets.remove(change_set)
        self._engine.store.save(stack)
        return {}

    def ListChangeSets(self, request: Input, region: str) -> Output:  # noqa: N802
        """The change sets of one stack."""
        stack = find(self._engine, request["StackName"], region)
        return {"Summaries": [answers.summarize_change_set(stack, one) for one in stack.change_sets]}

    def find_change_set(self, request: Input, region: str) -> tuple[Stack, ChangeSet]:
        """The change set that a request names by ARN, or by name within a stack; raises Refused."""
        name = request["ChangeSetName"]
        stacks = self._engine.store.list_stacks(region)
        if "StackName" in request:
            stacks = [find(self._engine, request["StackName"], region)]
        elif not name.startswith("arn:"):
            raise Refused("StackName must be specified if ChangeSetName is not specified as an ARN.")
        for stack in stacks:
            for candidate in stack.change_sets:
                if name in (candidate.id, candidate.name):
                    return stack, candidate
        raise Refused(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound", 404)

    def compute_differences(self, stack: Stack, desired: Wanted) -> list[dict[str, Any]]:
        """The resource changes that bring a stack to the desired state."""
        return changes.compare(self._engine.scopes, stack, desired)

    def has_other_outputs(self, stack: Stack, desired: Wanted) -> bool:
        """Whether only outputs would change."""
        return changes.differs_beyond_resources(self._engine.scopes, stack, desired)

    def _make(self, stack: Stack, request: Input, kind: str, desired: Wanted) -> ChangeSet:
        name = request["ChangeSetName"]
        arn = f"arn:aws:cloudformation:{stack.region}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}"
        change_set = ChangeSet(arn, name, kind, desired, time.time(), request.get("Description", ""))
        change_set.on_failure = request.get("OnStackFailure", "")
        change_set.token = request.get("ClientToken", "")
        change_set.includes_nested = request.get("IncludeNestedStacks", False)
        return change_set

    def _compare(self, stack: Stack, change_set: ChangeSet, imports: dict[str, str]) -> str:
        """Write the changes into the change set; returns why it cannot be executed, or an empty text."""
        kind, desired = change_set.type, change_set.wanted
        compare_nested = (
            nested_change_sets.look(self._engine, stack, change_set) if change_set.includes_nested else None
        )
        try:
            entries, _ = changes.imagine(self._engine.scopes, stack, desired, compare_nested)
            change_set.changes = (
                importing.list_changes(stack, desired, imports, entries) if kind == "IMPORT" else entries
            )
            change_set.imports = imports
            is_empty = kind == "UPDATE" and not change_set.changes and not self.has_other_outputs(stack, desired)
            return NO_CHANGES if is_empty else ""
        except Refused as refusal:
            if kind == "IMPORT":
                raise
            return refusal.message

    def _require_free_name(self, stack: Stack, name: str) -> None:
        for old in [change_set for change_set in stack.change_sets if change_set.name == name]:
            if old.execution_status == "AVAILABLE" or old.status == "FAILED":
                raise Refused(f"ChangeSet [{name}] already exists", "AlreadyExistsException")
            stack.change_sets.remove(old)
