"""Who may change a group: by its name, its tags and its bounds; and who launches from a template also passes its role."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from scaled import Group

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
Statement = dict[str, Any]


@pytest.fixture
def become(cloud: Any) -> Callable[..., Any]:
    """The clients of a new user that has a policy with these statements."""
    iam = cloud.client("iam")

    def make(name: str, *statements: Statement) -> Callable[[str], Any]:
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="eu-central-1")
        return lambda service: session.client(service, endpoint_url=cloud.endpoint)

    return make


def allow(action: str | list[str], resource: str = "*", **condition: Any) -> Statement:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refusal:
        call()
    assert refusal.value.response["Error"]["Code"] in {"AccessDenied", "UnauthorizedOperation"}
    return str(refusal.value.response["Error"]["Message"])


def test_who_scales_one_group_scales_no_other(group: Group, become: Any) -> None:
    other = Group(group.cloud).create(desired=1)
    group.create(desired=2)
    own, second = group.settle(2)
    (foreign,) = other.settle(1)
    arn = f"arn:aws:autoscaling:*:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/{group.name}"
    actions = ["autoscaling:UpdateAutoScalingGroup", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    tagging = allow(
        "ec2:CreateTags",
        f"arn:aws:ec2:*:{ACCOUNT}:instance/*",
        StringEquals={"aws:ResourceTag/aws:autoscaling:groupName": group.name},
        **{"ForAllValues:StringEquals": {"aws:TagKeys": ["ec2-fleet-plugin:cloud-name"]}},
    )
    bound = allow(actions, arn) | {"Condition": {"NumericLessThanEqualsIfExists": {"autoscaling:MaxSize": "3"}}}
    user = become("scaler", bound, tagging, allow(["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"]))
    scaling, ec2 = user("autoscaling"), user("ec2")
    scaling.update_auto_scaling_group(**group.arguments, MaxSize=3, NewInstancesProtectedFromScaleIn=True)
    end = {"ShouldDecrementDesiredCapacity": False}
    scaling.terminate_instance_in_auto_scaling_group(InstanceId=own, **end)
    ec2.create_tags(Resources=[second], Tags=[{"Key": "ec2-fleet-plugin:cloud-name", "Value": "linux"}])

    refused(lambda: scaling.update_auto_scaling_group(**group.arguments, MaxSize=4))
    refused(lambda: scaling.update_auto_scaling_group(**other.arguments, MaxSize=1))
    refused(lambda: scaling.terminate_instance_in_auto_scaling_group(InstanceId=foreign, **end))
    refused(lambda: scaling.set_instance_health(InstanceId=own, HealthStatus="Unhealthy"))
    refused(lambda: ec2.create_tags(Resources=[second], Tags=[{"Key": "Name", "Value": "x"}]))
    refused(lambda: ec2.create_tags(Resources=[foreign], Tags=[{"Key": "ec2-fleet-plugin:cloud-name", "Value": "x"}]))
    refused(lambda: scaling.delete_auto_scaling_group(**group.arguments, ForceDelete=True))
    assert {foreign: "InService"} == other.states
    other.delete()


def test_the_tags_of_a_group_are_conditions(group: Group, become: Any) -> None:
    group.create(Tags=[{"Key": "Team", "Value": "red", "PropagateAtLaunch": False}])
    actions = "autoscaling:SetDesiredCapacity"
    red = become("red", allow(actions, StringEquals={"aws:ResourceTag/Team": "red"}))
    blue = become("blue", allow(actions, StringEquals={"autoscaling:ResourceTag/Team": "blue"}))
    red("autoscaling").set_desired_capacity(**group.arguments, DesiredCapacity=0)
    refused(lambda: blue("autoscaling").set_desired_capacity(**group.arguments, DesiredCapacity=0))


def test_who_gives_a_group_a_template_may_launch_from_it_and_pass_its_role(group: Group, become: Any) -> None:
    iam = group.cloud.client("iam")
    iam.create_role(RoleName="strong", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName="strong")
    iam.add_role_to_instance_profile(InstanceProfileName="strong", RoleName="strong")
    group.create()
    data = {**group.data, "IamInstanceProfile": {"Name": "strong"}}
    group.ec2.create_launch_template_version(
        LaunchTemplateId=group.template["LaunchTemplateId"], LaunchTemplateData=data
    )
    change = {**group.arguments, "LaunchTemplate": group.template}
    update = allow("autoscaling:UpdateAutoScalingGroup")
    launch = allow("ec2:RunInstances")
    weak, middle = become("weak", update), become("middle", update, launch)
    full = become("full", update, launch, allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/strong"))
    assert "ec2:RunInstances" in refused(lambda: weak("autoscaling").update_auto_scaling_group(**change))
    assert "iam:PassRole" in refused(lambda: middle("autoscaling").update_auto_scaling_group(**change))
    run = {"LaunchTemplate": group.template, "MinCount": 1, "MaxCount": 1}
    assert "iam:PassRole" in refused(lambda: middle("ec2").run_instances(**run))
    full("autoscaling").update_auto_scaling_group(**change)
    weak("autoscaling").update_auto_scaling_group(**group.arguments, MaxSize=2)
