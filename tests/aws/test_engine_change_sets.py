"""Change sets as boto3 sees them: what a tool that deploys by them relies on."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from engine_stacks import PARAMETER, QUICK, Client, create, outputs, settle, template, unique, update


def test_change_set_of_a_new_stack_creates_it_with_outputs(client: Client, cloudformation: Any) -> None:
    name = unique("new")
    body = template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}}})
    made = cloudformation.create_change_set(
        StackName=name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body
    )
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"], WaiterConfig=QUICK)
    review = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert "REVIEW_IN_PROGRESS" == review["StackStatus"]
    shown = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    assert [("Add", "One", "AWS::SSM::Parameter")] == [
        (
            one["ResourceChange"]["Action"],
            one["ResourceChange"]["LogicalResourceId"],
            one["ResourceChange"]["ResourceType"],
        )
        for one in shown["Changes"]
    ]
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICK)
    parameter = outputs(cloudformation.describe_stacks(StackName=name)["Stacks"][0])["Name"]
    assert "one" == client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]


def test_change_set_shows_replacement_scope_and_cause(cloudformation: Any) -> None:
    body = template(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "Block"}}},
            "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
            "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Vpc"}}},
            "Same": PARAMETER,
        },
        Parameters={"Block": {"Type": "String", "Default": "10.14.0.0/16"}},
    )
    stack = create(cloudformation, body)
    made = cloudformation.create_change_set(
        StackName=stack["StackName"],
        ChangeSetName="other",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Block", "ParameterValue": "10.15.0.0/16"}],
    )
    shown = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in shown["Changes"]}
    assert {"Vpc": "True", "Table": "True", "Note": "False"} == {
        name: one["Replacement"] for name, one in changes.items()
    }
    detail = changes["Vpc"]["Details"][0]
    assert ("Static", "ParameterReference", "Block") == (
        detail["Evaluation"],
        detail["ChangeSource"],
        detail["CausingEntity"],
    )
    assert ("Properties", "CidrBlock", "Always") == tuple(
        detail["Target"][key] for key in ("Attribute", "Name", "RequiresRecreation")
    )
    table = changes["Table"]["Details"][0]
    assert ("Dynamic", "ResourceReference", "Vpc") == (
        table["Evaluation"],
        table["ChangeSource"],
        table["CausingEntity"],
    )
    assert ["Properties"] == changes["Vpc"]["Scope"]
    assert changes["Vpc"]["PhysicalResourceId"].startswith("vpc-")


def test_change_set_without_changes_fails_with_the_message_of_aws_and_is_not_executed(cloudformation: Any) -> None:
    body = template({"One": PARAMETER})
    stack = create(cloudformation, body)
    made = cloudformation.create_change_set(
        StackName=stack["StackName"], ChangeSetName="none", TemplateBody=body + "\n"
    )
    shown = cloudformation.describe_change_set(ChangeSetName="none", StackName=stack["StackName"])
    assert ("FAILED", "UNAVAILABLE", []) == (shown["Status"], shown["ExecutionStatus"], shown["Changes"])
    assert (
        "The submitted information didn't contain changes. Submit different information to create a change set."
        == shown["StatusReason"]
    )
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        cloudformation.execute_change_set(ChangeSetName=made["Id"])
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName=stack["StackName"], TemplateBody=body)


def test_change_set_names_belong_to_their_stack_and_stale_ones_are_refused(cloudformation: Any) -> None:
    first = create(cloudformation, template({"One": PARAMETER}))
    second = create(cloudformation, template({"One": PARAMETER}))
    altered = template({"One": PARAMETER, "Two": PARAMETER})
    for stack in (first, second):
        for name in ("deploy", "later"):
            cloudformation.create_change_set(StackName=stack["StackName"], ChangeSetName=name, TemplateBody=altered)
    shown = cloudformation.describe_change_set(StackName=second["StackName"], ChangeSetName="deploy")
    assert second["StackName"] == shown["StackName"]
    cloudformation.execute_change_set(StackName=first["StackName"], ChangeSetName="deploy")
    settle(cloudformation, first["StackId"])
    for name in ("later", "absent"):  # executing one deletes the stack's others
        with pytest.raises(ClientError, match="ChangeSetNotFound"):
            cloudformation.execute_change_set(StackName=first["StackName"], ChangeSetName=name)
    update(cloudformation, second, template({"One": PARAMETER, "Three": PARAMETER}))
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        cloudformation.execute_change_set(StackName=second["StackName"], ChangeSetName="deploy")
    stale = cloudformation.describe_change_set(StackName=second["StackName"], ChangeSetName="deploy")
    assert "OBSOLETE" == stale["ExecutionStatus"]
    held = cloudformation.describe_stack_resources(StackName=second["StackName"])["StackResources"]
    assert {"One", "Three"} == {one["LogicalResourceId"] for one in held}


def test_changed_stack_tag_shows_as_a_change_of_tags_and_is_applied(client: Client, cloudformation: Any) -> None:
    body = template({"Gateway": {"Type": "AWS::EC2::InternetGateway"}}, Outputs={"Id": {"Value": {"Ref": "Gateway"}}})
    stack = create(cloudformation, body, Tags=[{"Key": "Run", "Value": "1"}])
    made = cloudformation.create_change_set(
        StackName=stack["StackName"], ChangeSetName="tags", TemplateBody=body, Tags=[{"Key": "Commit", "Value": "2"}]
    )
    change = cloudformation.describe_change_set(ChangeSetName=made["Id"])["Changes"][0]["ResourceChange"]
    assert ("Modify", "False", ["Tags"]) == (change["Action"], change["Replacement"], change["Scope"])
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    assert "UPDATE_COMPLETE" == settle(cloudformation, stack["StackId"])["StackStatus"]
    gateways = client("ec2").describe_internet_gateways(InternetGatewayIds=[outputs(stack)["Id"]])
    keys = {one["Key"] for one in gateways["InternetGateways"][0]["Tags"]}
    assert "Commit" in keys
    assert "Run" not in keys
