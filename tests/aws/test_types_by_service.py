"""Every type that has an adapter is made, read back, altered, compared, kept over a kill, and deleted: one template a file."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from service_changes import ALTER, ALTERED
from service_readings import READ, TAGS

Client = Callable[[str], Any]


FILES = sorted((Path(__file__).parent / "types").glob("*.yaml"))


GIVEN = {"Capabilities": ["CAPABILITY_NAMED_IAM"], "Tags": [{"Key": "Project", "Value": "jenkins"}]}


class _Loader(yaml.SafeLoader):
    """Keeps short forms as functions."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def document(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506 (a safe loader with CloudFormation's tags)
    return read


def filled(value: Any, outputs: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, outputs) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, outputs) for item in value]
    return (
        outputs[value[1:-1]] if isinstance(value, str) and value.startswith("{") and value[1:-1] in outputs else value
    )


def at(answer: Any, path: str) -> Any:
    """The value at a path; a number counts the members of an answer as well as of a list."""
    for part in path.split("."):
        if isinstance(answer, dict) and part.isdigit():
            members = [
                value for key, value in answer.items() if key not in {"ResponseMetadata", "NextToken", "IsTruncated"}
            ]
            answer = members[int(part)]
        else:
            answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


class Stack:
    """A stack of one template."""

    def __init__(self, client: Client, path: Path) -> None:
        self.client, self.api, self.document = client, client("cloudformation"), document(path)
        name = f"{path.stem}-{uuid.uuid4().hex[:6]}"
        self.id: str = self.api.create_stack(StackName=name, TemplateBody=json.dumps(self.document), **GIVEN)["StackId"]

    def settled(self) -> dict[str, Any]:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            found: dict[str, Any] = self.api.describe_stacks(StackName=self.id)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                assert {} == self.failures()
                return found
            time.sleep(0.05)
        raise AssertionError("still in progress")

    def failures(self) -> dict[str, str]:
        pages = self.api.get_paginator("describe_stack_events").paginate(StackName=self.id)
        events = [event for page in pages for event in page["StackEvents"]]
        return {
            one["LogicalResourceId"]: one.get("ResourceStatusReason", "")
            for one in events
            if one["ResourceStatus"].endswith("_FAILED")
        }

    def outputs(self) -> dict[str, str]:
        found = self.api.describe_stacks(StackName=self.id)["Stacks"][0]["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    def physical(self) -> dict[str, str]:
        found = self.api.list_stack_resources(StackName=self.id)["StackResourceSummaries"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def ask(self, service: str, call: str, given: dict[str, Any], path: str) -> Any:
        return at(getattr(self.client(service), call)(**filled(given, self.outputs())), path)

    def drifted(self) -> dict[str, str]:
        self.api.detect_stack_drift(StackName=self.id)
        found = self.api.describe_stack_resource_drifts(StackName=self.id)["StackResourceDrifts"]
        return {
            one["LogicalResourceId"]: one["StackResourceDriftStatus"]
            for one in found
            if one["StackResourceDriftStatus"] not in {"IN_SYNC", "NOT_CHECKED"}
        }


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def made(client: Client, request: pytest.FixtureRequest) -> tuple[str, Stack]:
    stack = Stack(client, request.param)
    assert "CREATE_COMPLETE" == stack.settled()["StackStatus"]
    return request.param.stem, stack


def test_resources_read_back_as_written(made: tuple[str, Stack]) -> None:
    name, stack = made
    outputs = stack.outputs()
    expected = [(call, path, filled(value, outputs)) for _, call, _, path, value in READ[name]]
    assert expected == [
        (call, path, stack.ask(service, call, given, path)) for service, call, given, path, _ in READ[name]
    ]


def test_stack_tags_are_on_them(made: tuple[str, Stack]) -> None:
    name, stack = made
    for service, call, given, path in TAGS[name]:
        found = stack.ask(service, call, given, path)
        pairs = [found] if isinstance(found, dict) else found
        flat = {text for pair in pairs for item in pair.items() for text in item}
        assert {"Project", "jenkins"} <= flat, (call, found)


def test_changes_are_made_in_place(made: tuple[str, Stack]) -> None:
    name, stack = made
    before = stack.physical()
    for logical, key, value in ALTER[name]:
        stack.document["Resources"][logical]["Properties"][key] = value
    stack.api.update_stack(StackName=stack.id, TemplateBody=json.dumps(stack.document), **GIVEN)
    assert "UPDATE_COMPLETE" == stack.settled()["StackStatus"]
    assert before == stack.physical()
    outputs = stack.outputs()
    expected = [(call, path, filled(value, outputs)) for _, call, _, path, value in ALTERED[name]]
    found = [(call, path, stack.ask(service, call, given, path)) for service, call, given, path, _ in ALTERED[name]]
    assert expected == found


def test_same_template_again_is_no_change(made: tuple[str, Stack]) -> None:
    _, stack = made
    shown = stack.api.create_change_set(StackName=stack.id, ChangeSetName="again", UsePreviousTemplate=True, **GIVEN)
    described = stack.api.describe_change_set(ChangeSetName=shown["Id"])
    assert ([], "FAILED") == (described["Changes"], described["Status"])


def test_nothing_has_drifted_and_deletion_leaves_nothing(made: tuple[str, Stack]) -> None:
    _, stack = made
    assert {} == stack.drifted()
    stack.api.delete_stack(StackName=stack.id)
    assert "DELETE_COMPLETE" == stack.settled()["StackStatus"]


def test_every_type_is_as_it_was_after_a_kill(own_cloud: Any) -> None:
    stacks = [Stack(own_cloud.client, path) for path in FILES]
    before = {}
    for stack in stacks:
        stack.settled()
        before[stack.id] = (stack.physical(), stack.outputs())
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    for stack in stacks:
        assert before[stack.id] == (stack.physical(), stack.outputs())
        assert {} == stack.drifted()
        stack.api.delete_stack(StackName=stack.id)
    for stack in stacks:
        assert "DELETE_COMPLETE" == stack.settled()["StackStatus"]
