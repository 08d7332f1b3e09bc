"""Client request tokens: a repeated request with the same token begins nothing, and gets the answer of the first one."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack

KINDS = {
    "CreateStack": {"CREATE"},
    "UpdateStack": {"UPDATE"},
    "DeleteStack": {"DELETE"},
    "ExecuteChangeSet": {"CREATE", "UPDATE", "IMPORT"},
    "ContinueUpdateRollback": {"ROLLBACK"},
    "RollbackStack": {"ROLLBACK", "CREATE"},
    "CancelUpdateStack": {"CANCEL"},
}
WITH_ID = frozenset({"CreateStack", "UpdateStack", "RollbackStack"})


class Tokens:
    """Finds earlier requests by their tokens."""

    _engine: Engine

    def find_earlier_answer(self, operation: str, request: dict[str, Any], region: str) -> dict[str, Any] | None:
        """The answer of an earlier request with the same token, or None. Raises Refused if that was another operation."""
        if operation == "CreateChangeSet" and request.get("ClientToken"):
            return self._find_change_set(request, region)
        token = request.get("ClientRequestToken")
        if not token or operation not in KINDS:
            return None
        stack = self._find_stack(request, region)
        if stack is None or token not in stack.tokens:
            return None
        if stack.tokens[token] not in KINDS[operation]:
            raise Refused(
                f"A client request token {token} was used for another operation on stack {stack.name}",
                "TokenAlreadyExistsException",
            )
        return {"StackId": stack.id} if operation in WITH_ID else {}

    def _find_stack(self, request: dict[str, Any], region: str) -> Stack | None:
        if "ChangeSetName" not in request:
            return self._engine.store.find(request.get("StackName", ""), region)
        try:
            return self.find_change_set(request, region)[0]
        except Refused:
            return None

    def find_change_set(self, request: dict[str, Any], region: str) -> tuple[Stack, ChangeSet]:
        """The change set that a request names; `ChangeSets` implements it."""
        raise Refused(f"ChangeSet [{request['ChangeSetName']}] does not exist", "ChangeSetNotFound", 404)

    def _find_change_set(self, request: dict[str, Any], region: str) -> dict[str, Any] | None:
        stack = self._engine.store.find(request["StackName"], region)
        for change_set in stack.change_sets if stack else ():
            if change_set.token == request["ClientToken"] and change_set.name == request["ChangeSetName"]:
                assert stack is not None
                return {"Id": change_set.id, "StackId": stack.id}
        return None
