"""The aws CLI as it is: deploy, wait, events, change sets, drift, package, delete."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

TEMPLATE = """
Parameters: {Word: {Type: String, Default: one}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Word}}
  Queue: {Type: AWS::SQS::Queue}
Outputs: {Topic: {Value: !Ref Topic}}
"""
BROKEN = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Parameter: {Type: AWS::SSM::Parameter, DependsOn: Topic, Properties: {Name: /aws/refused, Type: String, Value: v}}
"""


def cloudformation(tools: Any, command: str, **more: Any) -> Any:
    """Run a command that answers JSON."""
    printed = tools.run("aws", "cloudformation", *command.split(), **more)
    return json.loads(printed) if printed.strip() else None


@pytest.fixture
def deploy(tools: Any) -> Any:
    """`aws cloudformation deploy` of the template, under a name of its own in each test."""
    tools.write(template__yaml=TEMPLATE, broken__yaml=BROKEN)

    def run(stack: str, template: str = "template", *more: str, exits: int = 0) -> str:
        command = ("deploy", "--stack-name", stack, "--template-file", f"{template}.yaml", *more)
        printed: str = tools.run("aws", "cloudformation", *command, exits=exits)
        time.sleep(1)  # it names its change sets by the second, and one that found no changes keeps its name
        return printed

    return run


def test_deploy_creates_then_updates_then_has_nothing_to_do(tools: Any, deploy: Any) -> None:
    assert "Successfully created/updated stack - deployed" in deploy("deployed")
    again = deploy("deployed", "template", "--no-fail-on-empty-changeset")
    assert "No changes to deploy. Stack deployed is up to date" in again
    deploy("deployed", "template", "--parameter-overrides", "Word=two")

    found = cloudformation(tools, "describe-stacks --stack-name deployed")["Stacks"][0]
    attributes = tools.run("aws", "sns", "get-topic-attributes", "--topic-arn", found["Outputs"][0]["OutputValue"])
    assert "UPDATE_COMPLETE" == found["StackStatus"]
    assert "two" == json.loads(attributes)["Attributes"]["DisplayName"]


def test_deploy_that_fails_exits_with_an_error_and_the_events_tell_why(tools: Any, deploy: Any) -> None:
    printed = deploy("failing", "broken", exits=255)
    assert "Failed to create/update the stack" in printed

    events = cloudformation(tools, "describe-stack-events --stack-name failing")["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert ["Parameter"] == [event["LogicalResourceId"] for event in failed]
    assert "reserved parameter name" in failed[0]["ResourceStatusReason"]
    assert "is in ROLLBACK_COMPLETE state and can not be updated" in deploy("failing", exits=255)
    tools.run("aws", "cloudformation", "delete-stack", "--stack-name", "failing")
    deploy("failing")


def test_waiters_end_at_once_where_the_stack_failed(tools: Any, deploy: Any) -> None:
    cloudformation(tools, "create-stack --stack-name waited --template-body file://broken.yaml")
    printed = tools.aws("cloudformation wait stack-create-complete --stack-name waited", exits=255)
    assert "terminal failure state" in printed
    tools.aws("cloudformation delete-stack --stack-name waited")
    tools.aws("cloudformation wait stack-delete-complete --stack-name waited")
    assert "does not exist" in tools.aws("cloudformation describe-stacks --stack-name waited", exits=255)


def test_change_set_is_made_waited_for_shown_and_executed(tools: Any, deploy: Any) -> None:
    deploy("changed")
    given = "--stack-name changed --change-set-name next"
    values = "--use-previous-template --parameters ParameterKey=Word,ParameterValue=two"
    cloudformation(tools, f"create-change-set {given} {values}")
    tools.aws(f"cloudformation wait change-set-create-complete {given}")

    shown = cloudformation(tools, f"describe-change-set {given}")
    changes = [one["ResourceChange"] for one in shown["Changes"]]
    assert [("Modify", "Topic", "False")] == [
        (one["Action"], one["LogicalResourceId"], one["Replacement"]) for one in changes
    ]
    tools.aws(f"cloudformation execute-change-set {given}")
    tools.aws("cloudformation wait stack-update-complete --stack-name changed")


def test_drift_is_detected(tools: Any, deploy: Any) -> None:
    deploy("drifted")
    stack = cloudformation(tools, "describe-stacks --stack-name drifted")["Stacks"][0]
    topic = stack["Outputs"][0]["OutputValue"]
    change = ["--attribute-name", "DisplayName", "--attribute-value", "by hand"]
    tools.run("aws", "sns", "set-topic-attributes", "--topic-arn", topic, *change)

    detection = cloudformation(tools, "detect-stack-drift --stack-name drifted")["StackDriftDetectionId"]
    status = cloudformation(tools, f"describe-stack-drift-detection-status --stack-drift-detection-id {detection}")
    assert ("DETECTION_COMPLETE", "DRIFTED", 1) == (
        status["DetectionStatus"],
        status["StackDriftStatus"],
        status["DriftedStackResourceCount"],
    )
    drifts = cloudformation(tools, "describe-stack-resource-drifts --stack-name drifted")["StackResourceDrifts"]
    assert {"Topic": "MODIFIED", "Queue": "IN_SYNC"} == {
        one["LogicalResourceId"]: one["StackResourceDriftStatus"] for one in drifts
    }


def test_package_uploads_what_the_template_names_and_the_result_deploys(tools: Any, deploy: Any) -> None:
    child = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}\nOutputs: {Name: {Value: !GetAtt Topic.TopicName}}\n"
    parent = (
        "Resources: {Child: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: child.yaml}}}\n"
        "Outputs: {Name: {Value: !GetAtt Child.Outputs.Name}}\n"
    )
    tools.write(child__yaml=child, parent__yaml=parent)
    tools.run("aws", "s3", "mb", "s3://packages")
    files = ("--template-file", "parent.yaml", "--output-template-file", "packaged.yaml")
    tools.run("aws", "cloudformation", "package", "--s3-bucket", "packages", *files)
    deploy("packaged", "packaged")

    found = cloudformation(tools, "describe-stacks --stack-name packaged")["Stacks"][0]
    assert found["Outputs"][0]["OutputValue"].startswith("packaged-Child-")


def test_protected_stack_is_not_deleted(tools: Any, deploy: Any) -> None:
    deploy("protected")
    protection = "cloudformation update-termination-protection --stack-name protected"
    tools.aws(f"{protection} --enable-termination-protection")
    deletion = "cloudformation delete-stack --stack-name protected"
    assert "TerminationProtection is enabled" in tools.aws(deletion, exits=255)
    tools.aws(f"{protection} --no-enable-termination-protection")
    tools.aws(deletion)
