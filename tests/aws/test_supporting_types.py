"""What the types of `types/supporting.yaml` do beyond being created, changed and read: replacement, refusals, defaults."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[[str], Any]
IMAGE = "{{resolve:ssm:/aws/service/debian/release/13/latest/amd64}}"


class Stack:
    """A stack of a name of its own."""

    def __init__(self, client: Client, resources: dict[str, Any]) -> None:
        self._api = client("cloudformation")
        name = f"supporting-{uuid.uuid4().hex[:6]}"
        body = json.dumps({"Resources": resources})
        self._id = self._api.create_stack(StackName=name, TemplateBody=body)["StackId"]

    @property
    def status(self) -> str:
        end = time.monotonic() + 60
        while (status := str(self._read()["StackStatus"])).endswith("_IN_PROGRESS"):
            assert time.monotonic() < end, status
            time.sleep(0.02)
        return status

    def _read(self) -> dict[str, Any]:
        stack: dict[str, Any] = self._api.describe_stacks(StackName=self._id)["Stacks"][0]
        return stack

    def update(self, resources: dict[str, Any]) -> str:
        self._api.update_stack(StackName=self._id, TemplateBody=json.dumps({"Resources": resources}))
        return self.status

    def delete(self) -> str:
        self._api.delete_stack(StackName=self._id)
        return self.status

    def physical(self, logical: str) -> str:
        listed = self._api.list_stack_resources(StackName=self._id)["StackResourceSummaries"]
        return next(str(one["PhysicalResourceId"]) for one in listed if one["LogicalResourceId"] == logical)

    def reasons(self) -> str:
        pages = self._api.get_paginator("describe_stack_events").paginate(StackName=self._id)
        return " ".join(event.get("ResourceStatusReason", "") for page in pages for event in page["StackEvents"])

    def drift(self, logical: str) -> str:
        answer = self._api.detect_stack_resource_drift(StackName=self._id, LogicalResourceId=logical)
        return str(answer["StackResourceDrift"]["StackResourceDriftStatus"])


def network(octet: int) -> dict[str, Any]:
    def subnet(number: int) -> dict[str, Any]:
        zone = {"Fn::Select": [number, {"Fn::GetAZs": ""}]}
        place = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.{octet}.{number}.0/24", "AvailabilityZone": zone}
        return {"Type": "AWS::EC2::Subnet", "Properties": place}

    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{octet}.0.0/16"}}
    return {"Vpc": vpc, "First": subnet(0), "Second": subnet(1)}


def group(kind: str, size: int, **more: Any) -> dict[str, Any]:
    launch = {"ImageId": IMAGE, "InstanceType": kind}
    sizes = {"MinSize": str(size), "MaxSize": str(size), "VPCZoneIdentifier": [{"Ref": "First"}]}
    properties = {**sizes, "LaunchConfigurationName": {"Ref": "Launch"}, **more}
    return {
        "Launch": {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": launch},
        "Group": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties},
    }


def launch_configurations(client: Client) -> set[str]:
    listed = client("autoscaling").describe_launch_configurations()["LaunchConfigurations"]
    return {str(one["LaunchConfigurationName"]) for one in listed}


def test_a_changed_launch_configuration_is_another_one_and_the_group_moves_to_it(client: Client) -> None:
    stack = Stack(client, {**network(71), **group("t3.small", 1)})
    assert "CREATE_COMPLETE" == stack.status, stack.reasons()
    first, members = stack.physical("Launch"), stack.physical("Group")
    assert "UPDATE_COMPLETE" == stack.update({**network(71), **group("t3.medium", 1)})
    second = stack.physical("Launch")
    assert (True, False) == (second in launch_configurations(client), first in launch_configurations(client))
    asked = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[members])
    assert second == asked["AutoScalingGroups"][0]["LaunchConfigurationName"]
    assert "DELETE_COMPLETE" == stack.delete()


def test_a_launch_configuration_in_use_by_another_group_stays(client: Client) -> None:
    stack = Stack(client, {**network(72), **group("t3.small", 0)})
    assert "CREATE_COMPLETE" == stack.status
    name, subnet = stack.physical("Launch"), stack.physical("First")
    sizes = {"MinSize": 0, "MaxSize": 0, "VPCZoneIdentifier": subnet}
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="foreign", LaunchConfigurationName=name, **sizes
    )
    assert "DELETE_FAILED" == stack.delete()
    assert f"Cannot delete launch configuration {name} because it is attached to AutoScalingGroup foreign" in (
        stack.reasons()
    )
    client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="foreign")
    assert "DELETE_COMPLETE" == stack.delete()


def test_a_group_with_protected_machines_is_not_deleted_and_they_stay(client: Client) -> None:
    stack = Stack(client, {**network(73), **group("t3.small", 2, NewInstancesProtectedFromScaleIn=True)})
    assert "CREATE_COMPLETE" == stack.status
    scaling, name = client("autoscaling"), stack.physical("Group")

    def machines() -> list[str]:
        groups = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return [str(member["InstanceId"]) for member in groups[0]["Instances"]]

    first, second = machines()
    scaling.set_instance_protection(AutoScalingGroupName=name, InstanceIds=[second], ProtectedFromScaleIn=False)
    assert "DELETE_FAILED" == stack.delete()
    assert "all remaining instances are protected from scale-in" in stack.reasons()
    assert [first] == machines()
    scaling.set_instance_protection(AutoScalingGroupName=name, InstanceIds=[first], ProtectedFromScaleIn=False)
    assert "DELETE_COMPLETE" == stack.delete()


def database(**more: Any) -> dict[str, Any]:
    login = {"MasterUsername": "jenkins", "MasterUserPassword": "Swordfish1"}
    size = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": "20"}
    return {"Type": "AWS::RDS::DBInstance", "Properties": {**size, **login, **more}}


def test_a_deleted_database_leaves_a_snapshot_unless_its_policy_says_otherwise(client: Client) -> None:
    rds = client("rds")
    stack = Stack(client, {"Kept": database(), "Gone": {**database(), "DeletionPolicy": "Delete"}})
    assert "CREATE_COMPLETE" == stack.status, stack.reasons()
    kept, gone = stack.physical("Kept"), stack.physical("Gone")
    assert kept == kept.lower()
    assert "DELETE_COMPLETE" == stack.delete()
    manual = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert [kept] == [one["DBInstanceIdentifier"] for one in manual if one["DBInstanceIdentifier"] in {kept, gone}]
    assert not {kept, gone} & {one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]}


def test_a_database_that_cannot_be_created_with_its_stack_leaves_no_snapshot(client: Client) -> None:
    wrong = {"Type": "AWS::SSM::Parameter", "DependsOn": "Data", "Properties": {"Type": "Nothing", "Value": "x"}}
    before = {one["DBSnapshotIdentifier"] for one in client("rds").describe_db_snapshots()["DBSnapshots"]}
    stack = Stack(client, {"Data": database(), "Wrong": wrong})
    assert "ROLLBACK_COMPLETE" == stack.status
    assert before == {one["DBSnapshotIdentifier"] for one in client("rds").describe_db_snapshots()["DBSnapshots"]}


def test_another_engine_needs_another_database_and_a_subnet_group_in_use_stays(client: Client) -> None:
    places = {"DBSubnetGroupDescription": "p", "SubnetIds": [{"Ref": "First"}, {"Ref": "Second"}]}
    own = {**network(74), "Places": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": places}}
    placed = {**database(DBSubnetGroupName={"Ref": "Places"}), "DeletionPolicy": "Delete"}
    stack = Stack(client, {**own, "Data": placed})
    assert "CREATE_COMPLETE" == stack.status, stack.reasons()
    first = stack.physical("Data")
    other = {**placed, "Properties": {**placed["Properties"], "Engine": "mysql"}}
    assert "UPDATE_COMPLETE" == stack.update({**own, "Data": other}), stack.reasons()
    assert first != stack.physical("Data")
    name = stack.physical("Places")
    with pytest.raises(client("rds").exceptions.InvalidDBSubnetGroupStateFault, match="is still using it"):
        client("rds").delete_db_subnet_group(DBSubnetGroupName=name)
    assert "DELETE_COMPLETE" == stack.delete()


def attached(target: str, kind: str = "AWS::RDS::DBInstance") -> dict[str, Any]:
    template = {"SecretStringTemplate": json.dumps({"username": "jenkins"}), "GenerateStringKey": "password"}
    place = {"SecretId": {"Ref": "Login"}, "TargetId": {"Ref": target}, "TargetType": kind}
    return {
        "Login": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": template}},
        "One": {**database(DBName="one"), "DeletionPolicy": "Delete"},
        "Two": {**database(DBName="two"), "DeletionPolicy": "Delete"},
        "Attachment": {"Type": "AWS::SecretsManager::SecretTargetAttachment", "Properties": place},
    }


def test_an_attached_secret_has_the_connection_of_its_database(client: Client) -> None:
    stack = Stack(client, attached("One"))
    assert "CREATE_COMPLETE" == stack.status, stack.reasons()

    def content() -> dict[str, Any]:
        text = client("secretsmanager").get_secret_value(SecretId=stack.physical("Attachment"))["SecretString"]
        return dict(json.loads(text))

    before = content()
    assert {"username", "password", "engine", "host", "port", "dbname", "dbInstanceIdentifier"} == before.keys()
    assert ("jenkins", "postgres", "one") == (before["username"], before["engine"], before["dbname"])
    assert "UPDATE_COMPLETE" == stack.update(attached("Two"))
    assert (before["password"], "two") == (content()["password"], content()["dbname"])
    assert "IN_SYNC" == stack.drift("Attachment")
    client("secretsmanager").put_secret_value(SecretId=stack.physical("Login"), SecretString="{}")
    assert "MODIFIED" == stack.drift("Attachment")
    assert "DELETE_COMPLETE" == stack.delete()


def test_a_secret_for_another_kind_of_database_is_refused_in_the_name_of_the_local_cloud(client: Client) -> None:
    stack = Stack(client, attached("One", "AWS::Redshift::Cluster"))
    assert "ROLLBACK_COMPLETE" == stack.status
    assert "The local cloud attaches secrets to AWS::RDS::DBInstance, not to AWS::Redshift::Cluster" in stack.reasons()


def test_a_linked_role_exists_once_and_its_suffix_makes_another(client: Client) -> None:
    def linked(suffix: str) -> dict[str, Any]:
        properties = {"AWSServiceName": "autoscaling.amazonaws.com", "CustomSuffix": suffix}
        return {"Role": {"Type": "AWS::IAM::ServiceLinkedRole", "Properties": properties}}

    stack, again = Stack(client, linked("first")), None
    assert "CREATE_COMPLETE" == stack.status
    assert "AWSServiceRoleForAutoScaling_first" == stack.physical("Role")
    again = Stack(client, linked("first"))
    assert "ROLLBACK_COMPLETE" == again.status
    assert "UPDATE_COMPLETE" == stack.update(linked("second"))
    assert "AWSServiceRoleForAutoScaling_second" == stack.physical("Role")
    assert "DELETE_COMPLETE" == stack.delete()


def test_a_stream_and_a_query_that_somebody_deleted_are_drift(client: Client) -> None:
    logs = client("logs")
    resources = {
        "Logs": {"Type": "AWS::Logs::LogGroup"},
        "Stream": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": {"Ref": "Logs"}}},
        "Query": {"Type": "AWS::Logs::QueryDefinition", "Properties": {"Name": "q", "QueryString": "fields @message"}},
    }
    stack = Stack(client, resources)
    assert "CREATE_COMPLETE" == stack.status, stack.reasons()
    assert ("IN_SYNC", "IN_SYNC") == (stack.drift("Stream"), stack.drift("Query"))
    logs.delete_log_stream(logGroupName=stack.physical("Logs"), logStreamName=stack.physical("Stream"))
    assert logs.delete_query_definition(queryDefinitionId=stack.physical("Query"))["success"]
    assert ("DELETED", "DELETED") == (stack.drift("Stream"), stack.drift("Query"))
    assert "DELETE_COMPLETE" == stack.delete()
