"""Drift by property, and resources that are imported: what the engine reads back of things that exist."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]

GROUP = {
    "GroupDescription": "web",
    "VpcId": {"Ref": "Vpc"},
    "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": "443", "CidrIp": "10.0.0.0/8"}],
}
RESOURCES = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.95.0.0/16", "EnableDnsHostnames": "true"}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": GROUP},
    "Own": {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Ref": "Group"},
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "CidrIp": "10.1.0.0/16",
        },
    },
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60, "DelaySeconds": 1}},
    "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "one"}},
    "Paper": {"Type": "AWS::AccessAnalyzer::Analyzer", "Properties": {"Type": "ACCOUNT"}},
}


def settle(client: Client, stack: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{stack} is still in progress")


def physical(client: Client, name: str) -> dict[str, str]:
    listed = client("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}


def drifts(client: Client, name: str) -> dict[str, dict[str, Any]]:
    client("cloudformation").detect_stack_drift(StackName=name)
    found = client("cloudformation").describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    return {one["LogicalResourceId"]: one for one in found}


@pytest.fixture
def drifting(client: Client) -> str:
    name = f"drift-{uuid.uuid4().hex[:6]}"
    client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps({"Resources": RESOURCES}))
    assert "CREATE_COMPLETE" == settle(client, name)["StackStatus"]
    return name


def test_each_difference_is_reported_with_its_path_and_both_values(client: Client, drifting: str) -> None:
    made = physical(client, drifting)
    states = {name: one["StackResourceDriftStatus"] for name, one in drifts(client, drifting).items()}
    assert {"Paper": "NOT_CHECKED"} == {k: v for k, v in states.items() if v != "IN_SYNC"}
    client("ec2").modify_vpc_attribute(VpcId=made["Vpc"], EnableDnsHostnames={"Value": False})
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    client("ec2").authorize_security_group_ingress(GroupId=made["Group"], IpPermissions=[rule])
    client("sqs").set_queue_attributes(QueueUrl=made["Queue"], Attributes={"VisibilityTimeout": "61"})
    client("ssm").delete_parameter(Name=made["Note"])
    found = drifts(client, drifting)
    assert {"Vpc": "MODIFIED", "Group": "MODIFIED", "Queue": "MODIFIED", "Note": "DELETED"}.items() <= {
        name: one["StackResourceDriftStatus"] for name, one in found.items()
    }.items()
    assert [("/EnableDnsHostnames", "true", "false", "NOT_EQUAL")] == told(found["Vpc"])
    assert [("/VisibilityTimeout", "60", "61", "NOT_EQUAL")] == told(found["Queue"])
    ((path, expected, actual, kind),) = told(found["Group"])
    assert ("/SecurityGroupIngress/1", "null", "ADD") == (path, expected, kind)
    assert "0.0.0.0/0" == json.loads(actual)["CidrIp"]
    stack = client("cloudformation").describe_stacks(StackName=drifting)["Stacks"][0]
    assert "DRIFTED" == stack["DriftInformation"]["StackDriftStatus"]


def told(one: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    keys = ("PropertyPath", "ExpectedValue", "ActualValue", "DifferenceType")
    return [(difference[keys[0]], *(difference[key] for key in keys[1:])) for difference in one["PropertyDifferences"]]


def test_a_value_in_another_spelling_is_no_drift(client: Client) -> None:
    """Directly after its creation nothing has drifted, also where a service returns a value otherwise than it was written."""
    api, name = client("cloudformation"), f"spelled-{uuid.uuid4().hex[:6]}"
    body = (Path(__file__).parent / "spellings.yaml").read_text()
    api.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    stack = settle(client, name)
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    differing = {
        logical: drift.get("PropertyDifferences")
        for logical, drift in drifts(client, name).items()
        if drift["StackResourceDriftStatus"] != "IN_SYNC"
    }
    assert {} == differing
    group = physical(client, name)["Sg"]
    rule = {"IpProtocol": "udp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    assert ["ADD"] == [one["DifferenceType"] for one in drifts(client, name)["Sg"]["PropertyDifferences"]]
    api.delete_stack(StackName=name)
    assert "DELETE_COMPLETE" == settle(client, stack["StackId"])["StackStatus"]


def test_drift_of_one_resource_is_detected_alone(client: Client, drifting: str) -> None:
    queue = physical(client, drifting)["Queue"]
    client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "9"})
    api = client("cloudformation")
    found = api.detect_stack_resource_drift(StackName=drifting, LogicalResourceId="Queue")["StackResourceDrift"]
    assert "MODIFIED" == found["StackResourceDriftStatus"]
    assert {"VisibilityTimeout": 60, "DelaySeconds": 1} == json.loads(found["ExpectedProperties"])
    assert "9" == json.loads(found["ActualProperties"])["DelaySeconds"]
    with pytest.raises(ClientError, match="Resource No does not exist"):
        api.detect_stack_resource_drift(StackName=drifting, LogicalResourceId="No")


def keep(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "DeletionPolicy": "Retain", "Properties": properties}


def importing(logical: str, kind: str, **identifier: str) -> dict[str, Any]:
    return {"LogicalResourceId": logical, "ResourceType": kind, "ResourceIdentifier": identifier}


def test_existing_resources_are_imported_into_a_new_and_into_an_existing_stack(client: Client) -> None:
    api, name = client("cloudformation"), f"import-{uuid.uuid4().hex[:6]}"
    vpc = client("ec2").create_vpc(CidrBlock="10.96.0.0/16")["Vpc"]["VpcId"]
    client("ssm").put_parameter(Name=name, Value="kept", Type="String")
    resources = {"Vpc": keep("AWS::EC2::VPC", CidrBlock="10.96.0.0/16")}
    imports = [importing("Vpc", "AWS::EC2::VPC", VpcId=vpc)]
    for turn in range(2):
        body = json.dumps({"Resources": resources, "Outputs": {"Vpc": {"Value": {"Ref": "Vpc"}}}})
        made = api.create_change_set(
            StackName=name, ChangeSetName="c", ChangeSetType="IMPORT", TemplateBody=body, ResourcesToImport=imports
        )
        changes = [one["ResourceChange"] for one in api.describe_change_set(ChangeSetName=made["Id"])["Changes"]]
        assert [("Import", imports[0]["LogicalResourceId"])] == [(c["Action"], c["LogicalResourceId"]) for c in changes]
        api.execute_change_set(ChangeSetName=made["Id"])
        assert "IMPORT_COMPLETE" == settle(client, name)["StackStatus"], turn
        resources["Note"] = keep("AWS::SSM::Parameter", Name=name, Type="String", Value="kept")
        imports = [importing("Note", "AWS::SSM::Parameter", Name=name)]
    assert {"Vpc": vpc, "Note": name} == physical(client, name)
    tags = {tag["Key"]: tag["Value"] for tag in client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]}
    assert (name, "Vpc") == (tags["aws:cloudformation:stack-name"], tags["aws:cloudformation:logical-id"])
    assert {"IN_SYNC"} == {one["StackResourceDriftStatus"] for one in drifts(client, name).values()}
    api.delete_stack(StackName=name)
    assert "DELETE_COMPLETE" == settle(client, made["StackId"])["StackStatus"]
    assert 1 == len(client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"])


@pytest.mark.parametrize(
    ("resource", "asked", "words"),
    [
        (keep("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"), {"VpcId": "vpc-0123"}, "does not exist"),
        ({"Type": "AWS::EC2::VPC", "Properties": {}}, {"VpcId": "vpc-0123"}, "missing DeletionPolicy"),
        (keep("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"), {"Wrong": "vpc-0123"}, "identifier"),
        (keep("AWS::Lambda::Permission", FunctionName="f"), {"FunctionName": "f", "Id": "i"}, "cannot be imported"),
    ],
)
def test_invalid_import_is_refused(client: Client, resource: Any, asked: dict[str, str], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        client("cloudformation").create_change_set(
            StackName=f"import-{uuid.uuid4().hex[:6]}",
            ChangeSetName="c",
            ChangeSetType="IMPORT",
            TemplateBody=json.dumps({"Resources": {"A": resource}}),
            ResourcesToImport=[importing("A", resource["Type"], **asked)],
        )


def test_import_with_other_changes_or_without_existing_resources_is_refused(client: Client, drifting: str) -> None:
    api = client("cloudformation")
    vpc = client("ec2").create_vpc(CidrBlock="10.97.0.0/16")["Vpc"]["VpcId"]
    wanted = {**RESOURCES, "Other": keep("AWS::EC2::VPC", CidrBlock="10.97.0.0/16")}
    altered = {**wanted, "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "two"}}}
    for resources in (altered, {**wanted, "Extra": {"Type": "AWS::EC2::InternetGateway"}}):
        with pytest.raises(ClientError, match=r"modified or added|must be imported"):
            api.create_change_set(
                StackName=drifting,
                ChangeSetName="c",
                ChangeSetType="IMPORT",
                TemplateBody=json.dumps({"Resources": resources}),
                ResourcesToImport=[importing("Other", "AWS::EC2::VPC", VpcId=vpc)],
            )
