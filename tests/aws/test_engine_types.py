"""Every type of resource that has an adapter is made, read back, compared without difference, and deleted again."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from types_template import TEMPLATE

from bootstrap.local.aws.cloudformation import adapters

Client = Callable[[str], Any]


NESTED = "AWS::CloudFormation::Stack"  # has a test of its own, since it needs a template in S3


WAITING = "AWS::CloudFormation::WaitCondition"  # has tests of its own, since someone must send signals


SERVICES = Path(__file__).parent / "types"  # the types of other services have templates and tests of their own


def _named(path: Path) -> set[str]:
    return set(re.findall(r"AWS::\w+::\w+", path.read_text()))


class _Types(yaml.SafeLoader):
    """Loads a template only to find its types."""


_Types.add_multi_constructor("!", lambda *_: None)


def settle(client: Client, stack: str) -> dict[str, Any]:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found: dict[str, Any] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.05)
    raise AssertionError("still in progress")


def failures(client: Client, stack: str) -> dict[str, str]:
    pages = client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    events = [event for page in pages for event in page["StackEvents"]]
    return {
        one["LogicalResourceId"]: one.get("ResourceStatusReason", "")
        for one in events
        if one["ResourceStatus"].endswith("_FAILED")
    }


@pytest.fixture(scope="module")
def everything(client: Client) -> dict[str, Any]:
    made = client("cloudformation").create_stack(
        StackName=f"all-{uuid.uuid4().hex[:6]}",
        TemplateBody=TEMPLATE,
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "Project", "Value": "jenkins"}],
    )
    stack = settle(client, made["StackId"])
    assert {} == failures(client, made["StackId"])
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    return {**{one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}, "id": made["StackId"]}


def test_template_of_this_test_has_every_type_with_an_adapter() -> None:
    document = yaml.load(TEMPLATE, _Types)  # noqa: S506 (a safe loader that leaves the functions out)
    types = {body["Type"] for body in document["Resources"].values()}
    elsewhere = {kind for path in SERVICES.glob("*.yaml") for kind in _named(path)}
    assert set() == adapters.list_known() - types - elsewhere - {NESTED, WAITING}


def test_bucket_reads_back_as_written(client: Client, everything: dict[str, Any]) -> None:
    s3, name = client("s3"), everything["Bucket"]
    assert "Enabled" == s3.get_bucket_versioning(Bucket=name)["Status"]
    assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert "AES256" == rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert {"Key": "Project", "Value": "jenkins"} in s3.get_bucket_tagging(Bucket=name)["TagSet"]
    assert 30 == s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["Expiration"]["Days"]
    assert "Deny" in s3.get_bucket_policy(Bucket=name)["Policy"]


def test_role_has_its_managed_and_its_inline_policies(client: Client, everything: dict[str, Any]) -> None:
    iam, name = client("iam"), everything["Role"]
    attached = {one["PolicyName"] for one in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]}
    assert "AmazonSSMManagedInstanceCore" in attached
    assert 2 == len(attached)
    assert {"own", "inline", "other"} == set(iam.list_role_policies(RoleName=name)["PolicyNames"])


def test_generated_secret_follows_its_template(client: Client, everything: dict[str, Any]) -> None:
    import json

    value = json.loads(client("secretsmanager").get_secret_value(SecretId=everything["Secret"])["SecretString"])
    assert ("admin", 20) == (value["user"], len(value["password"]))


def test_other_services_read_back_as_written(client: Client, everything: dict[str, Any]) -> None:
    assert client("kms").get_key_rotation_status(KeyId=everything["Key"])["KeyRotationEnabled"] is True
    groups = client("logs").describe_log_groups(logGroupNamePrefix=everything["Logs"])["logGroups"]
    assert 30 == groups[0]["retentionInDays"]
    alarm = client("cloudwatch").describe_alarms(AlarmNames=[everything["Alarm"]])["MetricAlarms"][0]
    assert ("StatusCheckFailed", 60, 2) == (alarm["MetricName"], alarm["Period"], alarm["EvaluationPeriods"])
    queue = client("sqs").get_queue_attributes(QueueUrl=everything["Queue"], AttributeNames=["All"])["Attributes"]
    assert "60" == queue["VisibilityTimeout"]
    records = client("route53").list_resource_record_sets(HostedZoneId=everything["Zone"])["ResourceRecordSets"]
    assert "jenkins.example.internal." in [one["Name"] for one in records]
    zone = client("route53").get_hosted_zone(Id=everything["Zone"])
    assert zone["HostedZone"]["Config"]["PrivateZone"] is True


def test_subnet_uses_the_network_acl_of_the_template(client: Client, everything: dict[str, Any]) -> None:
    acl = client("ec2").describe_network_acls(NetworkAclIds=[everything["Acl"]])["NetworkAcls"][0]
    assert [everything["Subnet"]] == [one["SubnetId"] for one in acl["Associations"]]
    assert (1, 9) == next(
        (e["PortRange"]["From"], e["PortRange"]["To"]) for e in acl["Entries"] if e["RuleNumber"] == 100
    )


def test_nothing_has_drifted_from_the_template_that_made_it(client: Client, everything: dict[str, Any]) -> None:
    api = client("cloudformation")
    detection = api.detect_stack_drift(StackName=everything["id"])["StackDriftDetectionId"]
    drifts = api.describe_stack_resource_drifts(StackName=everything["id"])["StackResourceDrifts"]
    states = {one["LogicalResourceId"]: one["StackResourceDriftStatus"] for one in drifts}
    differing = {
        one["LogicalResourceId"]: one["PropertyDifferences"] for one in drifts if one.get("PropertyDifferences")
    }
    assert {} == differing
    assert {"IN_SYNC", "NOT_CHECKED"} == set(states.values())
    assert {"IN_SYNC"} == {
        states[one]
        for one in ("Vpc", "Subnet", "Group", "Machine", "Disk", "DiskAttachment", "Trust", "Bucket", "Queue", "Alarm")
    }
    shown = api.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert ("IN_SYNC", 0) == (shown["StackDriftStatus"], shown["DriftedStackResourceCount"])


def test_same_template_again_is_no_change_and_deletion_leaves_nothing(
    client: Client, everything: dict[str, Any]
) -> None:
    made = client("cloudformation").create_change_set(
        StackName=everything["id"], ChangeSetName="again", UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"]
    )
    shown = client("cloudformation").describe_change_set(ChangeSetName=made["Id"])
    assert ([], "FAILED") == (shown["Changes"], shown["Status"])
    client("cloudformation").delete_stack(StackName=everything["id"])
    stack = settle(client, everything["id"])
    assert {} == failures(client, everything["id"])
    assert "DELETE_COMPLETE" == stack["StackStatus"]
    assert [] == client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.40.0.0/16"]}])["Vpcs"]
    assert everything["Bucket"] not in [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
    of_stack = [{"Name": "tag:aws:cloudformation:stack-id", "Values": [everything["id"]]}]
    assert [] == client("ec2").describe_addresses(Filters=of_stack)["Addresses"]
