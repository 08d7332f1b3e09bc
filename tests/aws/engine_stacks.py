"""Stacks for the tests of the engine: made, changed, looked at until they settle."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]
QUICK = {"Delay": 1, "MaxAttempts": 60}

PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "one"}}


def template(resources: dict[str, Any], **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def settle(cloudformation: Any, stack: str) -> dict[str, Any]:
    """The stack, as soon as no operation is in progress."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{stack} is still in progress")


def create(cloudformation: Any, body: str, name: str = "", **more: Any) -> dict[str, Any]:
    made = cloudformation.create_stack(StackName=name or unique("stack"), TemplateBody=body, **more)
    return settle(cloudformation, made["StackId"])


def update(cloudformation: Any, stack: dict[str, Any], body: str, **more: Any) -> dict[str, Any]:
    cloudformation.update_stack(StackName=stack["StackName"], TemplateBody=body, **more)
    return settle(cloudformation, stack["StackId"])


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def history(cloudformation: Any, stack: dict[str, Any]) -> list[tuple[str, str]]:
    """Logical id and status of every event, the oldest first."""
    events = cloudformation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events)]


def reasons(cloudformation: Any, stack: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The reason of every event, by logical id and status."""
    events = cloudformation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    return {(one["LogicalResourceId"], one["ResourceStatus"]): one.get("ResourceStatusReason", "") for one in events}
