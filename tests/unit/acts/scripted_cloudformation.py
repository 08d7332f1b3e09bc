"""A CloudFormation of few words: the states of a stack, its events and change sets."""

import itertools
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from tests.recorder import Recorder

MODEL = botocore.session.get_session().get_service_model("cloudformation")
ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/it/1"
SAME = "The submitted information didn't contain changes. Submit different information to create a change set."
TAGS = {"Project": "p", "Commit": "new", "Run": "r2"}
TEMPLATE = """
Metadata: {Replacement: {Of: [Machine], ByWayOf: {Presence: absent}}}
Parameters:
  Size: {Type: Number}
  Presence: {Type: String, Default: present}
Resources:
  Machine: {Type: "AWS::EC2::Instance", Properties: {ImageId: !Ref Size}}
"""


class Cloud:
    """One stack's CloudFormation.

    `proposals` are the results of the coming change sets: a list of resource changes, or the reason why one fails.
    `operations` are the events of the coming executions and deletions, each (logical id, status, reason).
    """

    def __init__(
        self, status: str = "", *, proposals: Any = (), operations: Any = (), protected: bool = False, **tags: str
    ) -> None:
        self.proposals, self.operations = list(proposals), list(operations)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sets: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.stack: dict[str, Any] = {}
        self.number = itertools.count()
        if status:
            self.open(status, tags)
            self.stack["EnableTerminationProtection"] = protected

    def open(self, status: str, tags: dict[str, str]) -> None:
        shown = [{"Key": key, "Value": value} for key, value in tags.items()]
        outputs = [{"OutputKey": "Id", "OutputValue": "x"}]
        self.stack = {"StackName": "it", "StackId": ID, "StackStatus": status, "Tags": shown, "Outputs": outputs}
        self.tell("it", status)

    def tell(self, logical: str, status: str, reason: str = "") -> None:
        event = {"EventId": str(next(self.number)), "LogicalResourceId": logical, "ResourceStatus": status}
        event |= {"PhysicalResourceId": ID if logical == "it" else f"{logical}-1", "ResourceType": f"Type::{logical}"}
        self.history.insert(0, event | ({"ResourceStatusReason": reason} if reason else {}))
        if logical == "it":
            self.stack["StackStatus"] = status

    def operate(self) -> None:
        for event in self.operations.pop(0):
            self.tell(*event)

    def asked(self, name: str) -> list[dict[str, Any]]:
        return [request for called, request in self.calls if called == name]

    def __getattr__(self, name: str) -> Any:
        operation = "".join(part.title() for part in name.split("_"))

        def call(**request: Any) -> Any:
            validate_parameters(request, MODEL.operation_model(operation).input_shape)
            self.calls.append((name, request))
            return getattr(self, f"on_{name}")(request)

        return call

    def on_describe_stacks(self, request: dict[str, Any]) -> Any:
        if not self.stack or self.stack["StackStatus"] == "DELETE_COMPLETE":
            told = {
                "Error": {"Code": "ValidationError", "Message": f"Stack with id {request['StackName']} does not exist"}
            }
            raise ClientError(told, "DescribeStacks")
        return {"Stacks": [dict(self.stack)]}

    def on_describe_stack_events(self, request: dict[str, Any]) -> Any:
        start = int(request.get("NextToken", 0))
        page = {"StackEvents": self.history[start : start + 2]}
        return page | ({"NextToken": str(start + 2)} if start + 2 < len(self.history) else {})

    def on_create_change_set(self, request: dict[str, Any]) -> Any:
        arn = f"arn:aws:cloudformation:eu-central-1:123456789012:changeSet/{request['ChangeSetName']}/1"
        assert arn not in self.sets, "a change set of that name exists"
        assert request["ChangeSetType"] == ("UPDATE" if self.stack.get("StackStatus", "REV").find("REV") else "CREATE")
        self.sets[arn] = self.proposals.pop(0)
        if not self.stack:
            self.open("REVIEW_IN_PROGRESS", {})
        return {"Id": arn, "StackId": ID}

    def on_describe_change_set(self, request: dict[str, Any]) -> Any:
        found = self.sets[request["ChangeSetName"]]
        if isinstance(found, str):
            return {"Status": "FAILED", "StatusReason": found}
        if "NextToken" not in request and 1 == len(
            [1 for name, it in self.calls if (name, it) == ("describe_change_set", request)]
        ):
            return {"Status": "CREATE_IN_PROGRESS"}
        start = int(request.get("NextToken", 0))
        page = {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": it} for it in found[start : start + 1]]}
        return page | ({"NextToken": str(start + 1)} if start + 1 < len(found) else {})

    def on_delete_change_set(self, request: dict[str, Any]) -> None:
        del self.sets[request["ChangeSetName"]]

    def on_execute_change_set(self, request: dict[str, Any]) -> None:
        assert isinstance(self.sets.pop(request["ChangeSetName"]), list), "a failed change set cannot be executed"
        self.operate()

    def on_delete_stack(self, _: dict[str, Any]) -> None:
        assert not self.stack.get("EnableTerminationProtection"), "the stack is protected"
        if self.stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            self.stack = {}
        else:
            self.operate()

    def on_update_termination_protection(self, request: dict[str, Any]) -> None:
        self.stack["EnableTerminationProtection"] = request["EnableTerminationProtection"]


def altered(logical: str = "Group", action: str = "Modify", **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": logical, "ResourceType": f"Type::{logical}", **more}


UPDATED = [("it", "UPDATE_IN_PROGRESS"), ("Group", "UPDATE_COMPLETE"), ("it", "UPDATE_COMPLETE")]


def apply(cloud: Cloud, wished: StackTemplate, told: Recorder | None = None, **more: Any) -> Any:
    return stack.apply(cloud, wished, told or Recorder(), sleep=lambda _: None, **more)
