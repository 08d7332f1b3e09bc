"""Rolling updates of Auto Scaling groups: in batches, with enough machines in service, by signals, and back again."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "{{resolve:ssm:/aws/service/debian/release/13/latest/amd64}}"


def body(policy: dict[str, Any], kind: str, sizes: tuple[int, int, int], **more: Any) -> str:
    """A group of (least, wanted, most) machines of a type, whose template's newest version it takes."""
    least, wanted, most = sizes
    version = {"LaunchTemplateId": {"Ref": "L"}, "Version": {"Fn::GetAtt": ["L", "LatestVersionNumber"]}}
    group = {
        "AvailabilityZones": ["eu-central-1a"],
        "MinSize": str(least),
        "DesiredCapacity": str(wanted),
        "MaxSize": str(most),
        "LaunchTemplate": version,
        **more,
    }
    data = {"InstanceType": kind, "ImageId": IMAGE}
    resources = {
        "L": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}},
        "G": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "UpdatePolicy": {"AutoScalingRollingUpdate": policy},
            "Properties": group,
        },
    }
    return json.dumps({"Resources": resources, "Outputs": {"G": {"Value": {"Ref": "G"}}}})


class Group:
    """A stack with a group, in a cloud."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.api = cloud.client("cloudformation")
        self.scaling = cloud.client("autoscaling")
        self.stack = f"rolling-{uuid.uuid4().hex[:6]}"
        self.is_over = threading.Event()
        self.least_running = 99
        self.signaller: threading.Thread | None = None

    def create(self, text: str) -> None:
        self.api.create_stack(StackName=self.stack, TemplateBody=text)
        assert "CREATE_COMPLETE" == self.settle()

    def update(self, text: str) -> str:
        self.api.update_stack(StackName=self.stack, TemplateBody=text)
        return self.settle()

    def settle(self) -> str:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            status = str(self.api.describe_stacks(StackName=self.stack)["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.05)
        raise AssertionError("still in progress")

    @property
    def found(self) -> dict[str, Any]:
        listed = self.api.list_stack_resources(StackName=self.stack)["StackResourceSummaries"]
        name = next(one["PhysicalResourceId"] for one in listed if one["LogicalResourceId"] == "G")
        shown = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return dict(shown[0])

    def machines(self) -> list[str]:
        return [one["InstanceId"] for one in self.found["Instances"]]

    def types(self) -> list[str]:
        return [one["InstanceType"] for one in self.found["Instances"]]

    def sizes(self) -> tuple[int, int, int]:
        found = self.found
        return found["MinSize"], found["DesiredCapacity"], found["MaxSize"]

    def said(self) -> list[str]:
        """What the group's events say, in order, without ids."""
        pages = self.api.get_paginator("describe_stack_events").paginate(StackName=self.stack)
        events = [event for page in pages for event in page["StackEvents"]][::-1]
        words = [one.get("ResourceStatusReason", "") for one in events if one["LogicalResourceId"] == "G"]
        return [re.sub(r"i-[0-9a-f]+", "i", one) for one in words if one and not one.startswith("Resource creation")]

    def signal(self, status: str) -> None:
        """From now on each new machine signals, as soon as there is somebody who waits for it."""
        known, told = set(self.machines()), set[str]()

        def run() -> None:
            while not self.is_over.is_set():
                self.least_running = min(self.least_running, len(self.machines()))
                for name in set(self.machines()) - known - told:
                    try:
                        self.api.signal_resource(
                            StackName=self.stack, LogicalResourceId="G", UniqueId=name, Status=status
                        )
                    except ClientError:
                        continue
                    told.add(name)
                time.sleep(0.05)

        self.signaller = threading.Thread(target=run, daemon=True)
        self.signaller.start()

    def close(self) -> None:
        """End what signals."""
        self.is_over.set()
        if self.signaller is not None:
            self.signaller.join(60)


@pytest.fixture
def group(cloud: Any) -> Iterator[Group]:
    made = Group(cloud)
    yield made
    made.close()
    made.api.delete_stack(StackName=made.stack)


def test_machines_are_replaced_one_by_one(group: Group) -> None:
    policy = {"PauseTime": "PT1S"}
    group.create(body(policy, "t3.nano", (0, 2, 2)))
    before = group.machines()
    began = time.monotonic()
    assert "UPDATE_COMPLETE" == group.update(body(policy, "t3.micro", (0, 2, 2)))
    assert time.monotonic() - began >= 2
    assert ["t3.micro", "t3.micro"] == group.types()
    assert set() == set(before) & set(group.machines())
    assert [
        "Rolling update initiated. Terminating 2 obsolete instance(s) in batches of 1. Pausing for PT1S when new instances are "
        "added to the autoscaling group.",
        "Terminating instance(s) [i]; replacing with 1 new instance(s).",
        "Successfully terminated instance(s) [i] (Progress 50%).",
        "Terminating instance(s) [i]; replacing with 1 new instance(s).",
        "Successfully terminated instance(s) [i] (Progress 100%).",
    ] == group.said()
    assert (0, 2, 2) == group.sizes()


def test_a_group_is_larger_for_the_time_where_none_can_be_spared_and_signals_are_waited_for(group: Group) -> None:
    policy = {"MinInstancesInService": 3, "WaitOnResourceSignals": True, "PauseTime": "PT5M"}
    group.create(body(policy, "t3.nano", (3, 3, 5)))
    group.signal("SUCCESS")
    assert "UPDATE_COMPLETE" == group.update(body(policy, "t3.micro", (3, 3, 5)))
    assert ["t3.micro"] * 3 == group.types()
    assert 3 == group.least_running
    assert (3, 3, 5) == group.sizes()
    said = group.said()
    assert (
        "Rolling update initiated. Terminating 3 obsolete instance(s) in batches of 1, while keeping at least 3 instance(s) in "
        "service. Waiting on resource signals with a timeout of PT5M when new instances are added to the autoscaling group."
    ) == said[0]
    assert "Temporarily setting autoscaling group MinSize and DesiredCapacity to 4." == said[1]
    assert 3 == sum(one.startswith("New instance(s) added to autoscaling group - Waiting on 1") for one in said)
    assert 3 == sum(one == "Received SUCCESS signal with UniqueId i" for one in said)
    assert 1 == sum("replacing with 0 new instance(s)" in one for one in said)


def test_an_update_whose_machines_say_that_they_failed_goes_back_by_rolling(group: Group) -> None:
    policy = {"WaitOnResourceSignals": True, "PauseTime": "PT2S", "MaxBatchSize": 2}
    group.create(body(policy, "t3.nano", (2, 2, 2)))
    relaxed = {"PauseTime": "PT0S", "MaxBatchSize": 2, "MinSuccessfulInstancesPercent": 0}
    assert "UPDATE_ROLLBACK_FAILED" == group.update(
        body(policy, "t3.micro", (2, 2, 2))
    )  # nobody signals on the way back
    said = group.said()
    assert any("Failed to receive 2 resource signal(s) for the current batch." in one for one in said)
    assert any("Received 0 SUCCESS signal(s) out of 2.  Unable to satisfy 100%" in one for one in said)
    group.api.continue_update_rollback(StackName=group.stack)
    assert "UPDATE_ROLLBACK_COMPLETE" == group.settle()  # for what failed on the way back is of the old template
    assert ["t3.nano"] * 2 == group.types()
    assert "UPDATE_COMPLETE" == group.update(body(relaxed, "t3.micro", (2, 2, 2)))
    assert ["t3.micro"] * 2 == group.types()


def test_some_may_fail_where_the_policy_says_so(group: Group) -> None:
    policy = {"WaitOnResourceSignals": True, "PauseTime": "PT5M", "MinSuccessfulInstancesPercent": 0}
    group.create(body(policy, "t3.nano", (1, 1, 2)))
    group.signal("FAILURE")
    assert "UPDATE_COMPLETE" == group.update(body(policy, "t3.micro", (1, 1, 2)))
    assert any("Received FAILURE signal" in one for one in group.said())


def test_what_keeps_every_machine_of_a_full_group_is_refused(group: Group) -> None:
    policy = {"MinInstancesInService": 1}
    group.create(body(policy, "t3.nano", (1, 1, 1)))
    before = group.machines()
    assert "UPDATE_ROLLBACK_COMPLETE" == group.update(body(policy, "t3.micro", (1, 1, 1)))
    assert any("MinInstancesInService must be less than the autoscaling group's MaxSize" in one for one in group.said())
    assert before == group.machines()


def test_a_change_of_sizes_replaces_nothing(group: Group) -> None:
    group.create(body({}, "t3.nano", (1, 1, 2)))
    before = group.machines()
    assert "UPDATE_COMPLETE" == group.update(body({}, "t3.nano", (1, 2, 2)))
    assert before == group.machines()[:1]
    assert [] == group.said()


def test_a_rolling_update_is_gone_on_with_after_a_kill(own_cloud: Any) -> None:
    group = Group(own_cloud)
    policy = {"WaitOnResourceSignals": True, "PauseTime": "PT5M"}
    group.create(body(policy, "t3.nano", (0, 2, 2)))
    before = group.machines()
    group.api.update_stack(StackName=group.stack, TemplateBody=body(policy, "t3.micro", (0, 2, 2)))
    end = time.monotonic() + 60
    while not any("Waiting on 1 resource signal" in one for one in group.said()):
        assert time.monotonic() < end
        time.sleep(0.05)
    meanwhile = group.machines()
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    assert meanwhile == group.machines()
    (new,) = set(meanwhile) - set(before)
    group.api.signal_resource(StackName=group.stack, LogicalResourceId="G", UniqueId=new, Status="SUCCESS")
    group.signal("SUCCESS")
    assert "UPDATE_COMPLETE" == group.settle()
    group.close()
    assert ["t3.micro"] * 2 == group.types()
    assert new in group.machines()
