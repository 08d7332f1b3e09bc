"""Auto Scaling groups replace members as on AWS: those that died, are unhealthy, or were not launched, also after a kill."""

from __future__ import annotations

import re
import signal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from scaled import AT, Group, until

OUT = "an instance was taken out of service in response to"
DIED = f"{AT}{OUT} an EC2 health check indicating it has been terminated or stopped\\."
REPLACED = f"{AT}an instance was launched in response to an unhealthy instance needing to be replaced\\."


@pytest.mark.parametrize("kill", ["stop_instances", "terminate_instances"])
@pytest.mark.parametrize("is_protected", [False, True])
def test_a_dead_member_is_replaced_also_if_it_is_protected(group: Group, kill: str, is_protected: bool) -> None:
    group.create(desired=2, NewInstancesProtectedFromScaleIn=is_protected, HealthCheckGracePeriod=300)
    dead, alive = group.settle(2)
    getattr(group.ec2, kill)(InstanceIds=[dead])
    until(lambda: dead not in group.states and len(group.states) == 2, "it was not replaced")
    after = group.settle(2)
    assert alive in after
    until(lambda: group.state(dead) == "terminated", "it was not terminated")
    ended, started = group.activities()[-2:]
    assert f"Terminating EC2 instance: {dead}" == ended["Description"]
    assert re.fullmatch(DIED, ended["Cause"])
    assert re.fullmatch(REPLACED, started["Cause"])
    assert ["Successful", "Successful"] == [ended["StatusCode"], started["StatusCode"]]


def test_suspended_processes_leave_the_dead_alone_until_they_are_resumed(group: Group) -> None:
    group.create(desired=1)
    (dead,) = group.settle(1)
    group.api.suspend_processes(**group.arguments, ScalingProcesses=["ReplaceUnhealthy"])
    group.ec2.terminate_instances(InstanceIds=[dead])
    until(lambda: group.members[0]["HealthStatus"] == "Unhealthy", "it is still healthy")
    assert {dead: "InService"} == group.states
    group.api.resume_processes(**group.arguments, ScalingProcesses=["ReplaceUnhealthy"])
    until(lambda: dead not in group.states, "it was not replaced")
    group.settle(1)


def test_a_replacement_does_not_get_the_address_of_the_one_that_leaves(group: Group) -> None:
    group.create(desired=1)
    (first,) = group.settle(1)
    address = group.instance(first)["PrivateIpAddress"]
    group.update(VPCZoneIdentifier=group.instance(first)["SubnetId"])
    group.api.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    (coming,) = group.states.keys() - {first}
    assert address != group.instance(coming)["PrivateIpAddress"]


def test_an_instance_in_its_grace_period_is_not_judged_unless_the_request_says_so(group: Group) -> None:
    group.create(desired=1, HealthCheckGracePeriod=300)
    (name,) = group.settle(1)
    shown = group.api.describe_auto_scaling_instances(InstanceIds=[name])["AutoScalingInstances"]
    assert [("HEALTHY", group.name)] == [(one["HealthStatus"], one["AutoScalingGroupName"]) for one in shown]
    group.api.set_instance_health(InstanceId=name, HealthStatus="Unhealthy")
    assert "Healthy" == group.members[0]["HealthStatus"]
    group.api.set_instance_health(InstanceId=name, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    until(lambda: name not in group.states, "it was not replaced")
    causes = [one["Cause"] for one in group.activities()]
    assert any(
        cause.endswith("an instance was taken out of service in response to a user health-check.") for cause in causes
    )


def test_a_launch_that_ec2_refuses_is_a_failed_activity_and_is_tried_again(group: Group) -> None:
    group.create()
    image = group.data["ImageId"]
    bad = {**group.data, "SecurityGroupIds": ["sg-00000000000000000"]}
    named = {"LaunchTemplateId": group.template["LaunchTemplateId"]}
    group.ec2.create_launch_template_version(**named, LaunchTemplateData=bad)
    group.resize(1)
    (failed,) = group.activities()
    assert ("Failed", {}) == (failed["StatusCode"], group.states)
    assert failed["StatusMessage"].endswith("Launching EC2 instance failed.")
    assert failed["Description"].startswith("Launching a new EC2 instance.  Status Reason: ")
    group.ec2.create_launch_template_version(**named, LaunchTemplateData=group.data)
    group.settle(1)
    with pytest.raises(ClientError, match="You must use a valid fully-formed launch template"):
        Group(group.cloud, ImageId=image.replace("ami-0", "ami-f")).create()


def test_a_group_survives_a_kill_of_the_server_at_any_moment(own_cloud: Any) -> None:
    group = Group(own_cloud).create(desired=3, NewInstancesProtectedFromScaleIn=True)
    first, second, _third = group.settle(3)
    group.ec2.terminate_instances(InstanceIds=[first])
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    until(lambda: first not in group.states, "the dead one is still there")
    before = group.settle(3)
    until(lambda: all(one["StatusCode"] != "InProgress" for one in group.activities()), "an activity does not end")
    told = group.activities()
    group.api.terminate_instance_in_auto_scaling_group(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    until(lambda: second not in group.states, "the one that was leaving is still there")
    assert [name for name in before if name != second] == group.settle(2)
    assert told == group.activities()[: len(told)]
    addresses = {group.instance(name)["PrivateIpAddress"] for name in group.states}
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    assert addresses == {group.instance(name)["PrivateIpAddress"] for name in group.settle(2)}
    group.resize(4)
    group.settle(4)
    assert 4 == len({group.instance(name)["PrivateIpAddress"] for name in group.states})
