"""Stack policies, notifications and wait conditions: what the engine says to others, and what it waits for."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]


def settle(client: Client, stack: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{stack} is still in progress")


def reasons(client: Client, stack: str, status: str) -> dict[str, str]:
    events = client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    found = [one for one in events if one["ResourceStatus"] == status]
    return {one["LogicalResourceId"]: one.get("ResourceStatusReason", "") for one in found}


def body(*, cidr: str = "10.90.0.0/16", value: str = "1", gateway: bool = True) -> str:
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
        "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}},
    }
    if gateway:
        resources["Gateway"] = {"Type": "AWS::EC2::InternetGateway"}
    return json.dumps({"Resources": resources})


def statement(effect: str, action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Principal": "*", "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": statements})


OPEN = statement("Allow", "Update:*", "*")
KEEP_VPC = policy(statement("Deny", "Update:Replace", "LogicalResourceId/Vpc"), OPEN)
KEEP_GATEWAYS = policy(
    OPEN,
    statement("Deny", "Update:Delete", "*", Condition={"StringLike": {"ResourceType": ["AWS::EC2::Internet*"]}}),
)


@pytest.mark.parametrize(
    ("text", "altered", "denied"),
    [
        (KEEP_VPC, {"cidr": "10.91.0.0/16"}, ("Vpc", "Statement [#1] does not allow [Update:Replace]")),
        (KEEP_GATEWAYS, {"gateway": False}, ("Gateway", "Statement [#2] does not allow [Update:Delete]")),
        (
            policy(statement("Allow", "Update:Modify", "LogicalResourceId/V*")),
            {"value": "2"},
            ("Note", "no statement allows [Update:Modify]"),
        ),
    ],
)
def test_update_that_the_stack_policy_denies_is_rolled_back_and_names_the_statement(
    client: Client, text: str, altered: dict[str, Any], denied: tuple[str, str]
) -> None:
    name = f"policy-{uuid.uuid4().hex[:6]}"
    api = client("cloudformation")
    api.create_stack(StackName=name, TemplateBody=body(), StackPolicyBody=text)
    assert "CREATE_COMPLETE" == settle(client, name)["StackStatus"]
    api.update_stack(StackName=name, TemplateBody=body(**altered))
    assert "UPDATE_ROLLBACK_COMPLETE" == settle(client, name)["StackStatus"]
    logical, words = denied
    said = reasons(client, name, "UPDATE_FAILED")[logical]
    assert f"Action denied by stack policy: {words} for resource [LogicalResourceId/{logical}];" == said
    during = policy(OPEN)
    api.update_stack(StackName=name, TemplateBody=body(**altered), StackPolicyDuringUpdateBody=during)
    assert "UPDATE_COMPLETE" == settle(client, name)["StackStatus"]
    assert text == api.get_stack_policy(StackName=name)["StackPolicyBody"]
    api.delete_stack(StackName=name)


def test_policy_that_is_set_later_applies_to_change_sets_and_only_to_named_resources(client: Client) -> None:
    name = f"policy-{uuid.uuid4().hex[:6]}"
    api = client("cloudformation")
    api.create_stack(StackName=name, TemplateBody=body())
    settle(client, name)
    api.set_stack_policy(StackName=name, StackPolicyBody=KEEP_VPC)
    for cidr, value, status in (
        ("10.90.0.0/16", "2", "UPDATE_COMPLETE"),
        ("10.92.0.0/16", "3", "UPDATE_ROLLBACK_COMPLETE"),
    ):
        made = api.create_change_set(StackName=name, ChangeSetName="c", TemplateBody=body(cidr=cidr, value=value))
        api.execute_change_set(ChangeSetName=made["Id"])
        assert status == settle(client, name)["StackStatus"]
    api.delete_stack(StackName=name)
    stack_id = made["StackId"]
    assert "DELETE_COMPLETE" == settle(client, stack_id)["StackStatus"]


@pytest.mark.parametrize("text", ["{", "[]", policy({"Effect": "Maybe"}), policy(statement("Deny", "Update:All", "*"))])
def test_invalid_stack_policy_is_refused(client: Client, text: str) -> None:
    with pytest.raises(ClientError, match="Error validating stack policy"):
        client("cloudformation").create_stack(
            StackName=f"policy-{uuid.uuid4().hex[:6]}", TemplateBody=body(), StackPolicyBody=text
        )


def received(client: Client, queue: str) -> list[dict[str, str]]:
    found = []
    while messages := client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for one in messages:
            text = json.loads(one["Body"])["Message"]
            found.append(dict(re.findall(r"^(\w+)='(.*)'$", text, re.MULTILINE)))
            client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return found


def test_topic_of_a_stack_gets_each_event_once(client: Client) -> None:
    name = f"told-{uuid.uuid4().hex[:6]}"
    topic = client("sns").create_topic(Name=name)["TopicArn"]
    queue = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    api = client("cloudformation")
    api.create_stack(StackName=name, TemplateBody=body(), NotificationARNs=[topic])
    stack = settle(client, name)
    assert [topic] == stack["NotificationARNs"]
    time.sleep(0.5)
    told = received(client, queue)
    events = api.describe_stack_events(StackName=name)["StackEvents"]
    assert sorted(one["EventId"] for one in events) == sorted(one["EventId"] for one in told)
    by_id = {one["EventId"]: one for one in told}
    for one in events:
        assert (one["ResourceStatus"], one["LogicalResourceId"], stack["StackId"]) == tuple(
            by_id[one["EventId"]][key] for key in ("ResourceStatus", "LogicalResourceId", "StackId")
        )


def waiting(count: int, timeout: int) -> str:
    resources = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": "Note",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": str(timeout), "Count": count},
        },
        "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Handle"}}},
    }
    return json.dumps({"Resources": resources, "Outputs": {"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}}})


def put(url: str, status: str, unique: str) -> None:
    text = {"Status": status, "UniqueId": unique, "Reason": "so it is", "Data": f"data of {unique}"}
    # By the loopback: the gateway in the address goes with the stack of another test.
    here = urllib.parse.urlsplit(url)
    here = here._replace(netloc=f"127.0.0.1:{here.port}")
    asked = urllib.request.Request(here.geturl(), json.dumps(text).encode(), method="PUT")
    urllib.request.urlopen(asked).close()


def address(client: Client, name: str) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        listed = client("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
        states = {one["LogicalResourceId"]: one for one in listed}
        if states.get("Wait", {}).get("ResourceStatus") == "CREATE_IN_PROGRESS":
            return str(states["Handle"]["PhysicalResourceId"])
        time.sleep(0.02)
    raise AssertionError("it does not wait")


def test_wait_condition_waits_for_its_signals_also_after_a_kill(own_cloud: Any) -> None:
    client = own_cloud.client
    client("cloudformation").create_stack(StackName="waits", TemplateBody=waiting(2, 60))
    url = address(client, "waits")
    put(url, "SUCCESS", "first")
    put(url, "SUCCESS", "first")
    time.sleep(0.3)
    assert (
        "CREATE_IN_PROGRESS" == client("cloudformation").describe_stacks(StackName="waits")["Stacks"][0]["StackStatus"]
    )
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    put(url, "SUCCESS", "second")
    stack = settle(client, "waits")
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    data = json.loads(stack["Outputs"][0]["OutputValue"])
    assert {"first": "data of first", "second": "data of second"} == data


def test_wait_condition_fails_after_a_failure_signal_and_without_signals(client: Client) -> None:
    failed, late = (f"waits-{uuid.uuid4().hex[:6]}" for _ in range(2))
    client("cloudformation").create_stack(StackName=late, TemplateBody=waiting(1, 1))
    client("cloudformation").create_stack(StackName=failed, TemplateBody=waiting(1, 60))
    put(address(client, failed), "FAILURE", "only")
    for name, words in (
        (failed, "WaitCondition received failed message: 'so it is' for uniqueId: only"),
        (late, "WaitCondition timed out. Received 0 conditions when expecting 1"),
    ):
        assert "ROLLBACK_COMPLETE" == settle(client, name)["StackStatus"]
        assert words == reasons(client, name, "CREATE_FAILED")["Wait"]


def test_invalid_signal_is_refused(endpoint: str) -> None:
    for text in (b"{", b"{}", b'{"Status": "MAYBE", "UniqueId": "1"}'):
        asked = urllib.request.Request(f"{endpoint}/_bootstrap/signal/x", text, method="PUT")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(asked)
