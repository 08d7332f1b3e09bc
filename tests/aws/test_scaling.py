"""Auto Scaling groups keep their size as on AWS: dead members, protection, zones, activities, suspended processes, deletion."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from scaled import ZONES, Group, until

AT = r"At \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "
OUT = "an instance was taken out of service in response to"
DIED = f"{AT}{OUT} an EC2 health check indicating it has been terminated or stopped\\."
REPLACED = f"{AT}an instance was launched in response to an unhealthy instance needing to be replaced\\."


@pytest.fixture
def group(cloud: Any) -> Iterator[Group]:
    made = Group(cloud)
    yield made
    made.delete()


def test_a_member_is_pending_until_its_machine_has_booted(group: Group) -> None:
    group.create(desired=1)
    (name,) = group.settle(1)
    (activity,) = group.activities()
    text = "a user request created an AutoScalingGroup changing the desired capacity from 0 to 1"
    started = "an instance was started in response to a difference between desired and actual capacity"
    assert re.fullmatch(f"{AT}{text}\\.  {AT}{started}, increasing the capacity from 0 to 1\\.", activity["Cause"])
    assert (f"Launching a new EC2 instance: {name}", "Successful", 100) == (
        activity["Description"],
        activity["StatusCode"],
        activity["Progress"],
    )
    assert activity["StartTime"] <= activity["EndTime"]


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


def test_suspended_launch_and_terminate_keep_the_size(group: Group) -> None:
    group.create(desired=1)
    group.settle(1)
    group.api.suspend_processes(**group.arguments, ScalingProcesses=["Launch", "Terminate"])
    group.resize(2)
    assert 1 == len(group.states)
    group.resize(0)
    assert 1 == len(group.states)
    group.api.resume_processes(**group.arguments)
    until(lambda: group.states == {}, "it did not shrink")
    with pytest.raises(ClientError, match="is not one of"):
        group.api.suspend_processes(**group.arguments, ScalingProcesses=["Sleep"])


def test_zones_get_instances_in_turn_and_lose_them_in_turn(group: Group) -> None:
    group.create(desired=4)
    group.settle(4)
    assert dict.fromkeys(ZONES, 2) == Counter(one["AvailabilityZone"] for one in group.members)
    group.resize(2)
    until(lambda: len(group.states) == 2, "it did not shrink")
    assert set(ZONES) == {one["AvailabilityZone"] for one in group.members}


def test_a_replacement_does_not_get_the_address_of_the_one_that_leaves(group: Group) -> None:
    group.create(desired=1)
    (first,) = group.settle(1)
    address = group.instance(first)["PrivateIpAddress"]
    group.update(VPCZoneIdentifier=group.instance(first)["SubnetId"])
    group.api.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    (coming,) = group.states.keys() - {first}
    assert address != group.instance(coming)["PrivateIpAddress"]


def test_protected_members_stay_until_their_protection_is_taken_off(group: Group) -> None:
    group.create(desired=2, NewInstancesProtectedFromScaleIn=True)
    first, second = group.settle(2)
    group.resize(0)
    assert {first: "InService", second: "InService"} == group.states
    last = group.activities()[-1]
    assert ("Cancelled", True) == (last["StatusCode"], last["EndTime"] >= last["StartTime"])
    text = "Could not scale to desired capacity because all remaining instances are protected from scale-in."
    assert text == last["Description"]
    assert "changing the desired capacity from 2 to 0" in last["Cause"]
    group.protect(second, is_protected=False)
    until(lambda: list(group.states) == [first], "the free one is still there")
    with pytest.raises(ClientError, match="is not part of Auto Scaling group"):
        group.protect("i-00000000000000000")
    group.api.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    until(lambda: group.states == {}, "termination on request ends protected ones, and 0 are desired")


def test_a_group_with_instances_is_deleted_only_by_force_which_ends_protected_ones(group: Group) -> None:
    group.create(desired=2, NewInstancesProtectedFromScaleIn=True)
    names = group.settle(2)
    with pytest.raises(ClientError, match=re.escape("while there are instances or pending Spot")) as refusal:
        group.api.delete_auto_scaling_group(**group.arguments)
    assert "ResourceInUse" == refusal.value.response["Error"]["Code"]
    group.delete()
    until(lambda: group.shown == {}, "the group is still there")
    until(lambda: {group.state(name) for name in names} == {"terminated"}, "they still run")
    with pytest.raises(ClientError, match="not found"):
        group.activities()
    assert 4 == len(group.activities(IncludeDeletedGroups=True))


def test_a_forced_deletion_does_not_wait_for_hooks(group: Group) -> None:
    names = {"LifecycleHookName": "hook", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
    group.create(desired=2)
    first, _ = group.settle(2)
    group.api.put_lifecycle_hook(**group.arguments, **names, HeartbeatTimeout=300)
    group.api.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    assert "Terminating:Wait" == group.states[first]
    assert "MidLifecycleAction" == group.activities()[-1]["StatusCode"]
    group.delete()
    until(lambda: group.shown == {}, "the group is still there")


def test_sizes_are_checked_and_bounds_move_the_desired_capacity(group: Group) -> None:
    group.create(least=1, most=3, desired=1)
    (name,) = group.settle(1)
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: group.resize(4), "New SetDesiredCapacity value 4 is above max value 3 for the AutoScalingGroup."),
        (lambda: group.resize(0), "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup."),
        (lambda: group.update(MinSize=4), "Max bound, 3, must be greater than or equal to min bound, 4"),
        (lambda: group.update(DesiredCapacity=5), "must be between the specified min size:1 and max size:3"),
        (group.create, "already exists"),
        (
            lambda: group.api.terminate_instance_in_auto_scaling_group(
                InstanceId=name, ShouldDecrementDesiredCapacity=True
            ),
            "Currently, desiredSize equals minSize (1).",
        ),
        (
            lambda: group.api.terminate_instance_in_auto_scaling_group(
                InstanceId="i-00000000000000000", ShouldDecrementDesiredCapacity=True
            ),
            "No managed instance found for instance ID: i-00000000000000000",
        ),
    ]
    for act, words in refused:
        with pytest.raises(ClientError, match=re.escape(words)):
            act()
    assert ({name: "InService"}, 1) == (group.states, group.shown["DesiredCapacity"])
    group.update(MinSize=2)
    assert 2 == group.shown["DesiredCapacity"]
    group.settle(2)
    group.update(MinSize=0, MaxSize=1)
    assert 1 == group.shown["DesiredCapacity"]
    until(lambda: len(group.states) == 1, "it did not shrink")
    cause = group.activities()[-1]["Cause"]
    assert "a user request update of AutoScalingGroup constraints to min: 0, max: 1, desired: 1" in cause
    assert re.search(
        r"shrinking the capacity from 2 to 1\.  At \S+ instance i-\w+ was selected for termination\.", cause
    )


def test_termination_on_request_shrinks_or_replaces(group: Group) -> None:
    group.create(desired=2)
    first, second = group.settle(2)
    given = {"ShouldDecrementDesiredCapacity": True}
    activity = group.api.terminate_instance_in_auto_scaling_group(InstanceId=first, **given)["Activity"]
    assert ("InProgress", None) == (activity["StatusCode"], activity.get("EndTime"))
    text = f"{AT}instance {first} was taken out of service in response to a user request"
    assert re.fullmatch(f"{text}, shrinking the capacity from 2 to 1\\.", activity["Cause"])
    until(lambda: group.states == {second: "InService"}, "it did not shrink")
    given = {"ShouldDecrementDesiredCapacity": False}
    group.api.terminate_instance_in_auto_scaling_group(InstanceId=second, **given)
    until(lambda: second not in group.states, "it is still there")
    group.settle(1)
    assert 1 == group.shown["DesiredCapacity"]


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


def test_instances_get_the_tags_and_the_settings_of_group_and_template(cloud: Any) -> None:
    tags = [
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "template"}, {"Key": "Own", "Value": "kept"}]}
    ]
    group = Group(cloud, TagSpecifications=tags, InstanceInitiatedShutdownBehavior="terminate")
    try:
        own = [
            {"Key": "Name", "Value": "group", "PropagateAtLaunch": True},
            {"Key": "Secret", "Value": "no", "PropagateAtLaunch": False},
        ]
        group.create(desired=1, Tags=own)
        (name,) = group.settle(1)
        instance = group.instance(name)
        shown = {tag["Key"]: tag["Value"] for tag in instance["Tags"] if not tag["Key"].startswith("aws:ec2")}
        assert {"Name": "group", "Own": "kept", "aws:autoscaling:groupName": group.name} == shown
        asked = {"InstanceId": name, "Attribute": "instanceInitiatedShutdownBehavior"}
        behavior = group.ec2.describe_instance_attribute(**asked)["InstanceInitiatedShutdownBehavior"]
        assert "terminate" == behavior["Value"]
        assert "StateReason" not in instance
        assert instance["PrivateDnsName"].endswith(".eu-central-1.compute.internal")
    finally:
        group.delete()


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


def test_standby_and_detached_instances_do_not_count_and_a_policy_stays_within_the_bounds(group: Group) -> None:
    group.create(most=3, desired=1)
    (resting,) = group.settle(1)
    group.api.enter_standby(**group.arguments, InstanceIds=[resting], ShouldDecrementDesiredCapacity=False)
    until(lambda: sorted(group.states.values()) == ["InService", "Standby"], "it was not replaced")
    group.ec2.stop_instances(InstanceIds=[resting])
    (other,) = group.states.keys() - {resting}
    group.api.detach_instances(**group.arguments, InstanceIds=[other], ShouldDecrementDesiredCapacity=True)
    assert {resting: "Standby"} == group.states  # nobody judges an instance on standby
    assert "running" == group.state(other)
    policy = {"PolicyName": "more", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 9}
    group.api.put_scaling_policy(**group.arguments, **policy)
    group.api.execute_policy(**group.arguments, PolicyName="more")
    assert 3 == group.shown["DesiredCapacity"]
    until(lambda: sorted(group.states.values()) == ["InService"] * 3 + ["Standby"], "it did not grow")
    group.ec2.terminate_instances(InstanceIds=[other])


def test_activities_come_in_pages_the_newest_first(group: Group) -> None:
    group.create(desired=3)
    group.settle(3)
    page = group.api.describe_scaling_activities(**group.arguments, MaxRecords=2)
    rest = group.api.describe_scaling_activities(**group.arguments, MaxRecords=2, NextToken=page["NextToken"])
    ids = [one["ActivityId"] for one in [*page["Activities"], *rest["Activities"]]]
    assert ([one["ActivityId"] for one in reversed(group.activities())], None) == (ids, rest.get("NextToken"))
    chosen = group.api.describe_scaling_activities(ActivityIds=ids[1:2])["Activities"]
    assert ids[1:2] == [one["ActivityId"] for one in chosen]


def test_a_dry_run_is_answered_as_such_and_changes_nothing(cloud: Any) -> None:
    ec2 = cloud.client("ec2")
    before = ec2.describe_vpcs()["Vpcs"]
    for call in (
        lambda: ec2.describe_instance_types(DryRun=True),
        lambda: ec2.create_vpc(CidrBlock="10.93.0.0/16", DryRun=True),
    ):
        with pytest.raises(ClientError) as refusal:
            call()
        answer = refusal.value.response
        assert ("DryRunOperation", 412) == (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
    assert before == ec2.describe_vpcs()["Vpcs"]
