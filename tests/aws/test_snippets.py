"""Templates with snippets in S3: created, shown in both stages, updated, nested, and refused."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]
EXPANDS = {"Capabilities": ["CAPABILITY_AUTO_EXPAND"]}


@pytest.fixture
def bucket(client: Client) -> str:
    name = f"snippets-{uuid.uuid4().hex[:6]}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name


def put(client: Client, bucket: str, key: str, text: str) -> None:
    client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


def template(bucket: str, key: str = "topic.yaml") -> str:
    transform = {"Name": "AWS::Include", "Parameters": {"Location": f"s3://{bucket}/{key}"}}
    return json.dumps({"Resources": {"Own": {"Type": "AWS::SNS::Topic"}, "Fn::Transform": transform}})


def resources(api: Any, stack: str) -> set[str]:
    return {one["LogicalResourceId"] for one in api.list_stack_resources(StackName=stack)["StackResourceSummaries"]}


def test_a_stack_keeps_its_snippet_until_it_is_updated(client: Client, bucket: str) -> None:
    api, name = client("cloudformation"), f"include-{uuid.uuid4().hex[:6]}"
    put(client, bucket, "topic.yaml", 'Topic: {Type: "AWS::SNS::Topic"}')
    with pytest.raises(ClientError, match="CAPABILITY_AUTO_EXPAND"):
        api.create_stack(StackName=name, TemplateBody=template(bucket))
    api.create_stack(StackName=name, TemplateBody=template(bucket), **EXPANDS)
    api.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert {"Own", "Topic"} == resources(api, name)
    assert "Fn::Transform" in api.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]["Resources"]
    assert {"Own", "Topic"} == api.get_template(StackName=name)["TemplateBody"]["Resources"].keys()
    put(client, bucket, "topic.yaml", 'Other: {Type: "AWS::SNS::Topic"}')
    api.update_stack(StackName=name, UsePreviousTemplate=True, **EXPANDS)
    api.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert {"Own", "Other"} == resources(api, name)
    api.delete_stack(StackName=name)


def test_a_nested_stack_has_its_snippet(client: Client, bucket: str) -> None:
    api, name = client("cloudformation"), f"include-{uuid.uuid4().hex[:6]}"
    put(client, bucket, "topic.yaml", 'Topic: {Type: "AWS::SNS::Topic"}')
    put(client, bucket, "child.json", template(bucket))
    url = f"https://{bucket}.s3.eu-central-1.amazonaws.com/child.json"
    nested = {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}
    api.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": nested}), **EXPANDS)
    api.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    child = api.describe_stack_resource(StackName=name, LogicalResourceId="Child")["StackResourceDetail"]
    assert {"Own", "Topic"} == resources(api, child["PhysicalResourceId"])
    api.delete_stack(StackName=name)


def test_a_template_is_described_with_its_snippet_and_a_missing_one_is_named(client: Client, bucket: str) -> None:
    api = client("cloudformation")
    put(client, bucket, "topic.yaml", 'Queue: {Type: "AWS::SQS::Queue"}')
    assert ["AWS::SNS::Topic", "AWS::SQS::Queue"] == api.get_template_summary(TemplateBody=template(bucket))[
        "ResourceTypes"
    ]
    with pytest.raises(ClientError, match=r"AWS::Include failed with: S3 bucket \[none-here\] does not exist\."):
        api.validate_template(TemplateBody=template("none-here"))
    with pytest.raises(ClientError, match="AWS::Include failed with: The specified key does not exist"):
        api.validate_template(TemplateBody=template(bucket, "none"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (template("none-here"), "Transform AWS::Include failed with: S3 bucket [none-here] does not exist."),
        (
            json.dumps({"Transform": "Mine", "Resources": {"Own": {"Type": "AWS::SNS::Topic"}}}),
            "No transform named Mine found.",
        ),
    ],
)
def test_a_transform_that_fails_is_the_reason_of_the_change_set(client: Client, body: str, reason: str) -> None:
    """Nothing can be executed, the template can be read, and the next change set may be better."""
    api, name = client("cloudformation"), f"include-{uuid.uuid4().hex[:6]}"
    asked = {"StackName": name, "ChangeSetType": "CREATE", "ChangeSetName": "one"}
    api.create_change_set(TemplateBody=body, Tags=[{"Key": "a", "Value": "b"}], **asked)
    told = api.describe_change_set(StackName=name, ChangeSetName="one")
    assert ("FAILED", "UNAVAILABLE", reason) == (told["Status"], told["ExecutionStatus"], told["StatusReason"])
    assert ([], [{"Key": "a", "Value": "b"}]) == (told["Changes"], told["Tags"])
    (stack,) = api.describe_stacks(StackName=name)["Stacks"]
    assert "REVIEW_IN_PROGRESS" == stack["StackStatus"]
    (listed,) = api.list_change_sets(StackName=name)["Summaries"]
    assert reason == listed["StatusReason"]
    answer = api.get_template(StackName=name, ChangeSetName="one")
    assert (json.loads(body), ["Original"]) == (answer["TemplateBody"], answer["StagesAvailable"])
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        api.execute_change_set(StackName=name, ChangeSetName="one")
    with pytest.raises(ClientError, match=reason.split(".")[0].replace("[", r"\[").replace("]", r"\]")):
        api.create_stack(StackName=f"{name}-other", TemplateBody=body, **EXPANDS)

    good = json.dumps({"Resources": {"Own": {"Type": "AWS::SNS::Topic"}}})
    api.create_change_set(TemplateBody=good, **{**asked, "ChangeSetName": "two"})
    api.execute_change_set(StackName=name, ChangeSetName="two")
    api.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    api.create_change_set(StackName=name, ChangeSetName="three", TemplateBody=body)
    assert reason == api.describe_change_set(StackName=name, ChangeSetName="three")["StatusReason"]
    assert "CREATE_COMPLETE" == api.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    assert {"Own"} == resources(api, name)
    api.delete_stack(StackName=name)
