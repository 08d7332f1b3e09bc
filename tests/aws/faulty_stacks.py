"""Stacks of a cloud in which faults are injected."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from botocore.config import Config

PARAMETER = "AWS::SSM::Parameter"
GATEWAY = {"Type": "AWS::EC2::InternetGateway"}


def template(values: dict[str, str], **more: Any) -> str:
    """A template of SSM parameters, each of which depends on the previous one."""
    resources: dict[str, Any] = dict(more)
    before = ""
    for name, value in values.items():
        resources[name] = {"Type": PARAMETER, "Properties": {"Type": "String", "Value": value}}
        if before:
            resources[name]["DependsOn"] = before
        before = name
    return json.dumps({"Resources": resources})


class Stack:
    """One stack of a cloud, and the faults of that cloud."""

    def __init__(self, own_cloud: Any, name: str = "faulty") -> None:
        self.cloud = own_cloud
        self.name = name
        self.api = own_cloud.client("cloudformation")
        self.id = ""

    def arm(self, asked: Any) -> Any:
        return self.cloud.control("faults", asked)

    def armed(self) -> list[dict[str, Any]]:
        return list(self.cloud.control("faults")["faults"])

    def create(self, body: str, **more: Any) -> str:
        self.id = self.api.create_stack(StackName=self.name, TemplateBody=body, **more)["StackId"]
        return self.settle()

    def update(self, body: str, **more: Any) -> str:
        self.api.update_stack(StackName=self.name, TemplateBody=body, **more)
        return self.settle()

    def delete(self, **more: Any) -> str:
        self.api.delete_stack(StackName=self.name, **more)
        return self.settle()

    def settle(self) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status = self.status()
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.02)
        raise AssertionError("still in progress")

    def status(self) -> str:
        return str(self.api.describe_stacks(StackName=self.id)["Stacks"][0]["StackStatus"])

    def reach(self, status: str) -> None:
        end = time.monotonic() + 30
        while status != self.status():
            assert time.monotonic() < end
            time.sleep(0.02)

    def reasons(self, status: str) -> dict[str, str]:
        events = self.api.describe_stack_events(StackName=self.id)["StackEvents"]
        found = [one for one in events if one["ResourceStatus"] == status]
        return {one["LogicalResourceId"]: one.get("ResourceStatusReason", "") for one in found}

    def value(self, logical: str) -> str:
        listed = self.api.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        name = next(one["PhysicalResourceId"] for one in listed if one["LogicalResourceId"] == logical)
        return str(self.cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def lend(cloud: Any) -> Iterator[Stack]:
    """A stack for one test, which may kill and restart its cloud; the faults are taken out afterwards."""
    made = Stack(cloud, f"faulty-{uuid.uuid4().hex[:6]}")
    yield made
    made.arm({})


def on(step: str, **more: Any) -> dict[str, Any]:
    return {"faults": [{"resource": PARAMETER, "on": step, **more}]}


def quick(stack: Stack, service: str, **config: Any) -> Any:
    return stack.cloud.new_client(service, Config(**config))
