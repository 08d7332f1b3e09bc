"""The operations on change sets. Their names belong to their stack; only a complete one that is not stale is executed."""

from __future__ import annotations

import copy
import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation.api import answers
from bootstrap.local.aws.cloudformation.api.asked import check_name, find, ready, wanted_from
from bootstrap.local.aws.cloudformation.comparison import changes
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import importing, nested_change_sets
from bootstrap.local.aws.cloudformation.operations.engine import ACCOUNT, Engine
from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Wanted

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."

Input = dict[str, Any]
Output = dict[str, Any]


class ChangeSets:
    """Create, describe, execute, delete and list change sets."""

    _engine: Engine

    def CreateChangeSet(self, asked: Input, region: str) -> Output:  # noqa: N802 (AWS's name, as all below)
        """Compare what is asked with what is, and keep the result under a name."""
        to_import = asked.get("ResourcesToImport", [])
        kind = "IMPORT" if to_import else asked.get("ChangeSetType", "UPDATE")
        if kind == "CREATE":
            check_name(asked["StackName"])
        stack = self._engine.store.find(asked["StackName"], region)
        if kind == "UPDATE" or (kind == "IMPORT" and stack is not None and stack.status != "REVIEW_IN_PROGRESS"):
            stack = find(self._engine, asked["StackName"], region)
            ready(stack, "updated")
        elif stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise Refused(
                f"Stack [{stack.name}] already exists and cannot be created again "
                f"with the changeSet [{asked['ChangeSetName']}]."
            )
        wanted = wanted_from(self._engine, asked, stack, region)
        imports = importing.targets(self._engine, to_import, stack, wanted, region) if kind == "IMPORT" else {}
        if stack is None:
            stack = self._engine.new_stack(asked["StackName"], region, wanted, "REVIEW_IN_PROGRESS")
            stack.record("REVIEW_IN_PROGRESS", "User Initiated")
            self._engine.store.save(stack)
        self._make_room(stack, asked["ChangeSetName"])
        change_set = self._compare(stack, asked, kind, wanted, imports)
        with self._engine.store.lock:
            stack.change_sets.append(change_set)
        self._engine.store.save(stack)
        return {"Id": change_set.id, "StackId": stack.id}

    def DescribeChangeSet(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The change set with its changes, a hundred at a time."""
        stack, change_set = self.change_set(asked, region)
        start = int(asked.get("NextToken", "0"))
        shown = answers.change_set(stack, change_set, with_values=asked.get("IncludePropertyValues", False))
        page = shown["Changes"][start : start + 100]
        more = {"NextToken": str(start + 100)} if len(shown["Changes"]) > start + 100 else {}
        return {**shown, "Changes": page, **more}

    def ExecuteChangeSet(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Start what the change set describes."""
        stack, change_set = self.change_set(asked, region)
        nested_change_sets.check_root(change_set, "executed")
        if change_set.status != "CREATE_COMPLETE" or change_set.execution_status != "AVAILABLE":
            state = change_set.status if change_set.status == "FAILED" else change_set.execution_status
            raise Refused(
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{state}]",
                "InvalidChangeSetStatus",
            )
        if stack.status != "REVIEW_IN_PROGRESS":
            ready(stack, "updated")
        nested_change_sets.begin(self._engine, stack, change_set)
        for other in stack.change_sets:  # the others are not of the stack that it makes
            if other is not change_set:
                nested_change_sets.drop(self._engine, stack, other)
        stack.change_sets = [change_set]
        change_set.execution_status = "EXECUTE_COMPLETE"
        token = asked.get("ClientRequestToken", "")
        if change_set.type == "IMPORT":
            self._engine.import_resources(stack, copy.deepcopy(change_set.wanted), change_set.imports, token=token)
            return {}
        disable = asked.get("DisableRollback", False)
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.wanted = change_set.wanted
            default = "DO_NOTHING" if disable else "ROLLBACK"
            self._engine.create(
                stack,
                on_failure=change_set.on_failure or default,
                token=token,
                retain_except_on_create=asked.get("RetainExceptOnCreate", False),
                change_set=change_set,
            )
        else:
            disable = disable or change_set.on_failure == "DO_NOTHING"
            self._engine.update(
                stack,
                copy.deepcopy(change_set.wanted),
                disable_rollback=disable,
                token=token,
                retain_except_on_create=asked.get("RetainExceptOnCreate", False),
                change_set=change_set,
            )
        return {}

    def DeleteChangeSet(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Drop a change set, and those of nested stacks with it; a stack under review stays, as on AWS."""
        try:
            stack, change_set = self.change_set(asked, region)
        except Refused:
            return {}
        nested_change_sets.check_root(change_set, "deleted")
        nested_change_sets.drop(self._engine, stack, change_set)
        with self._engine.store.lock:
            stack.change_sets.remove(change_set)
        self._engine.store.save(stack)
        return {}

    def ListChangeSets(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The change sets of one stack."""
        stack = find(self._engine, asked["StackName"], region)
        return {"Summaries": [answers.change_set_summary(stack, one) for one in stack.change_sets]}

    def change_set(self, asked: Input, region: str) -> tuple[Stack, ChangeSet]:
        """The change set that a request names, by its ARN or by name within a stack."""
        name = asked["ChangeSetName"]
        stacks = self._engine.store.of(region)
        if "StackName" in asked:
            stacks = [find(self._engine, asked["StackName"], region)]
        elif not name.startswith("arn:"):
            raise Refused("StackName must be specified if ChangeSetName is not specified as an ARN.")
        for stack in stacks:
            for one in stack.change_sets:
                if name in (one.id, one.name):
                    return stack, one
        raise Refused(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound", 404)

    def differences(self, stack: Stack, wanted: Wanted) -> list[dict[str, Any]]:
        """What bringing the stack to `wanted` would change."""
        return changes.compare(self._engine.scopes, stack, wanted)

    def outputs_differ(self, stack: Stack, wanted: Wanted) -> bool:
        """Whether only outputs would change."""
        return changes.differs_beyond_resources(self._engine.scopes, stack, wanted)

    def _compare(self, stack: Stack, asked: Input, kind: str, wanted: Wanted, imports: dict[str, str]) -> ChangeSet:
        name = asked["ChangeSetName"]
        arn = f"arn:aws:cloudformation:{stack.region}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}"
        made = ChangeSet(arn, name, kind, wanted, time.time(), asked.get("Description", ""))
        made.on_failure = asked.get("OnStackFailure", "")
        made.token = asked.get("ClientToken", "")
        made.includes_nested = asked.get("IncludeNestedStacks", False)
        look = nested_change_sets.look(self._engine, stack, made) if made.includes_nested else None
        try:
            found, _ = changes.imagine(self._engine.scopes, stack, wanted, look)
            made.changes = importing.changes(stack, wanted, imports, found) if kind == "IMPORT" else found
            made.imports = imports
            is_empty = kind == "UPDATE" and not made.changes and not self.outputs_differ(stack, wanted)
            reason = NO_CHANGES if is_empty else ""
        except Refused as refusal:
            if kind == "IMPORT":
                raise
            reason = refusal.message
        if reason:
            made.status, made.reason, made.execution_status = "FAILED", reason, "UNAVAILABLE"
        return made

    def _make_room(self, stack: Stack, name: str) -> None:
        for old in [one for one in stack.change_sets if one.name == name]:
            if old.execution_status == "AVAILABLE" or old.status == "FAILED":
                raise Refused(f"ChangeSet [{name}] already exists", "AlreadyExistsException")
            stack.change_sets.remove(old)
