"""A root stack with nested stacks, some of whose resources are slow or fail."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

PARAMETER = "AWS::SSM::Parameter"


WORD = {"Word": {"Type": "String"}}


SLOW = {"call": "sns.SetTopicAttributes", "do": "slow", "seconds": 2}


FORBIDDEN = "/aws/forbidden"  # a name that SSM takes from nobody


def parameter(value: Any, **more: Any) -> dict[str, Any]:
    return {"Type": PARAMETER, "Properties": {"Type": "String", "Value": value}, **more}


def topic(title: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": title}, **more}


def template(resources: dict[str, Any], output: Any) -> str:
    return json.dumps({"Parameters": WORD, "Resources": resources, "Outputs": {"Name": {"Value": output}}})


LEAF = template({"P": parameter({"Ref": "Word"})}, {"Ref": "P"})


class Family:
    """A root stack and those nested in it, in a cloud of the test's own."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.api = cloud.client("cloudformation")
        self.name = f"family-{uuid.uuid4().hex[:6]}"
        self.id = ""
        self.bucket = f"family-{uuid.uuid4().hex}"
        place = {"LocationConstraint": "eu-central-1"}
        cloud.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=place)

    def nested(self, body: str, word: Any = None, **more: Any) -> dict[str, Any]:
        """A resource that is a nested stack of a template."""
        key = f"{uuid.uuid4().hex}.json"
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode())
        url = f"https://{self.bucket}.s3.eu-central-1.amazonaws.com/{key}"
        given = {"Word": {"Ref": "Word"} if word is None else word}
        return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": given}, **more}

    def arm(self, *faults: dict[str, Any]) -> None:
        self.cloud.control("faults", {"faults": faults})

    def begin(self, body: str, word: str = "one", **more: Any) -> None:
        """Start to create the root, or to update it."""
        given: dict[str, Any] = {"StackName": self.name, "TemplateBody": body}
        given["Parameters"] = [{"ParameterKey": "Word", "ParameterValue": word}]
        if self.id:
            self.api.update_stack(**given, **more)
        else:
            self.id = self.api.create_stack(**given, **more)["StackId"]

    def play(self, body: str, word: str = "one", **more: Any) -> str:
        self.begin(body, word, **more)
        return self.settle()

    def settle(self, stack: str = "") -> str:
        for _ in until():
            status = self.status(stack or self.id)
            if not status.endswith("_IN_PROGRESS"):
                return status
        raise AssertionError("still in progress")

    def status(self, stack: str) -> str:
        return str(self.api.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    def child(self, *path: str) -> str:
        """The id of the stack that lies at a path of logical ids."""
        stack = self.id
        for logical in path:
            found = self.api.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
            stack = found["StackResourceDetail"]["PhysicalResourceId"]
        return stack

    def states(self) -> set[str]:
        """The states of the root and of all that are nested in it."""
        listed = self.api.get_paginator("list_stacks").paginate().build_full_result()["StackSummaries"]
        return {one["StackStatus"] for one in listed if self.id in (one["StackId"], one.get("RootId"))}

    def value(self, stack: str, logical: str = "P") -> str:
        found = self.api.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        return str(self.cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    def until(self, stack: str, logical: str, status: str) -> None:
        for _ in until():
            found = self.api.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
            if found["StackResourceDetail"]["ResourceStatus"] == status:
                return
        raise AssertionError(f"{logical} was never {status}")

    def until_stack(self, stack: str, status: str) -> None:
        for _ in until():
            if self.status(stack) == status:
                return
        raise AssertionError(f"{stack} was never {status}")

    def reasons(self, stack: str, status: str) -> list[str]:
        events = self.api.describe_stack_events(StackName=stack)["StackEvents"]
        return [one.get("ResourceStatusReason", "") for one in events if one["ResourceStatus"] == status]


def until(seconds: float = 60.0) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
