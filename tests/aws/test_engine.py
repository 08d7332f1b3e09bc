"""The CloudFormation engine as boto3 sees it: stacks are made, changed, rolled back and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from engine_stacks import PARAMETER, QUICK, Client, create, history, outputs, reasons, settle, template, unique, update


def test_events_come_in_the_order_of_cloudformation(cloudformation: Any) -> None:
    stack = create(cloudformation, template({"One": PARAMETER}))
    assert [
        (stack["StackName"], "CREATE_IN_PROGRESS"),
        ("One", "CREATE_IN_PROGRESS"),
        ("One", "CREATE_IN_PROGRESS"),
        ("One", "CREATE_COMPLETE"),
        (stack["StackName"], "CREATE_COMPLETE"),
    ] == history(cloudformation, stack)


def test_failing_resource_rolls_everything_back_and_says_why(client: Client, cloudformation: Any) -> None:
    body = template(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
            "Wrong": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "192.168.0.0/24"},
            },
        }
    )
    stack = create(cloudformation, body)
    assert "ROLLBACK_COMPLETE" == stack["StackStatus"]
    assert "192.168.0.0/24" in reasons(cloudformation, stack)[("Wrong", "CREATE_FAILED")]
    assert ("Vpc", "DELETE_COMPLETE") in history(cloudformation, stack)
    vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])
    assert [] == vpcs["Vpcs"]
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack["StackName"], WaiterConfig=QUICK)


def test_failed_creation_is_kept_when_asked(cloudformation: Any) -> None:
    body = template(
        {"Good": PARAMETER, "Bad": {"Type": "AWS::EC2::Subnet", "DependsOn": "Good", "Properties": {"VpcId": "vpc-0"}}}
    )
    stack = create(cloudformation, body, OnFailure="DO_NOTHING")
    assert "CREATE_FAILED" == stack["StackStatus"]
    assert ("Good", "DELETE_COMPLETE") not in history(cloudformation, stack)


def test_update_in_place_keeps_the_physical_id(client: Client, cloudformation: Any) -> None:
    stack = create(cloudformation, template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}}}))
    altered = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "two"}}
    updated = update(cloudformation, stack, template({"One": altered}, Outputs={"Name": {"Value": {"Ref": "One"}}}))
    assert "UPDATE_COMPLETE" == updated["StackStatus"]
    assert outputs(stack) == outputs(updated)
    assert "two" == client("ssm").get_parameter(Name=outputs(updated)["Name"])["Parameter"]["Value"]


def test_change_of_a_create_only_property_replaces(client: Client, cloudformation: Any) -> None:
    def body(cidr: str) -> str:
        vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}
        return template({"Vpc": vpc}, Outputs={"Id": {"Value": {"Ref": "Vpc"}}})

    stack = create(cloudformation, body("10.10.0.0/16"))
    updated = update(cloudformation, stack, body("10.11.0.0/16"))
    assert outputs(stack) != outputs(updated)
    with pytest.raises(ClientError, match="NotFound"):
        client("ec2").describe_vpcs(VpcIds=[outputs(stack)["Id"]])
    assert "10.11.0.0/16" == client("ec2").describe_vpcs(VpcIds=[outputs(updated)["Id"]])["Vpcs"][0]["CidrBlock"]


def test_failed_update_is_rolled_back(client: Client, cloudformation: Any) -> None:
    def body(value: str, cidr: str, *, more: bool) -> str:
        resources: dict[str, Any] = {
            "One": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}},
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
        }
        if more:
            bad = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "192.168.0.0/24"}
            resources["Bad"] = {"Type": "AWS::EC2::Subnet", "DependsOn": "One", "Properties": bad}
        found = {"Name": {"Value": {"Ref": "One"}}, "Vpc": {"Value": {"Ref": "Vpc"}}}
        return template(resources, Outputs=found)

    stack = create(cloudformation, body("before", "10.12.0.0/16", more=False))
    updated = update(cloudformation, stack, body("after", "10.13.0.0/16", more=True))
    assert "UPDATE_ROLLBACK_COMPLETE" == updated["StackStatus"]
    assert outputs(stack) == outputs(updated)
    assert "before" == client("ssm").get_parameter(Name=outputs(stack)["Name"])["Parameter"]["Value"]
    blocks = [one["CidrBlock"] for one in client("ec2").describe_vpcs()["Vpcs"]]
    assert "10.12.0.0/16" in blocks
    assert "10.13.0.0/16" not in blocks
    resources = cloudformation.list_stack_resources(StackName=stack["StackName"])["StackResourceSummaries"]
    assert {"One", "Vpc"} == {one["LogicalResourceId"] for one in resources}
    again = update(cloudformation, stack, body("later", "10.12.0.0/16", more=False))
    assert "UPDATE_COMPLETE" == again["StackStatus"]


def test_stack_tags_and_system_tags_reach_every_resource_that_takes_tags(client: Client, cloudformation: Any) -> None:
    body = template(
        {
            "Vpc": {
                "Type": "AWS::EC2::VPC",
                "Properties": {"CidrBlock": "10.16.0.0/16", "Tags": [{"Key": "Name", "Value": "v"}]},
            },
            "Gateway": {"Type": "AWS::EC2::InternetGateway"},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
            },
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {"GenerateSecretString": {"PasswordLength": 20}},
            },
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Logs": {"Type": "AWS::Logs::LogGroup"},
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}},
        },
        Outputs={
            name: {"Value": {"Ref": name}} for name in ("Vpc", "Gateway", "Role", "Secret", "Topic", "Logs", "Key")
        },
    )
    tags = [{"Key": "Project", "Value": "jenkins"}]
    stack = create(cloudformation, body, Tags=tags, Capabilities=["CAPABILITY_IAM"])
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    made = outputs(stack)
    found = {
        "Vpc": client("ec2").describe_vpcs(VpcIds=[made["Vpc"]])["Vpcs"][0]["Tags"],
        "Gateway": client("ec2").describe_internet_gateways(InternetGatewayIds=[made["Gateway"]])["InternetGateways"][
            0
        ]["Tags"],
        "Role": client("iam").get_role(RoleName=made["Role"])["Role"]["Tags"],
        "Secret": client("secretsmanager").describe_secret(SecretId=made["Secret"])["Tags"],
        "Topic": client("sns").list_tags_for_resource(ResourceArn=made["Topic"])["Tags"],
        "Key": [
            {"Key": one["TagKey"], "Value": one["TagValue"]}
            for one in client("kms").list_resource_tags(KeyId=made["Key"])["Tags"]
        ],
        "Logs": [
            {"Key": key, "Value": value}
            for key, value in client("logs").list_tags_log_group(logGroupName=made["Logs"])["tags"].items()
        ],
    }
    for name, listed in found.items():
        by_key = {one["Key"]: one["Value"] for one in listed}
        assert ("jenkins", stack["StackName"], name) == (
            by_key["Project"],
            by_key["aws:cloudformation:stack-name"],
            by_key["aws:cloudformation:logical-id"],
        )
    assert {"Key": "Name", "Value": "v"} in found["Vpc"]


def test_capabilities_are_required_and_termination_protection_prevents_deletion(cloudformation: Any) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "RoleName": unique("role")}}
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_NAMED_IAM\]"):
        cloudformation.create_stack(StackName=unique("iam"), TemplateBody=template({"Role": role}))
    stack = create(cloudformation, template({"One": PARAMETER}), EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        cloudformation.delete_stack(StackName=stack["StackName"])
    cloudformation.update_termination_protection(StackName=stack["StackName"], EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=stack["StackName"])
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack["StackName"], WaiterConfig=QUICK)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=stack["StackName"])
    assert "DELETE_COMPLETE" == cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"]


def test_deletion_policies_retain_resources_and_create_snapshots(client: Client, cloudformation: Any) -> None:
    def volume(policy: str) -> dict[str, Any]:
        properties = {"AvailabilityZone": "eu-central-1a", "Size": 1, "Encrypted": True, "VolumeType": "gp3"}
        return {"Type": "AWS::EC2::Volume", "DeletionPolicy": policy, "Properties": properties}

    names = ("Retain", "Snapshot", "Delete", "RetainExceptOnCreate")
    stack = create(
        cloudformation,
        template({name: volume(name) for name in names}, Outputs={name: {"Value": {"Ref": name}} for name in names}),
    )
    made = outputs(stack)
    cloudformation.delete_stack(StackName=stack["StackName"])
    settle(cloudformation, stack["StackId"])
    left = {one["VolumeId"]: one for one in client("ec2").describe_volumes()["Volumes"]}
    assert {"Retain", "RetainExceptOnCreate"} == {name for name in names if made[name] in left}
    assert left[made["Retain"]]["Encrypted"] is True
    snapshots = client("ec2").describe_snapshots(Filters=[{"Name": "volume-id", "Values": [made["Snapshot"]]}])
    assert [made["Snapshot"]] == [one["VolumeId"] for one in snapshots["Snapshots"]]
    assert ("Retain", "DELETE_SKIPPED") in history(cloudformation, stack)


def test_unknown_operations_are_refused_by_name(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match="has no CloudFormation action ListTypes"):
        cloudformation.list_types()


def test_drift_is_detected_when_somebody_deletes_a_resource_of_the_stack(client: Client, cloudformation: Any) -> None:
    stack = create(cloudformation, template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}}}))
    client("ssm").delete_parameter(Name=outputs(stack)["Name"])
    detection = cloudformation.detect_stack_drift(StackName=stack["StackName"])["StackDriftDetectionId"]
    found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert ("DETECTION_COMPLETE", "DRIFTED") == (found["DetectionStatus"], found["StackDriftStatus"])
    drifts = cloudformation.describe_stack_resource_drifts(StackName=stack["StackName"])["StackResourceDrifts"]
    assert [("One", "DELETED")] == [(one["LogicalResourceId"], one["StackResourceDriftStatus"]) for one in drifts]


def test_nested_stack_is_created_and_deleted_with_its_parent(client: Client, cloudformation: Any) -> None:
    bucket = unique("templates")
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    child = template(
        {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Word"}}}},
        Parameters={"Word": {"Type": "String"}},
        Outputs={"Name": {"Value": {"Ref": "One"}}},
    )
    client("s3").put_object(Bucket=bucket, Key="child.json", Body=child.encode())
    properties = {
        "TemplateURL": f"https://{bucket}.s3.eu-central-1.amazonaws.com/child.json",
        "Parameters": {"Word": "hello"},
    }
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
    stack = create(
        cloudformation,
        template({"Child": nested}, Outputs={"Name": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}}}),
    )
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    name = outputs(stack)["Name"]
    assert "hello" == client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    cloudformation.delete_stack(StackName=stack["StackName"])
    settle(cloudformation, stack["StackId"])
    with pytest.raises(ClientError, match="ParameterNotFound"):
        client("ssm").get_parameter(Name=name)
