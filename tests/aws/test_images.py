"""Debian publishes a new image, and deregisters an old one: what SSM, EC2 and CloudFormation say then, also after a restart."""

from __future__ import annotations

import json
import urllib.error
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Cloud

PARAMETER = "/aws/service/debian/release/13/latest/amd64"
QUICK = {"Delay": 0, "MaxAttempts": 6000}
NEW = "debian-13-amd64-20251115-2300"
TEMPLATE = json.dumps(
    {
        "Parameters": {"Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": PARAMETER}},
        "Resources": {
            "Template": {
                "Type": "AWS::EC2::LaunchTemplate",
                "Properties": {"LaunchTemplateData": {"ImageId": {"Ref": "Image"}, "InstanceType": "t3.nano"}},
            }
        },
    }
)


def newest(cloud: Cloud) -> dict[str, Any]:
    """The public parameter."""
    found: dict[str, Any] = cloud.client("ssm").get_parameters(Names=[PARAMETER])["Parameters"][0]
    return found


def launch_template_image(cloud: Cloud) -> str:
    """The image in the newest version of the stack's launch template."""
    found = cloud.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=cloud.client("cloudformation").describe_stack_resource(
            StackName="taker", LogicalResourceId="Template"
        )["StackResourceDetail"]["PhysicalResourceId"],
        Versions=["$Latest"],
    )
    return str(found["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"])


def refusal(cloud: Cloud, asked: dict[str, str]) -> str:
    """Why the control endpoint refuses."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        cloud.control("images", asked)
    assert 400 == caught.value.code
    return str(json.load(caught.value)["error"])


def test_a_new_image_is_published_and_an_old_one_deregistered(own_cloud: Cloud) -> None:
    formation, ec2 = own_cloud.client("cloudformation"), own_cloud.client("ec2")
    first = newest(own_cloud)
    formation.create_stack(StackName="taker", TemplateBody=TEMPLATE)
    formation.get_waiter("stack_create_complete").wait(StackName="taker", WaiterConfig=QUICK)

    own_cloud.control("images", {"publish": NEW})

    second = newest(own_cloud)
    assert (1, 2) == (first["Version"], second["Version"])
    assert first["Value"] != second["Value"]
    found = {one["ImageId"]: one for one in ec2.describe_images(Owners=["136693071363"])["Images"]}
    assert {first["Value"], second["Value"]} == set(found)
    assert (NEW, "2025-11-15") == (found[second["Value"]]["Name"], found[second["Value"]]["CreationDate"][:10])
    west = own_cloud.new_client("ec2", region="eu-west-1")  # a region that is used for the first time
    assert {first["Value"], second["Value"]} == {one["ImageId"] for one in west.describe_images()["Images"]}
    # A parameter of the type of SSM is looked up again by each update, also with the earlier value.
    assert first["Value"] == launch_template_image(own_cloud)
    earlier = [{"ParameterKey": "Image", "UsePreviousValue": True}]
    formation.update_stack(StackName="taker", UsePreviousTemplate=True, Parameters=earlier)
    formation.get_waiter("stack_update_complete").wait(StackName="taker", WaiterConfig=QUICK)
    assert second["Value"] == launch_template_image(own_cloud)
    assert (
        second["Value"] == formation.describe_stacks(StackName="taker")["Stacks"][0]["Parameters"][0]["ResolvedValue"]
    )

    before = own_cloud.records()
    assert "the newest image" in refusal(own_cloud, {"deregister": second["Value"]})
    assert "is not newer" in refusal(own_cloud, {"publish": "debian-13-amd64-20240101-1"})
    assert "no name like" in refusal(own_cloud, {"publish": "debian-13-amd64-20251399-1"})
    assert "either" in refusal(own_cloud, {"publish": NEW, "deregister": first["Value"]})
    assert before == own_cloud.records()
    own_cloud.control("images", {"deregister": first["Value"]})
    assert "there is no image" in refusal(own_cloud, {"deregister": first["Value"]})

    own_cloud.end()
    own_cloud.start()

    assert second == newest(own_cloud) | {"ARN": second["ARN"]}
    assert [second["Value"]] == [one["ImageId"] for one in ec2.describe_images()["Images"]]
    with pytest.raises(ClientError) as caught:
        ec2.run_instances(ImageId=first["Value"], MinCount=1, MaxCount=1, InstanceType="t3.nano")
    assert caught.value.response["Error"]["Code"].startswith("InvalidAMIID")
