"""What services take as a second resource of the same, what an update takes away, and the attributes of a rule."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]


class Stack:
    """A stack of a name of its own."""

    def __init__(self, client: Client, resources: dict[str, Any], **sections: Any) -> None:
        self._api = client("cloudformation")
        body = json.dumps({"Resources": resources, **sections})
        name = f"stored-{uuid.uuid4().hex[:6]}"
        self._id = self._api.create_stack(StackName=name, TemplateBody=body)["StackId"]

    def settle(self) -> dict[str, Any]:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            stack: dict[str, Any] = self._api.describe_stacks(StackName=self._id)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            time.sleep(0.02)
        raise AssertionError("still in progress")

    @property
    def outputs(self) -> dict[str, str]:
        stack = self.settle()
        assert stack["StackStatus"].endswith("TE_COMPLETE"), stack
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}

    @property
    def status(self) -> str:
        return str(self.settle()["StackStatus"])

    def update(self, resources: dict[str, Any], **sections: Any) -> str:
        self._api.update_stack(StackName=self._id, TemplateBody=json.dumps({"Resources": resources, **sections}))
        return self.status

    def delete(self) -> str:
        self._api.delete_stack(StackName=self._id)
        return self.status

    def reasons(self) -> str:
        events = self._api.describe_stack_events(StackName=self._id)["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    def drift(self) -> dict[str, str]:
        self._api.detect_stack_drift(StackName=self._id)
        drifts = self._api.describe_stack_resource_drifts(StackName=self._id)["StackResourceDrifts"]
        return {one["LogicalResourceId"]: one["StackResourceDriftStatus"] for one in drifts}


def plan(vault: str, hour: int = 5) -> dict[str, Any]:
    rule = {"RuleName": "r", "TargetBackupVault": vault, "ScheduleExpression": f"cron(0 {hour} * * ? *)"}
    body = {"BackupPlanName": "daily", "BackupPlanRule": [rule]}
    return {"Plan": {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": body}}}


def test_plans_of_one_name_are_taken_but_not_two_of_one_document(client: Client) -> None:
    stacks = [Stack(client, plan("one")), Stack(client, plan("two")), Stack(client, plan("one", 6))]
    assert ["CREATE_COMPLETE"] * 3 == [stack.status for stack in stacks]
    same = Stack(client, plan("one"))
    assert "ROLLBACK_COMPLETE" == same.status
    assert "Backup plan with the same plan document already exists" in same.reasons()
    assert "DELETE_COMPLETE" == stacks[0].delete()
    again = Stack(client, plan("one"))
    assert "CREATE_COMPLETE" == again.status
    assert ["DELETE_COMPLETE"] * 3 == [stack.delete() for stack in (*stacks[1:], again)]


def test_a_plan_that_was_deleted_elsewhere_is_drift(client: Client) -> None:
    stack = Stack(client, plan("gone"), Outputs={"Id": {"Value": {"Ref": "Plan"}}})
    client("backup").delete_backup_plan(BackupPlanId=stack.outputs["Id"])
    assert {"Plan": "DELETED"} == stack.drift()
    stack.delete()


def flow_log(traffic: str) -> dict[str, Any]:
    bucket = {"Fn::GetAtt": ["Bucket", "Arn"]}
    to = {"LogDestinationType": "s3", "LogDestination": bucket, "TrafficType": traffic}
    return {"Type": "AWS::EC2::FlowLog", "Properties": {"ResourceId": {"Ref": "Vpc"}, "ResourceType": "VPC", **to}}


def test_flow_logs_may_differ_in_the_traffic_alone(client: Client) -> None:
    network = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
    }
    logs = {"Accepted": flow_log("ACCEPT"), "Rejected": flow_log("REJECT")}
    outputs = {name: {"Value": {"Ref": name}} for name in logs}
    stack = Stack(client, {**network, **logs}, Outputs=outputs)
    listed = client("ec2").describe_flow_logs(FlowLogIds=[*stack.outputs.values()])["FlowLogs"]
    assert {"ACCEPT", "REJECT"} == {one["TrafficType"] for one in listed}
    again = {**network, **logs, "Again": {**flow_log("ACCEPT"), "DependsOn": "Accepted"}}
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.update(again)
    assert "existing Flow Log with the same configuration" in stack.reasons()
    assert "DELETE_COMPLETE" == stack.delete()


def acl(**more: Any) -> dict[str, Any]:
    metrics = {"CloudWatchMetricsEnabled": True, "SampledRequestsEnabled": True, "MetricName": "acl"}
    own = {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": metrics}
    return {"Acl": {"Type": "AWS::WAFv2::WebACL", "Properties": {**own, **more}}}


RULES = [
    {
        "Name": "common",
        "Priority": 1,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}},
        "VisibilityConfig": {"CloudWatchMetricsEnabled": True, "SampledRequestsEnabled": True, "MetricName": "common"},
    }
]


def test_a_web_acl_needs_no_rules_and_loses_them_by_an_update(client: Client) -> None:
    waf, outputs = client("wafv2"), {"Acl": {"Value": {"Ref": "Acl"}}}
    stack = Stack(client, acl(), Outputs=outputs)
    name, identity, scope = stack.outputs["Acl"].split("|")

    def read() -> dict[str, Any]:
        described: dict[str, Any] = waf.get_web_acl(Name=name, Id=identity, Scope=scope)["WebACL"]
        return described

    assert [] == read()["Rules"]
    assert "UPDATE_COMPLETE" == stack.update(acl(Rules=RULES, Description="with rules"), Outputs=outputs)
    assert ["common"] == [rule["Name"] for rule in read()["Rules"]]
    assert "UPDATE_COMPLETE" == stack.update(acl(), Outputs=outputs)
    assert ([], "") == (read()["Rules"], read().get("Description", ""))
    assert "DELETE_COMPLETE" == stack.delete()


def test_a_rule_that_nobody_evaluated_has_no_data_of_its_compliance(client: Client) -> None:
    config = client("config")
    resources: dict[str, Any] = {
        "Rule": {
            "Type": "AWS::Config::ConfigRule",
            "Properties": {"Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}},
        }
    }
    role = "arn:aws:iam::123456789012:role/config"
    has_recorder = bool(config.describe_configuration_recorders()["ConfigurationRecorders"])
    if not has_recorder:
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    stack = Stack(client, resources, Outputs={"C": {"Value": {"Fn::GetAtt": ["Rule", "Compliance.Type"]}}})
    assert {"C": "INSUFFICIENT_DATA"} == stack.outputs
    assert "DELETE_COMPLETE" == stack.delete()
    if not has_recorder:
        config.delete_configuration_recorder(ConfigurationRecorderName="default")


def keys_by_alias(client: Client) -> dict[str, str | None]:
    return {one["AliasName"]: one.get("TargetKeyId") for one in client("kms").list_aliases()["Aliases"]}


def test_a_key_of_aws_comes_with_its_first_use_and_nobody_changes_it(client: Client) -> None:
    kms = client("kms")
    assert keys_by_alias(client)["alias/aws/ssm"] is None
    key = kms.describe_key(KeyId="alias/aws/ssm")["KeyMetadata"]
    assert ("AWS", True) == (key["KeyManager"], key["Enabled"])
    assert "Default key that protects my SSM parameters when no other key is defined" == key["Description"]
    assert key["KeyId"] == keys_by_alias(client)["alias/aws/ssm"]
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    policy = kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]
    assert "ssm.eu-central-1.amazonaws.com" in policy
    by_id = {"KeyId": key["Arn"]}
    changes = [
        ("schedule_key_deletion", by_id),
        ("disable_key", by_id),
        ("enable_key", by_id),
        ("disable_key_rotation", by_id),
        ("put_key_policy", {**by_id, "PolicyName": "default", "Policy": policy}),
        ("update_key_description", {**by_id, "Description": "d"}),
        ("tag_resource", {**by_id, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("create_alias", {"AliasName": "alias/mine", "TargetKeyId": key["KeyId"]}),
        ("delete_alias", {"AliasName": "alias/aws/ssm"}),
    ]
    for call, arguments in changes:
        with pytest.raises(ClientError, match="AccessDeniedException") as refusal:
            getattr(kms, call)(**arguments)
        action = "kms:" + "".join(part.capitalize() for part in call.split("_"))
        assert f"because no resource-based policy allows the {action} action" in str(refusal.value)
    encrypted = kms.encrypt(KeyId="alias/aws/ssm", Plaintext=b"words")["CiphertextBlob"]
    assert b"words" == kms.decrypt(CiphertextBlob=encrypted)["Plaintext"]


def test_a_key_of_aws_is_the_same_after_a_restart_and_a_stack_cannot_name_it(own_cloud: Any) -> None:
    client = own_cloud.client
    key = client("kms").describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["Arn"]
    own_cloud.end()
    own_cloud.start()
    assert key == client("kms").describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["Arn"]
    alias = {"AliasName": "alias/mine", "TargetKeyId": key}
    stack = Stack(client, {"Alias": {"Type": "AWS::KMS::Alias", "Properties": alias}})
    assert "ROLLBACK_COMPLETE" == stack.status
    assert "no resource-based policy allows the kms:CreateAlias action" in stack.reasons()
