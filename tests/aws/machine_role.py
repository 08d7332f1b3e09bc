"""The role of the controller's machine and the role Promotion, created from their template, and environments with networks.

Only the trust policy of the machine's role lets the tests in. The role Promotion is the template's, unchanged.
"""

from __future__ import annotations

import json
from pathlib import Path

from bootstrap import launch
from bootstrap.context import Context
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.preconditions import stack_inputs
from bootstrap.runs.journal import start
from tests.aws.conftest import ROOT, Cloud

HEAD = "environment: {}\nproject: guarded\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
BLOCKS = {"left": "10.64.0.0/16", "right": "10.65.0.0/16", "other": "10.66.0.0/16"}
ACCOUNT = "123456789012"
ROOT_OF_ACCOUNT = f"arn:aws:iam::{ACCOUNT}:root"
CONDITIONS = ("HasBoundary", "HasBucket", "HasKmsKey", "HasSecond", "HasPeer", "HasJobsRole")  # of the roles
UNREADABLE = ("AdminPasswordSecret", "AuthorityKeySecret", "PeopleSecret")


def apply(context: Context, folder: Path) -> None:
    """Launch the stacks of the network."""
    run = start(folder / "runs", as_json=False, is_verbose=False)
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    context.forget()


def roles_of_the_controller(cloud: Cloud, secrets: dict[str, str]) -> dict[str, str]:
    """The ARNs of the machine's IAM role and of the role Promotion, created from their template."""
    body = read((ROOT / "cloudformation" / "controller.yaml").read_text(), {}).document
    role = body["Resources"]["Role"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT_OF_ACCOUNT}, "Action": "sts:AssumeRole"}
    role["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(trust)
    used = {"Project": "guarded", "Environment": "left", "FirstNetwork": "left", "SecondNetwork": "right", **secrets}
    names = {*used, "PermissionsBoundary", "KmsKeyArn", "PeerNetwork", "DistributionBucket", "JobsRole"}
    made = {
        "Parameters": {name: body["Parameters"][name] for name in names},
        "Conditions": {name: body["Conditions"][name] for name in CONDITIONS},
        "Resources": {"Role": role}
        | {it: body["Resources"][it] for it in ("JobsPolicy", "JobsNetworkPolicy", "Promotion")},
        "Outputs": {name: {"Value": {"Fn::GetAtt": [name, "Arn"]}} for name in ("Role", "Promotion")},
    }
    stacks = cloud.client("cloudformation")
    stacks.create_stack(
        StackName="guarded-left-controller",
        TemplateBody=json.dumps(made, default=str),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in used.items()],
        Tags=[{"Key": "Project", "Value": "guarded"}, {"Key": "Environment", "Value": "left"}],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="guarded-left-controller", WaiterConfig={"Delay": 1})
    (stack,) = stacks.describe_stacks(StackName="guarded-left-controller")["Stacks"]
    return {it["OutputKey"]: str(it["OutputValue"]) for it in stack["Outputs"]}


def _named(given: dict[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
