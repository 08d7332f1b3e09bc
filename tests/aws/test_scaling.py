"""Auto Scaling groups keep their size as on AWS: protection, zones, activities, bounds, deletion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from scaled import AT, ZONES, Group, until


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
