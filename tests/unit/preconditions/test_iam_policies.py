"""The launcher's policy: everything that the code calls and the templates need, and no more than its bounds."""

import fnmatch
import json
import re
from pathlib import Path

import pytest

from bootstrap.environment.models import Settings
from bootstrap.preconditions import iam_policies, policy_parts, required_actions
from bootstrap.preconditions.required_actions import Needs
from bootstrap.stacks import template
from tests.unit.preconditions.iam_documents import CLIENTS, SETTINGS, document, statement

ROOT = Path(__file__).resolve().parents[3]


def test_the_calls_are_those_of_the_source() -> None:
    found = required_actions.list_calls(CLIENTS)

    assert {
        *("cloudformation:ExecuteChangeSet", "cloudformation:DetectStackDrift", "cloudformation:DeleteStack"),
        *("ec2:GetConsoleOutput", "ec2:DescribeSecurityGroupRules", "ec2:StopInstances", "ec2:DeleteVolume"),
        *("secretsmanager:PutSecretValue", "ssm:GetParameter", "sts:GetCallerIdentity", "tag:GetResources"),
    } <= found


def test_nothing_of_the_local_cloud_is_taken_for_a_call_of_ours() -> None:
    assert set() == {"ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateVpc"} & required_actions.list_calls(
        CLIENTS
    )


def test_public_parameters_alone_are_read_by_several() -> None:
    """With ssm:GetParameters for all, the launcher could read the private keys of other environments."""
    own = required_actions.list_calls(CLIENTS)
    assert "ssm:GetParameters" in own

    found = [it["Sid"] for it in document(own)["Statement"] if "ssm:GetParameters" in it["Action"]]

    assert ["FindImage"] == found
    assert "arn:aws:ssm:eu-central-1::parameter/aws/service/*" == statement(document(own), "FindImage")["Resource"]


def test_a_templates_types_bring_their_handlers_permissions() -> None:
    kinds = required_actions.list_types([ROOT / "cloudformation" / "data.yaml"])

    found = required_actions.list_handler_actions(kinds, "eu-central-1", template.list_permissions)

    assert {"AWS::EC2::Volume", "AWS::SecretsManager::Secret"} <= kinds
    assert {"ec2:CreateVolume", "ec2:DeleteVolume", "secretsmanager:CreateSecret", "ssm:PutParameter"} <= found


def test_what_cloudformation_does_is_allowed_through_it_alone() -> None:
    found = document(["ec2:StopInstances", "ec2:DescribeVpcs"], ["ec2:CreateVpc"])

    assert ["ec2:CreateVpc"] == statement(found, "ThroughCloudFormation")["Action"]
    assert {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}} == statement(
        found, "ThroughCloudFormation"
    )["Condition"]


def test_what_writes_is_bound_to_the_environment() -> None:
    ours = ["ec2:StopInstances", "ec2:DescribeVpcs", "secretsmanager:DeleteSecret", "cloudformation:DeleteStack"]

    found = document(ours)

    assert ["ec2:StopInstances"] == statement(found, "ChangeOwn")["Action"]
    assert {"aws:ResourceTag/Project": "jenkins", "aws:ResourceTag/Environment": "trial"} == statement(
        found, "ChangeOwn"
    )["Condition"]["StringEquals"]
    assert ["ec2:DescribeVpcs"] == statement(found, "Look")["Action"]
    assert statement(found, "ChangeOwn")["Condition"] == statement(found, "Secrets")["Condition"]
    for sid in ("Stacks", "HandOverTheRoles"):
        assert "jenkins-trial-" in statement(found, sid)["Resource"]


def test_only_who_launches_a_jenkins_that_promotes_may_approve() -> None:
    network = {"promotion": ("first", "second")}
    promoting = Settings.model_validate(
        SETTINGS.model_dump(include={"environment", "cloud", "owner", "cost_center"}) | {"network": network}
    )

    assert "sts:AssumeRole" in required_actions.list_calls(CLIENTS)
    assert "sts:AssumeRole" not in json.dumps(document(["sts:AssumeRole"]))
    approve = statement(document(["sts:AssumeRole"], chosen=promoting), "Approve")
    assert (["sts:AssumeRole"], "arn:aws:iam::*:role/jenkins-trial-*") == (approve["Action"], approve["Resource"])


@pytest.mark.parametrize(("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn")])
def test_names_are_those_of_the_regions_partition(region: str, partition: str) -> None:
    found = document(["cloudformation:DeleteStack"], chosen=SETTINGS.model_copy(update={"region": region}))

    assert statement(found, "Stacks")["Resource"].startswith(f"arn:{partition}:cloudformation:{region}:")


def test_a_policy_too_long_for_iam_is_cut_without_losing_an_action() -> None:
    many = [f"ec2:Do{number:04}Something" for number in range(900)]
    whole = document(["ec2:StopInstances"], many)

    parts = policy_parts.split(whole)

    assert all(len(json.dumps(part, separators=(",", ":"))) <= policy_parts.LARGEST for part in parts)
    before, after = (
        sorted(action for one in documents for it in one["Statement"] for action in it["Action"])
        for documents in ([whole], parts)
    )
    assert before == after
    assert len({it["Sid"] for part in parts for it in part["Statement"]}) == sum(len(it["Statement"]) for it in parts)


def test_the_acceptance_suites_calls_are_the_launchers() -> None:
    assert {
        *("ec2:DescribeTags", "ec2:DescribeVolumes", "iam:ListRoleTags", "logs:ListTagsLogGroup"),
        *("route53:ListTagsForResource", "route53resolver:ListTagsForResource"),
        *("secretsmanager:DescribeSecret", "autoscaling:DescribeTags"),
    } <= required_actions.list_calls(CLIENTS)


def test_every_name_is_an_action_of_iam() -> None:
    """Of the toolkit's own calls by AWS' list, and of what schemas name; a wildcard of theirs has something that it matches."""
    kinds = required_actions.list_types((ROOT / "cloudformation").glob("*.yaml"))
    named = {it for kind in kinds for it in template.list_permissions(kind, "eu-central-1")}

    found = required_actions.list_handler_actions(kinds, "eu-central-1", template.list_permissions)

    assert {"s3:REST.PUT.OBJECT", "resolverquerylogging:CreateConfig"} <= named - found
    assert "autoscaling:Describe*" in found
    assert "iam:PassRole" not in found
    own = required_actions.list_calls(CLIENTS)
    assert own == template.list_known_actions(own)
    whole = document(own, found)
    written = {action for it in whole["Statement"] for action in it["Action"]}
    assert written == template.list_known_actions(written)


def test_roles_are_handed_to_the_services_that_they_trust() -> None:
    templates = [ROOT / "cloudformation" / f"{name}.yaml" for name in ("controller", "traffic-logs", "network")]

    found = document([], services=required_actions.list_role_services(templates))

    condition = statement(found, "HandOverTheRoles")["Condition"]
    services = ["ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    assert {"StringEquals": {"iam:PassedToService": services}} == condition


def test_a_session_has_its_data_channel_for_its_own_caller_alone() -> None:
    found = document(["ssm:StartSession", "ssm:TerminateSession"])

    for sid, variable in (("OwnSessionsOfARole", "aws:userid"), ("OwnSessionsOfAUser", "aws:username")):
        one = statement(found, sid)
        assert ["ssm:TerminateSession", "ssmmessages:OpenDataChannel"] == one["Action"]
        assert f"arn:aws:ssm:*:*:session/${{{variable}}}-*" == one["Resource"]
    direct = SETTINGS.model_copy(update={"access": SETTINGS.access.model_copy(update={"ssh": "direct"})})
    assert "StartSession" not in json.dumps(document(["ssm:StartSession"], chosen=direct))


def test_what_changes_roles_and_reads_secrets_is_bound_also_through_cloudformation() -> None:
    through = [
        *("iam:CreateRole", "iam:CreateInstanceProfile", "iam:CreateServiceLinkedRole", "iam:ListRoles"),
        *("secretsmanager:CreateSecret", "secretsmanager:GetSecretValue", "ec2:CreateVpc"),
    ]

    found = document([], through)

    expected = {
        "Roles": (["iam:CreateRole"], "arn:aws:iam::*:role/jenkins-trial-*"),
        "Profiles": (["iam:CreateInstanceProfile"], "arn:aws:iam::*:instance-profile/jenkins-trial-*"),
        "LinkedRoles": (["iam:CreateServiceLinkedRole"], "arn:aws:iam::*:role/aws-service-role/*"),
        "OwnSecrets": (["secretsmanager:GetSecretValue"], "arn:aws:secretsmanager:eu-central-1:*:secret:*"),
        "ThroughCloudFormation": (["ec2:CreateVpc", "iam:ListRoles", "secretsmanager:CreateSecret"], "*"),
    }
    assert expected == {sid: (statement(found, sid)["Action"], statement(found, sid)["Resource"]) for sid in expected}
    assert all("ForAnyValue:StringEquals" in statement(found, sid)["Condition"] for sid in expected)
    assert "aws:ResourceTag/Project" in json.dumps(statement(found, "OwnSecrets")["Condition"])


def test_a_long_name_of_a_stack_is_cut_as_in_the_names_of_roles() -> None:
    long = SETTINGS.model_copy(update={"project": "a-project-with-a-long-name", "environment": "production"})

    assert (
        "arn:aws:iam::*:role/a-project-with-a-long-na*"
        == statement(document([], chosen=long), "HandOverTheRoles")["Resource"]
    )


def test_the_operator_has_less_than_the_launcher_and_changes_nothing() -> None:
    needs = Needs(
        required_actions.list_calls(CLIENTS),
        frozenset({"ec2:CreateVpc", "ec2:DescribeVpcs"}),
        frozenset({"ec2.amazonaws.com"}),
    )

    launcher, operator = (
        iam_policies.make_launcher_policy(SETTINGS, needs),
        iam_policies.make_operator_policy(SETTINGS, needs),
    )

    may = {action for it in operator["Statement"] for action in it["Action"]}
    assert may < {action for it in launcher["Statement"] for action in it["Action"]}
    changes = {
        it
        for it in may
        if not it.partition(":")[2].startswith(("Describe", "Get", "List", "BatchDescribe", "Simulate"))
    }
    assert {
        *("cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:TagResource"),
        *("cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift"),
        *("ssm:StartSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"),
    } == changes


def test_the_machines_role_reads_what_drift_detection_reads() -> None:
    """CloudFormation reads every resource with its caller's permissions, which is the job 'drift'."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    controller = template.parse((ROOT / "cloudformation" / "controller.yaml").read_text())
    resources = controller["Resources"]
    text = json.dumps([resources[it]["Properties"] for it in ("JobsPolicy", "JobsNetworkPolicy")])
    patterns = [it for it in re.findall(r'"([a-z0-9]+:[A-Za-z0-9]*[*][A-Za-z0-9*]*)"', text) if it.startswith("s3:")]
    kinds = required_actions.list_types((ROOT / "cloudformation").glob("*.yaml"))
    schemas = [PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", kind).schema for kind in kinds]
    handlers = [schema.get("handlers", {}).get("read", {}) for schema in schemas]
    read = template.list_known_actions({action for handler in handlers for action in handler.get("permissions", ())})

    assert {"s3:Get*Configuration", "s3:GetBucket*"} == set(patterns)
    read = {action for action in read if not any(fnmatch.fnmatchcase(action, it) for it in patterns)}
    missing = {action for action in read if f'"{action}"' not in text}

    # The instance has no associations, the peer is in the same account, and of a group these three are read.
    assert {"ssm:DescribeAssociation", "sts:AssumeRole", "autoscaling:Describe*"} == missing
    assert {f"autoscaling:Describe{it}" for it in ("AutoScalingGroups", "LifecycleHooks", "Tags")} <= set(
        text.split('"')
    )
