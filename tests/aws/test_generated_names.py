"""A resource without a name gets the name of its type's form: one of every type is made, and its name is read back.

The stack's name is long enough that roles and functions are cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.adapters.generated_names import load_forms

Client = Callable[[str], Any]
STACK = "names-that-are-made-by-the-account-and-not-by-a-person"
TEMPLATE = Path(__file__).with_name("generated_names.yaml")
CHILD = {"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}}
# Ref is no name: how the name is read from the physical id.
NAMED_ELSEWHERE: dict[str, Callable[[Client, str], str]] = {
    "AWS::EC2::LaunchTemplate": lambda client, it: client("ec2").describe_launch_templates(LaunchTemplateIds=[it])[
        "LaunchTemplates"
    ][0]["LaunchTemplateName"],
    "AWS::EC2::SecurityGroup": lambda client, it: client("ec2").describe_security_groups(GroupIds=[it])[
        "SecurityGroups"
    ][0]["GroupName"],
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": lambda client, it: client(
        "route53resolver"
    ).get_resolver_query_log_config(ResolverQueryLogConfigId=it)["ResolverQueryLogConfig"]["Name"],
    "AWS::SecretsManager::Secret": lambda client, it: client("secretsmanager").describe_secret(SecretId=it)["Name"],
    "AWS::ElasticLoadBalancingV2::LoadBalancer": lambda _, it: it.split("/")[-2],
    "AWS::ElasticLoadBalancingV2::TargetGroup": lambda _, it: it.split("/")[-2],
    "AWS::CloudFormation::Stack": lambda _, it: it.split("/")[1],
    "AWS::IAM::ManagedPolicy": lambda _, it: it.rpartition("/")[2],
    "AWS::AutoScaling::ScalingPolicy": lambda _, it: it.rpartition("/")[2],
    "AWS::SNS::Topic": lambda _, it: it.rpartition(":")[2],
    "AWS::SQS::Queue": lambda _, it: it.rpartition("/")[2],
    "AWS::WAFv2::WebACL": lambda _, it: it.partition("|")[0],
    "AWS::Events::Rule": lambda _, it: it.rpartition("/")[2],
    "AWS::Logs::MetricFilter": lambda _, it: it,
}


@pytest.fixture(scope="module")
def made(client: Client) -> Iterator[dict[str, dict[str, str]]]:
    """By type, the names of its resources by their logical ids.

    The stack goes at the end: of some types an account has one, and other tests of this cloud make it, too.
    """
    cloudformation = client("cloudformation")
    client("s3").create_bucket(Bucket="children", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client("s3").put_object(Bucket="children", Key="child.json", Body=json.dumps(CHILD).encode())
    child = "  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://children.s3.amazonaws.com/child.json}}\n"
    body = TEMPLATE.read_text() + child
    cloudformation.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    names: dict[str, dict[str, str]] = {}
    for page in pages:
        for it in page["StackResourceSummaries"]:
            read = NAMED_ELSEWHERE.get(it["ResourceType"], lambda _, physical: physical)
            if it["ResourceType"] in load_forms():
                name = read(client, it["PhysicalResourceId"])
                names.setdefault(it["ResourceType"], {})[it["LogicalResourceId"]] = name
    yield names
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def pattern(kind: str, logical: str) -> str:
    """The regular expression of a generated name: what AWS keeps of stack name and logical id, then the random part."""
    form = load_forms()[kind]
    random = "[a-z0-9]{12}" if form.lower else "[A-Za-z0-9]{12}"
    ends = re.escape(".fifo") if logical == "Ordered" else ""
    whole = {
        "stack-logical": f"{STACK}-{logical}",
        "CFN-logical": f"CFN-{logical}",
        "logical": logical,
    }[form.begins]
    room = form.limit - 13 - (5 if ends else 0)
    if len(whole) > room:  # the logical ids here are shorter than a half, except where there is little room
        half = (room - 1) // 2
        kept = min(len(logical), half)
        whole = f"{STACK[: room - 1 - kept].rstrip('-')}-{logical[:kept]}"
    start = re.escape(whole.lower() if form.lower else whole)
    return f"{start}{form.joins}{random}{ends}"


@pytest.mark.parametrize("kind", load_forms())
def test_a_resource_without_a_name_gets_one_of_its_types_form(made: dict[str, dict[str, str]], kind: str) -> None:
    assert made.get(kind), f"no resource of {kind} is in {TEMPLATE.name}"
    for logical, name in made[kind].items():
        assert re.fullmatch(pattern(kind, logical), name), (logical, name)
        assert len(name) <= load_forms()[kind].limit


def test_the_arn_of_a_secret_has_six_characters_more(made: dict[str, dict[str, str]], client: Client) -> None:
    (name,) = made["AWS::SecretsManager::Secret"].values()

    arn = client("secretsmanager").describe_secret(SecretId=name)["ARN"]

    assert re.fullmatch(rf".*:secret:{name}-[A-Za-z0-9]{{6}}", arn), arn
