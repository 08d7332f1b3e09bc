"""The launcher's policy: everything that the code calls and the templates need, and no more than its bounds."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from bootstrap.doctor import policy
from bootstrap.environment.models import Settings
from bootstrap.stacks import template

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = Settings(environment="trial", cloud="aws", owner="a", cost_center="b")
CLIENTS = {name: boto3.session.Session("a", "b", region_name="eu-central-1").client(name) for name in policy.services()}


def statement(found: dict[str, Any], sid: str) -> dict[str, Any]:
    return next(it for it in found["Statement"] if it["Sid"] == sid)


def test_the_calls_are_those_of_the_source() -> None:
    found = policy.calls(CLIENTS)

    assert {
        *("cloudformation:ExecuteChangeSet", "cloudformation:DetectStackDrift", "cloudformation:DeleteStack"),
        *("ec2:GetConsoleOutput", "ec2:DescribeSecurityGroupRules", "ec2:StopInstances", "ec2:DeleteVolume"),
        *("secretsmanager:PutSecretValue", "ssm:GetParameter", "sts:GetCallerIdentity", "tag:GetResources"),
    } <= found


def test_nothing_of_the_local_cloud_is_taken_for_a_call_of_ours() -> None:
    assert set() == {"ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateVpc"} & policy.calls(CLIENTS)


def test_a_templates_types_bring_their_handlers_permissions() -> None:
    kinds = policy.types([ROOT / "cloudformation" / "data.yaml"])

    found = policy.handled(kinds, "eu-central-1", template.permissions)

    assert {"AWS::EC2::Volume", "AWS::SecretsManager::Secret"} <= kinds
    assert {"ec2:CreateVolume", "ec2:DeleteVolume", "secretsmanager:CreateSecret", "ssm:PutParameter"} <= found


def test_what_cloudformation_does_is_allowed_through_it_alone() -> None:
    found = policy.document(SETTINGS, ["ec2:StopInstances", "ec2:DescribeVpcs"], ["ec2:CreateVpc"])

    assert ["ec2:CreateVpc", "ssm:GetParameters"] == statement(found, "ThroughCloudFormation")["Action"]
    assert {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}} == statement(
        found, "ThroughCloudFormation"
    )["Condition"]


def test_what_writes_is_bound_to_the_environment() -> None:
    ours = ["ec2:StopInstances", "ec2:DescribeVpcs", "secretsmanager:DeleteSecret", "cloudformation:DeleteStack"]

    found = policy.document(SETTINGS, ours, [])

    assert ["ec2:StopInstances"] == statement(found, "ChangeOwn")["Action"]
    assert {"aws:ResourceTag/Project": "jenkins", "aws:ResourceTag/Environment": "trial"} == statement(
        found, "ChangeOwn"
    )["Condition"]["StringEquals"]
    assert ["ec2:DescribeVpcs"] == statement(found, "Look")["Action"]
    for sid in ("Stacks", "Secrets", "HandOverTheRole"):
        assert "jenkins-trial-" in statement(found, sid)["Resource"]


def test_only_who_launches_a_jenkins_that_promotes_may_approve() -> None:
    network = {"promotion": ("first", "second")}
    promoting = Settings.model_validate(
        SETTINGS.model_dump(include={"environment", "cloud", "owner", "cost_center"}) | {"network": network}
    )

    assert "sts:AssumeRole" in policy.calls(CLIENTS)
    assert "sts:AssumeRole" not in json.dumps(policy.document(SETTINGS, ["sts:AssumeRole"], []))
    approve = statement(policy.document(promoting, ["sts:AssumeRole"], []), "Approve")
    assert (["sts:AssumeRole"], "arn:aws:iam::*:role/jenkins-trial-*") == (approve["Action"], approve["Resource"])


@pytest.mark.parametrize(("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn")])
def test_names_are_those_of_the_regions_partition(region: str, partition: str) -> None:
    found = policy.document(SETTINGS.model_copy(update={"region": region}), ["cloudformation:DeleteStack"], [])

    assert statement(found, "Stacks")["Resource"].startswith(f"arn:{partition}:cloudformation:{region}:")


def test_a_policy_too_long_for_iam_is_cut_without_losing_an_action() -> None:
    many = [f"ec2:Do{number:04}Something" for number in range(900)]
    whole = policy.document(SETTINGS, ["ec2:StopInstances"], many)

    parts = policy.split(whole)

    assert all(len(json.dumps(part, separators=(",", ":"))) <= policy.LARGEST for part in parts)
    before, after = (
        sorted(action for one in documents for it in one["Statement"] for action in it["Action"])
        for documents in ([whole], parts)
    )
    assert before == after
    assert len({it["Sid"] for part in parts for it in part["Statement"]}) == sum(len(it["Statement"]) for it in parts)
