"""Client request tokens: the same token again begins nothing, and gets the answer that the first request got."""

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
    """Knows requests that were made before."""

    _engine: Engine

    def asked_before(self, operation: str, asked: dict[str, Any], region: str) -> dict[str, Any] | None:
        """The answer to a request that was made before, else None. Raises Refused where its token stands for another."""
        if operation == "CreateChangeSet" and asked.get("ClientToken"):
            return self._change_set_made(asked, region)
        token = asked.get("ClientRequestToken")
        if not token or operation not in KINDS:
            return None
        stack = self._stack_asked(asked, region)
        if stack is None or token not in stack.tokens:
            return None
        if stack.tokens[token] not in KINDS[operation]:
            raise Refused(
                f"A client request token {token} was used for another operation on stack {stack.name}",
                "TokenAlreadyExistsException",
            )
        return {"StackId": stack.id} if operation in WITH_ID else {}

    def _stack_asked(self, asked: dict[str, Any], region: str) -> Stack | None:
        if "ChangeSetName" not in asked:
            return self._engine.store.find(asked.get("StackName", ""), region)
        try:
            return self.change_set(asked, region)[0]
        except Refused:
            return None

    def change_set(self, asked: dict[str, Any], region: str) -> tuple[Stack, ChangeSet]:
        """The change set that a request names (the operations on change sets give it)."""
        raise Refused(f"ChangeSet [{asked['ChangeSetName']}] does not exist", "ChangeSetNotFound", 404)

    def _change_set_made(self, asked: dict[str, Any], region: str) -> dict[str, Any] | None:
        stack = self._engine.store.find(asked["StackName"], region)
        for one in stack.change_sets if stack else ():
            if one.token == asked["ClientToken"] and one.name == asked["ChangeSetName"]:
                assert stack is not None
                return {"Id": one.id, "StackId": stack.id}
        return None
