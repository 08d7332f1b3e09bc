"""A group of Auto Scaling in two subnets of a VPC, for tests: how it is made, changed and looked at."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 30.0
AT = r"At \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "  # how the cause of an activity begins
ZONES = ("eu-central-1a", "eu-central-1b")


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; `what` says what is missing."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Group:
    """A group with two subnets in two zones. `data` is added to its launch template."""

    def __init__(self, cloud: Any, **data: Any) -> None:
        self.cloud = cloud
        self.api, self.ec2 = cloud.client("autoscaling"), cloud.client("ec2")
        self.name = f"scaled-{uuid.uuid4().hex[:6]}"
        self.arguments = {"AutoScalingGroupName": self.name}
        vpc = self.ec2.create_vpc(CidrBlock="10.93.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.93.{place}.0/24", AvailabilityZone=zone)["Subnet"][
                "SubnetId"
            ]
            for place, zone in enumerate(ZONES)
        ]
        image = cloud.client("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]
        self.data = {"ImageId": image["Value"], "InstanceType": "t3.nano", **data}
        made = self.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=self.data)
        self.template = {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"}

    def create(self, least: int = 0, most: int = 4, desired: int = 0, **more: Any) -> Group:
        settings: dict[str, Any] = {"MinSize": least, "MaxSize": most, "DesiredCapacity": desired}
        if "MixedInstancesPolicy" not in more:
            settings["LaunchTemplate"] = self.template
        settings["VPCZoneIdentifier"] = ",".join(self.subnets)
        self.api.create_auto_scaling_group(**self.arguments, **settings | more)
        return self

    def resize(self, desired: int) -> None:
        self.api.set_desired_capacity(**self.arguments, DesiredCapacity=desired)

    def update(self, **settings: Any) -> None:
        self.api.update_auto_scaling_group(**self.arguments, **settings)

    @property
    def shown(self) -> dict[str, Any]:
        """The group as DescribeAutoScalingGroups shows it; empty if it does not exist."""
        groups = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        return dict(groups[0]) if groups else {}

    @property
    def members(self) -> list[dict[str, Any]]:
        return list(self.shown.get("Instances", []))

    @property
    def states(self) -> dict[str, str]:
        return {one["InstanceId"]: one["LifecycleState"] for one in self.members}

    def settle(self, count: int) -> list[str]:
        """Wait until the group has `count` members, all in service; their ids, oldest first."""
        until(lambda: list(self.states.values()) == ["InService"] * count, f"not {count} in service: {self.states}")
        return list(self.states)

    def instance(self, instance_id: str) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        return dict(found)

    def state(self, instance_id: str) -> str:
        return str(self.instance(instance_id)["State"]["Name"])

    def activities(self, **more: Any) -> list[dict[str, Any]]:
        """The activities, oldest first."""
        shown = self.api.describe_scaling_activities(**self.arguments, **more)["Activities"]
        return list(reversed(shown))

    def protect(self, *instances: str, is_protected: bool = True) -> None:
        given = {"InstanceIds": list(instances), "ProtectedFromScaleIn": is_protected}
        self.api.set_instance_protection(**self.arguments, **given)

    def delete(self) -> None:
        if self.shown:
            self.api.delete_auto_scaling_group(**self.arguments, ForceDelete=True)
