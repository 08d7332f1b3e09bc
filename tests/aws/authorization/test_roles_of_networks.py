"""Each network is changed by the role of its own, and the second one's belongs to whoever approves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callers import allow, refusal
from machine_role import apply

from bootstrap.context import Context
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.planning import look
from bootstrap.preconditions import stack_inputs
from bootstrap.runs.journal import start
from bootstrap.views import network_reading
from bootstrap.views.drift import stacks as drifted
from tests.aws.conftest import Cloud

LOGS = "  flow_logs: {}\n"  # a stack of the network that only a person changes: it is planned with the others
CHANGES = ("  zones: 3\n  nat: one\n  endpoints: [ssm]\n", "  endpoints: [ssm, logs]\n")
FORBIDDEN = "is not authorized to perform: cloudformation:"


def test_the_jobs_plan_both_networks_and_each_is_changed_by_its_role(
    opened: Callable[..., Context], folder: Path, keys: dict[str, str], approved: dict[str, str]
) -> None:
    """Do what the job 'network' does: plan, apply, verify, with every option whose stacks it may change."""
    for name in ("left", "right", "other"):
        apply(opened(name, LOGS), folder)
    for name, changing in (("left", keys), ("right", approved)):
        for options in (LOGS + it for it in CHANGES):
            planned = opened(name, options, keys)
            run = start(folder / "runs", as_json=False, is_verbose=False)
            if "endpoints" in planned.stacks:  # a stack that a plan opens is not deleted again by the role
                assert look.plan_stacks(planned, run, stack_inputs.list_network_stacks(planned))
            apply(opened(name, options, changing), folder)
        context = opened(name, options, keys)
        assert network_reading.read(context).subnets
        for made in context.stacks.values():  # as the job 'drift' does
            assert [] == list(drifted.find_stack_drift(context.world.aws("cloudformation"), made.name, "launch"))
    for name, held in (("right", keys), ("left", approved), ("other", keys), ("other", approved)):
        with pytest.raises(Exception, match=FORBIDDEN):
            apply(opened(name, f"{LOGS}  endpoints: [ssm]\n", held), folder)


def test_the_machine_cannot_assume_the_role_promotion(
    module_cloud: Cloud, inside: Callable[[str], Any], roles: dict[str, str]
) -> None:
    """The trust policy refuses it even if somebody gave the machine the permission."""
    iam, machine = module_cloud.client("iam"), roles["Role"].rpartition("/")[2]
    asked = {"RoleArn": roles["Promotion"], "RoleSessionName": "network-1"}
    assert "AccessDenied" == refusal(lambda: inside("sts").assume_role(**asked))[0]
    given = json.dumps({"Version": "2012-10-17", "Statement": [allow("sts:*")]})
    iam.put_role_policy(RoleName=machine, PolicyName="given", PolicyDocument=given)
    try:
        for more in ({}, {"ExternalId": "approved"}, {"Tags": [{"Key": "Approved", "Value": "yes"}]}):
            assert "AccessDenied" == refusal(lambda more=more: inside("sts").assume_role(**asked, **more))[0]
    finally:
        iam.delete_role_policy(RoleName=machine, PolicyName="given")


def attempt(module_cloud: Cloud, inside: Callable[[str], Any], more: dict[str, Any]) -> list[str]:
    """Execute a change set with the machine's keys; returns the reasons of the resources that were not created."""
    stacks, name = inside("cloudformation"), "guarded-left-acls"
    before = module_cloud.client("cloudformation").get_template(StackName=name)["TemplateBody"]
    body = dict(read(before if isinstance(before, str) else json.dumps(before), {}).document)
    body["Resources"] = {**body["Resources"], **more}
    given = module_cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    stacks.create_change_set(
        StackName=name,
        ChangeSetName=f"attack-{min(more)}",
        TemplateBody=json.dumps(body, default=str),
        Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in given["Parameters"]],
        Tags=given["Tags"],
    )
    stacks.execute_change_set(StackName=name, ChangeSetName=f"attack-{min(more)}")
    with pytest.raises(Exception, match="terminal failure"):
        module_cloud.client("cloudformation").get_waiter("stack_update_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )
    events = module_cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [it["ResourceStatusReason"] for it in events if it["ResourceStatus"] == "CREATE_FAILED"]


def test_a_change_of_the_first_network_cannot_change_the_second(
    module_cloud: Cloud, inside: Callable[[str], Any]
) -> None:
    """A change set of a stack that the machine may change opens a security group of the other network."""
    groups = module_cloud.client("ec2").describe_security_groups()["SecurityGroups"]
    (group,) = [
        it["GroupId"] for it in groups if {"Key": "Name", "Value": "guarded-right-controller"} in it.get("Tags", ())
    ]
    opening = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}
    rule = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": opening}
    said = attempt(module_cloud, inside, {"Opened": rule})
    assert any("is not authorized to perform: ec2:AuthorizeSecurityGroupIngress" in text for text in said), said
    rules = module_cloud.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    assert "10.0.0.0/8" not in [it.get("CidrIpv4") for it in rules["SecurityGroupRules"]]


def test_cloudformation_can_do_only_what_the_role_of_the_caller_allows(
    module_cloud: Cloud, inside: Callable[[str], Any]
) -> None:
    """A change set of a stack that the role may change adds resources that the role may not create."""
    data = base64.b64encode(b"#!/bin/sh").decode()
    machine = {"Type": "AWS::EC2::Instance", "Properties": {"ImageId": "ami-01234567", "UserData": data}}
    said = attempt(module_cloud, inside, {"Machine": machine})
    assert any("is not authorized to perform: ec2:RunInstances" in text for text in said), said
    assert [] == module_cloud.client("ec2").describe_instances()["Reservations"]
