"""Lifecycle hooks hold the machines of a group on their way in and out; topics are told, and the group's stack waits."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

IN, OUT = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
PATIENCE_SECONDS = 30.0


class Group:
    """A group of Auto Scaling in a cloud, and a queue that its hooks and topics write to."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.api = cloud.client("autoscaling")
        self.ec2 = cloud.client("ec2")
        self.name = f"held-{uuid.uuid4().hex[:6]}"
        self.queue = cloud.client("sqs").create_queue(QueueName=self.name)["QueueUrl"]
        asked = {"QueueUrl": self.queue, "AttributeNames": ["QueueArn"]}
        self.queue_arn = cloud.client("sqs").get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        image = cloud.client("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]
        data = {"ImageId": image["Value"], "InstanceType": "t3.nano"}
        made = self.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=data)
        self.template = made["LaunchTemplate"]["LaunchTemplateId"]

    def create(self, size: int, *hooks: dict[str, Any]) -> None:
        self.api.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateId": self.template},
            MinSize=0,
            MaxSize=4,
            DesiredCapacity=size,
            AvailabilityZones=["eu-central-1a"],
            LifecycleHookSpecificationList=list(hooks),
        )

    def hook(self, transition: str, seconds: int = 300, result: str = "ABANDON", **more: Any) -> dict[str, Any]:
        words = {"LifecycleTransition": transition, "HeartbeatTimeout": seconds, "DefaultResult": result}
        return {"LifecycleHookName": "hook", **words, **more}

    def put(self, hook: dict[str, Any]) -> None:
        self.api.put_lifecycle_hook(AutoScalingGroupName=self.name, **hook)

    def resize(self, size: int) -> None:
        self.api.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=size)

    @property
    def states(self) -> dict[str, str]:
        shown = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        return {one["InstanceId"]: one["LifecycleState"] for one in shown[0]["Instances"]}

    def complete(self, name: str, result: str = "CONTINUE") -> None:
        given = {"AutoScalingGroupName": self.name, "LifecycleHookName": "hook", "InstanceId": name}
        self.api.complete_lifecycle_action(**given, LifecycleActionResult=result)

    def running(self, name: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
        return str(found["State"]["Name"])

    def messages(self) -> list[dict[str, Any]]:
        sqs = self.cloud.client("sqs")
        found: list[dict[str, Any]] = []
        while got := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                said = json.loads(one["Body"])
                found.append(json.loads(said["Message"]) if "Message" in said else said)
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return found

    def delete(self) -> None:
        self.api.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture
def group(cloud: Any) -> Iterator[Group]:
    made = Group(cloud)
    yield made
    made.delete()


def test_a_launched_instance_waits_until_its_hook_is_completed(group: Group) -> None:
    group.create(1, group.hook(IN, NotificationTargetARN=group.queue_arn, NotificationMetadata="text"))
    (name,) = group.states
    assert {"Pending:Wait"} == set(group.states.values())
    (said,) = group.messages()
    assert (name, "hook", IN, "text") == (
        said["EC2InstanceId"],
        said["LifecycleHookName"],
        said["LifecycleTransition"],
        said["NotificationMetadata"],
    )
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        group.complete("i-00000000000000000")
    group.api.complete_lifecycle_action(
        AutoScalingGroupName=group.name,
        LifecycleHookName="hook",
        LifecycleActionToken=said["LifecycleActionToken"],
        LifecycleActionResult="CONTINUE",
    )
    assert {name: "InService"} == group.states
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        group.complete(name)


def test_an_instance_whose_launch_is_abandoned_is_replaced(group: Group) -> None:
    group.create(1, group.hook(IN))
    (first,) = group.states
    group.complete(first, "ABANDON")
    until(lambda: group.running(first) == "terminated", "it was not terminated")
    assert {"Pending:Wait"} == set(group.states.values())
    assert first not in group.states


def test_an_instance_waits_for_its_hook_before_termination_and_runs_meanwhile(group: Group) -> None:
    group.create(2)
    group.put(group.hook(OUT))
    first, second = group.states
    group.resize(1)
    assert {first: "Terminating:Wait", second: "InService"} == group.states
    assert "running" == group.running(first)
    group.resize(2)  # the held one does not count
    assert ["InService", "InService", "Terminating:Wait"] == sorted(group.states.values())
    group.complete(first)
    assert first not in group.states
    until(lambda: group.running(first) == "terminated", "it was not terminated")


@pytest.mark.parametrize(("result", "state"), [("CONTINUE", "InService"), ("ABANDON", "Pending:Wait")])
def test_a_hook_without_completion_ends_with_the_default_result(group: Group, result: str, state: str) -> None:
    group.create(0, group.hook(IN, 1, result))
    group.resize(1)
    (first,) = group.states
    if result == "CONTINUE":
        until(lambda: group.states.get(first) == state, "it is still held")
    else:
        until(lambda: first not in group.states and state in group.states.values(), "it was not replaced")


def test_a_heartbeat_restarts_the_time_out(group: Group) -> None:
    group.create(0, group.hook(IN, 6, "CONTINUE"))
    group.resize(1)
    (first,) = group.states
    began = time.monotonic()
    while time.monotonic() - began < 8:
        group.api.record_lifecycle_action_heartbeat(
            AutoScalingGroupName=group.name, LifecycleHookName="hook", InstanceId=first
        )
        time.sleep(0.1)
    assert "Pending:Wait" == group.states[first]
    until(lambda: group.states[first] == "InService", "it is still held")


def test_topics_get_launches_and_terminations(group: Group) -> None:
    sns = group.cloud.client("sns")
    topic = sns.create_topic(Name=group.name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=group.queue_arn)
    group.create(0)
    kinds = ["autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE"]
    group.api.put_notification_configuration(AutoScalingGroupName=group.name, TopicARN=topic, NotificationTypes=kinds)
    asked = {"AutoScalingGroupNames": [group.name]}
    found = group.api.describe_notification_configurations(**asked)["NotificationConfigurations"]
    assert kinds == [one["NotificationType"] for one in found]
    group.resize(1)
    (name,) = group.states
    group.resize(0)
    told = [(one["Event"], one.get("EC2InstanceId")) for one in group.messages()]
    assert sorted([("autoscaling:TEST_NOTIFICATION", None), (kinds[0], name), (kinds[1], name)], key=str) == sorted(
        told, key=str
    )
    group.api.delete_notification_configuration(AutoScalingGroupName=group.name, TopicARN=topic)
    assert [] == group.api.describe_notification_configurations(**asked)["NotificationConfigurations"]


def test_a_waiting_instance_waits_after_a_kill_until_its_time_out(own_cloud: Any) -> None:
    group, short = Group(own_cloud), Group(own_cloud)
    group.create(1, group.hook(IN, NotificationTargetARN=group.queue_arn))
    short.create(1, short.hook(IN, 2, "CONTINUE"))
    before, soon = group.states, short.states.keys()
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    assert before == group.states
    (said,) = group.messages()
    assert [said["EC2InstanceId"]] == list(before)
    until(lambda: set(short.states.values()) == {"InService"}, "it is still held")
    assert soon == short.states.keys()
    (name,) = before
    group.complete(name)
    assert {name: "InService"} == group.states


def settled(api: Any, stack: str) -> str:
    end = time.monotonic() + 2 * PATIENCE_SECONDS
    while time.monotonic() < end:
        status = str(api.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError("still in progress")


def stack_of(group: Group, kind: str, *hooks: dict[str, Any]) -> str:
    data = {"ImageId": "{{resolve:ssm:/aws/service/debian/release/13/latest/amd64}}", "InstanceType": kind}
    properties = {
        "AutoScalingGroupName": group.name,
        "AvailabilityZones": ["eu-central-1a"],
        "MinSize": "0",
        "MaxSize": "2",
        "DesiredCapacity": "1",
        "LaunchTemplate": {"LaunchTemplateId": {"Ref": "L"}, "Version": {"Fn::GetAtt": ["L", "LatestVersionNumber"]}},
        "LifecycleHookSpecificationList": list(hooks),
    }
    policy = {"AutoScalingRollingUpdate": {"MinInstancesInService": 1}}
    resources = {
        "L": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}},
        "G": {"Type": "AWS::AutoScaling::AutoScalingGroup", "UpdatePolicy": policy, "Properties": properties},
    }
    return json.dumps({"Resources": resources})


def test_the_stack_of_a_group_waits_for_its_hooks(cloud: Any) -> None:
    group, api = Group(cloud), cloud.client("cloudformation")
    hook = group.hook(IN, 120)
    name = api.create_stack(StackName=group.name, TemplateBody=stack_of(group, "t3.nano", hook))["StackId"]

    def is_held() -> bool:
        try:
            return "Pending:Wait" in group.states.values()
        except (ClientError, IndexError):
            return False

    until(is_held, "nothing is held")
    assert "CREATE_IN_PROGRESS" == api.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    (first,) = group.states
    group.complete(first)
    assert "CREATE_COMPLETE" == settled(api, name)
    short = [group.hook(IN, 1, "CONTINUE"), {**group.hook(OUT, 1, "CONTINUE"), "LifecycleHookName": "out"}]
    api.update_stack(StackName=name, TemplateBody=stack_of(group, "t3.micro", *short))
    assert "UPDATE_COMPLETE" == settled(api, name)
    assert first not in group.states
    assert {"InService"} == set(group.states.values())
    api.delete_stack(StackName=name)
    assert "DELETE_COMPLETE" == settled(api, name)


def test_a_group_whose_first_launch_is_abandoned_is_not_created(cloud: Any) -> None:
    group, api = Group(cloud), cloud.client("cloudformation")
    body = stack_of(group, "t3.nano", group.hook(IN, 1, "ABANDON"))
    name = api.create_stack(StackName=group.name, TemplateBody=body)["StackId"]
    assert "ROLLBACK_COMPLETE" == settled(api, name)
    events = api.describe_stack_events(StackName=name)["StackEvents"]
    said = [one.get("ResourceStatusReason", "") for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert any("Group did not stabilize" in one for one in said), said
