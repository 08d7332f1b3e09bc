"""Requests about one stack that come at the same moment: one begins, the others are told so, or get its answer."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

AT_ONCE = 6


def body(value: str) -> str:
    properties = {"Type": "String", "Value": value}
    return json.dumps({"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": properties}}})


def at_once(call: Callable[[int], Any]) -> list[Any]:
    """The answers to `call`, or the refusals, of as many threads at the same moment."""
    start = threading.Barrier(AT_ONCE)

    def one(number: int) -> Any:
        start.wait()
        try:
            return call(number)
        except ClientError as refusal:
            return refusal

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def settled(api: Any, name: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = api.describe_stacks(StackName=name)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.02)
    raise AssertionError("still in progress")


def began(api: Any, name: str, status: str) -> int:
    """How often the stack's events say that an operation began."""
    events = api.describe_stack_events(StackName=name)["StackEvents"]
    return sum(one["ResourceStatus"] == status and one["LogicalResourceId"] == name for one in events)


def test_of_stacks_of_one_name_that_are_made_at_once_one_is_made(client: Any) -> None:
    api, name = client("cloudformation"), f"once-{uuid.uuid4().hex[:6]}"
    found = at_once(lambda number: api.create_stack(StackName=name, TemplateBody=body(str(number))))
    refusals = [one for one in found if isinstance(one, ClientError)]
    assert {"AlreadyExistsException"} == {one.response["Error"]["Code"] for one in refusals}
    assert AT_ONCE - 1 == len(refusals)
    assert "CREATE_COMPLETE" == settled(api, name)["StackStatus"]
    listed = api.get_paginator("list_stacks").paginate().build_full_result()["StackSummaries"]
    assert 1 == sum(one["StackName"] == name for one in listed)


def test_of_updates_at_once_one_begins(client: Any) -> None:
    api, name = client("cloudformation"), f"once-{uuid.uuid4().hex[:6]}"
    api.create_stack(StackName=name, TemplateBody=body("first"))
    settled(api, name)
    at_once(lambda number: api.update_stack(StackName=name, TemplateBody=body(str(number))))
    assert "UPDATE_COMPLETE" == settled(api, name)["StackStatus"]
    begun = began(api, name, "UPDATE_IN_PROGRESS")
    assert begun == began(api, name, "UPDATE_COMPLETE")
    assert 1 <= begun <= AT_ONCE


def test_a_request_that_is_sent_again_while_the_first_is_answered_begins_nothing(client: Any) -> None:
    api, name, token = client("cloudformation"), f"once-{uuid.uuid4().hex[:6]}", uuid.uuid4().hex
    made = at_once(
        lambda _: api.create_stack(StackName=name, TemplateBody=body("v"), ClientRequestToken=token)["StackId"]
    )
    assert 1 == len(set(map(str, made))), made
    settled(api, name)
    api.create_change_set(StackName=name, ChangeSetName="next", TemplateBody=body("w"))
    found = at_once(
        lambda _: api.execute_change_set(StackName=name, ChangeSetName="next", ClientRequestToken=token + "x")
    )
    assert [] == [one for one in found if isinstance(one, ClientError)]
    settled(api, name)
    assert 1 == began(api, name, "UPDATE_IN_PROGRESS")


def test_an_export_that_two_stacks_publish_at_once_is_one_stacks(client: Any) -> None:
    api, mark = client("cloudformation"), uuid.uuid4().hex[:6]
    exports = {"Outputs": {"V": {"Value": "v", "Export": {"Name": f"once-{mark}"}}}}
    text = json.dumps({**json.loads(body("v")), **exports})
    names = [f"once-{mark}-{number}" for number in range(AT_ONCE)]
    at_once(lambda number: api.create_stack(StackName=names[number], TemplateBody=text))
    states = [settled(api, name)["StackStatus"] for name in names]
    assert ["CREATE_COMPLETE", *["ROLLBACK_COMPLETE"] * (AT_ONCE - 1)] == sorted(states)
