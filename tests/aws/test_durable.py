"""A cloud that is killed again and again while stacks are made, altered and deleted is whole after each start.

Kills come at random moments of the work. After every start each stack reaches a final state, what the services have is
what the stacks name (nothing twice, nothing orphaned), and what was there before has the same ids, addresses and secrets.

Fifteen kills by default, some of them while an operation is being taken up again; more with KILLS (fifteen to a cloud, so that
journals stay short), another course of events with SEED; `-n 2` runs two clouds side by side:

    KILLS=120 SEED=7 .venv/bin/python -m pytest -q -n 2 tests/aws/test_durable.py
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROUND = 15
ROUNDS = -(-int(os.environ.get("KILLS", "15")) // ROUND)
SEED = int(os.environ.get("SEED", "1"))
SETTLE_SECONDS = 60.0
IDLE = Config(retries={"total_max_attempts": 1}, read_timeout=20)

FINAL = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "DELETE_COMPLETE",
    "ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}


def body(number: int, version: int, *, broken: bool) -> str:
    """A template whose versions alter some resources in place, replace some, add some and drop some."""
    second = 200 + number % 50
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{second}.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.{second}.{version % 200}.0/24"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": f"of version {version % 2}", "VpcId": {"Ref": "Vpc"}},
        },
        "Key": {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": f"k{number}", "KeyType": "ed25519"}},
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 20}},
        },
        "Note": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::Sub": f"${{Subnet}} {version}"}},
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30 + version % 9}},
        f"Extra{version % 3}": {"Type": "AWS::EC2::InternetGateway"},
    }
    if broken:
        wrong = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "192.168.0.0/24"}
        resources["Wrong"] = {"Type": "AWS::EC2::Subnet", "DependsOn": ["Note", "Queue"], "Properties": wrong}
    return json.dumps({"Resources": resources, "Outputs": {"Secret": {"Value": {"Ref": "Secret"}}}})


def every_physical_thing(own_cloud: Any) -> dict[str, list[str]]:
    """What the services have, by type; the things that every region has from the start are left out."""
    ec2, ssm = own_cloud.client("ec2"), own_cloud.client("ssm")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    pairs = ec2.describe_key_pairs()["KeyPairs"]
    parameters = ssm.get_paginator("describe_parameters").paginate().build_full_result()["Parameters"]
    kept = [one["Name"] for one in parameters if one["Name"].startswith("/ec2/keypair/")]
    return {
        "AWS::EC2::VPC": [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "AWS::EC2::Subnet": [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"] if not one["DefaultForAz"]],
        "AWS::EC2::SecurityGroup": [one["GroupId"] for one in groups if one["GroupName"] != "default"],
        "AWS::EC2::InternetGateway": [
            one["InternetGatewayId"] for one in ec2.describe_internet_gateways()["InternetGateways"]
        ],
        "AWS::EC2::KeyPair": [one["KeyName"] for one in pairs],
        "private keys": [name.rpartition("/")[2] for name in kept],
        "AWS::SecretsManager::Secret": [
            one["ARN"] for one in own_cloud.client("secretsmanager").list_secrets()["SecretList"]
        ],
        "AWS::SSM::Parameter": [one["Name"] for one in parameters if one["Name"] not in kept],
        "AWS::SQS::Queue": own_cloud.client("sqs").list_queues().get("QueueUrls", []),
    }


def every_named_thing(own_cloud: Any) -> dict[str, list[str]]:
    """What the living stacks say that they have, by type."""
    cloudformation = own_cloud.client("cloudformation")
    found: dict[str, list[str]] = {}
    for stack in cloudformation.describe_stacks()["Stacks"]:
        for one in cloudformation.list_stack_resources(StackName=stack["StackId"])["StackResourceSummaries"]:
            found.setdefault(one["ResourceType"], []).append(one["PhysicalResourceId"])
    return found


def settled(own_cloud: Any) -> dict[str, str]:
    """The status of every stack that ever was, once all are final."""
    cloudformation = own_cloud.client("cloudformation")
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        listed = cloudformation.get_paginator("list_stacks").paginate().build_full_result()["StackSummaries"]
        states = {one["StackId"]: one["StackStatus"] for one in listed}
        if not any(status.endswith("_IN_PROGRESS") for status in states.values()):
            return states
        time.sleep(0.02)
    raise AssertionError(f"still in progress: {states}")


def values_of_secrets(own_cloud: Any) -> dict[str, str]:
    """The secrets by ARN; one that an operation in progress deletes meanwhile is left out."""
    secrets, found = own_cloud.client("secretsmanager"), {}
    for one in secrets.list_secrets()["SecretList"]:
        with contextlib.suppress(secrets.exceptions.ResourceNotFoundException):
            found[one["ARN"]] = secrets.get_secret_value(SecretId=one["ARN"])["SecretString"]
    return found


def remembered(own_cloud: Any) -> dict[str, Any]:
    """Ids, addresses and secrets as clients see them."""
    ec2 = own_cloud.client("ec2")
    return {
        "things": {kind: sorted(ids) for kind, ids in every_physical_thing(own_cloud).items()},
        "vpcs": {one["VpcId"]: one["CidrBlock"] for one in ec2.describe_vpcs()["Vpcs"]},
        "subnets": {one["SubnetId"]: (one["CidrBlock"], one["VpcId"]) for one in ec2.describe_subnets()["Subnets"]},
        "pairs": {one["KeyPairId"]: one["KeyFingerprint"] for one in ec2.describe_key_pairs()["KeyPairs"]},
        "secrets": values_of_secrets(own_cloud),
    }


def act(own_cloud: Any, draw: random.Random, version: int) -> str:
    """Begin one operation that fits the stacks as they are; returns what it was."""
    cloudformation = own_cloud.client("cloudformation")
    stacks = {one["StackName"]: one["StackStatus"] for one in cloudformation.describe_stacks()["Stacks"]}
    number = draw.randrange(3)
    name, broken = f"s{number}", draw.random() < 0.25
    text = body(number, version, broken=broken)
    if name not in stacks:
        cloudformation.create_stack(StackName=name, TemplateBody=text)
        return f"create {name}{' broken' * broken}"
    if stacks[name] == "ROLLBACK_COMPLETE" or draw.random() < 0.3:
        cloudformation.delete_stack(StackName=name)
        return f"delete {name}"
    cloudformation.update_stack(StackName=name, TemplateBody=text)
    return f"update {name}{' broken' * broken}"


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_cloud_that_is_killed_at_random_is_whole_after_each_start(own_cloud: Any, seed: int) -> None:
    draw = random.Random(seed)
    began = time.monotonic()
    kills = 0
    while kills < ROUND:
        before = remembered(own_cloud)
        done = []
        for _ in range(draw.choice((1, 1, 2, 3))):
            with contextlib.suppress(ClientError, BotoCoreError):  # the stack may be busy with the one before
                done.append(act(own_cloud, draw, kills))
        pause = draw.uniform(0.01, 0.3)
        time.sleep(pause)
        at_the_end = remembered(own_cloud) if draw.random() < 0.2 else {}
        own_cloud.end(signal.SIGKILL)
        own_cloud.start()
        kills += 1
        if draw.random() < 0.3:  # in the middle of taking up what the first kill cut
            time.sleep(draw.uniform(0.0, 0.15))
            own_cloud.end(signal.SIGKILL)
            own_cloud.start()
            kills += 1
        print(f"seed {seed} kill {kills}: {', '.join(done)}; after {pause * 1000:.0f} ms")
        states = settled(own_cloud)
        assert set() == set(states.values()) - FINAL, states
        there, named = every_physical_thing(own_cloud), every_named_thing(own_cloud)
        pairs = own_cloud.client("ec2").describe_key_pairs()["KeyPairs"]
        assert sorted(one["KeyPairId"] for one in pairs) == sorted(there.pop("private keys"))
        assert {kind: sorted(ids) for kind, ids in there.items() if ids} == {k: sorted(v) for k, v in named.items()}
        after = remembered(own_cloud)
        for kind in ("vpcs", "subnets", "pairs", "secrets"):
            both = before[kind].keys() & after[kind].keys()
            assert {one: before[kind][one] for one in both} == {one: after[kind][one] for one in both}
        for kind in ("secrets", "pairs"):
            kept = at_the_end.get(kind, {})
            assert {k: v for k, v in kept.items() if k in after[kind]}.items() <= after[kind].items()
    print(f"seed {seed}: {kills} kills in {time.monotonic() - began:.0f} s")
