"""Auto Scaling: groups, scheduled actions, lifecycle hooks and scaling policies."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters import rolling
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.errors import Interrupted, ResourceFailed

PAUSE_SECONDS = 0.1


def _set_metrics(to: To, value: Any) -> None:
    group = {"AutoScalingGroupName": to.physical_id}
    if to.old.get("MetricsCollection"):
        to.call("autoscaling", "disable_metrics_collection", **group)
    for collection in value or []:
        to.call("autoscaling", "enable_metrics_collection", **group, **collection)


def _set_notifications(to: To, value: Any) -> None:
    group = {"AutoScalingGroupName": to.physical_id}
    desired = _list_topics(value)
    for topic in _list_topics(to.old.get("NotificationConfigurations")).keys() - desired.keys():
        to.call("autoscaling", "delete_notification_configuration", **group, TopicARN=topic)
    for topic, kinds in desired.items():
        setting = {"TopicARN": topic, "NotificationTypes": kinds}
        to.call("autoscaling", "put_notification_configuration", **group, **setting)


def _list_topics(value: Any) -> dict[str, list[str]]:
    """Return the kinds of events by the ARN of the topic; a template may give several topics as a list."""
    kinds_by_topic: dict[str, list[str]] = {}
    for configuration in value or []:
        given = configuration["TopicARN"]
        topics = given if isinstance(given, list) else [given]
        kinds_by_topic.update({topic: list(configuration.get("NotificationTypes") or ()) for topic in topics})
    return kinds_by_topic


def _set_hooks(to: To, value: Any) -> None:
    group, name = {"AutoScalingGroupName": to.physical_id}, "LifecycleHookName"
    before = {hook[name] for hook in to.old.get("LifecycleHookSpecificationList") or []}
    for hook in sorted(before - {hook[name] for hook in value or []}):
        to.call("autoscaling", "delete_lifecycle_hook", **group, LifecycleHookName=hook)
    for specification in value or []:
        to.call("autoscaling", "put_lifecycle_hook", **group, **specification)


class Group(TableAdapter):
    """AWS::AutoScaling::AutoScalingGroup; Ref is its name. It is complete when its machines run.

    The call that creates the group also sets its tags, so that its machines get them. A target group accepts only running
    machines: the group is attached to its target groups when its machines run, and detached while their number changes.
    """

    def create(self, to: To) -> str:
        """Create the group, wait until its machines run, then attach the target groups."""
        name = super().create(to)
        self._settle(to)
        self._attach(to, to.get("TargetGroupARNs") or [])
        return name

    def update(self, to: To) -> None:
        """Change the group and replace its machines as its UpdatePolicy says, without target groups meanwhile.

        The target groups are detached first and attached at the end; after a failure the old ones are attached again.
        """
        before = to.old.get("TargetGroupARNs") or []
        policy = rolling.read_policy(to)
        self._detach(to, before)
        try:
            with rolling.suspend_processes(to, policy):
                super().update(to)
                self._settle(to)
                if policy is not None:
                    rolling.Rolling(to, policy, lambda: self.read_item(to), lambda: self._settle(to)).run()
        except ResourceFailed:
            self._attach(to, before)
            raise
        self._attach(to, to.get("TargetGroupARNs") or [])

    def delete(self, to: To) -> None:
        """Set all sizes to 0, wait until the machines are terminated, then delete the group, as CloudFormation does it.

        Raises ResourceFailed when machines are left that are protected from scale-in: the group and they stay.
        """
        machines = [str(member["InstanceId"]) for member in self._list_members(to)]
        sizes = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
        to.call("autoscaling", "update_auto_scaling_group", AutoScalingGroupName=to.physical_id, **sizes)
        to.wait(
            lambda: all(one.get("ProtectedFromScaleIn") for one in self._list_members(to)),
            f"The machines of {to.physical_id}",
        )
        if self._list_members(to):
            raise ResourceFailed(
                f"Group {to.physical_id} did not stabilize. Could not scale to desired capacity because all remaining "
                "instances are protected from scale-in."
            )
        super().delete(to)
        to.wait(lambda: self._read_states(to, machines) <= {"terminated"}, f"The machines of {to.physical_id}")

    def make_parameters(self, to: To, names: Iterable[str]) -> dict[str, Any]:
        """Add the tags to the creation, and MixedInstancesPolicy to each update: moto removes it otherwise."""
        parameters = super().make_parameters(to, names)
        parameters.pop("TargetGroupARNs", None)
        if parameters and to.physical_id:
            return parameters | to.pick("MixedInstancesPolicy")
        return parameters if to.physical_id else {**parameters, "Tags": self._make_tags(to)}

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Remove the tags `removed` and set `to.tags`, each with its PropagateAtLaunch."""
        group = {"ResourceId": to.physical_id, "ResourceType": "auto-scaling-group"}
        names = [{"Key": name, **group} for name in removed]
        if names:
            to.call("autoscaling", "delete_tags", Tags=names)
        if to.tags:
            to.call("autoscaling", "create_or_update_tags", Tags=[{**tag, **group} for tag in self._make_tags(to)])

    def _make_tags(self, to: To) -> list[dict[str, Any]]:
        own = {tag["Key"]: is_true(tag["PropagateAtLaunch"]) for tag in to.get("Tags") or []}
        return [{**tag, "PropagateAtLaunch": own.get(tag["Key"], True)} for tag in to.list_tags()]

    def _attach(self, to: To, arns: list[str]) -> None:
        if arns:
            name = {"AutoScalingGroupName": to.physical_id}
            to.call("autoscaling", "attach_load_balancer_target_groups", **name, TargetGroupARNs=arns)

    def _detach(self, to: To, arns: list[str]) -> None:
        if arns:
            name = {"AutoScalingGroupName": to.physical_id}
            to.call("autoscaling", "detach_load_balancer_target_groups", **name, TargetGroupARNs=arns)

    def _settle(self, to: To) -> None:
        """Wait until the machines run and no lifecycle hook delays one. Raises ResourceFailed, or Interrupted."""
        machines = self._list_machines(to)
        to.wait(lambda: "pending" not in self._read_states(to, machines), f"The machines of {to.physical_id}")
        if self._read_states(to, machines) - {"running"}:
            raise ResourceFailed(f"Group did not stabilize. Not all machines of {to.physical_id} run.")
        while self._is_held(to, machines):
            if to.cancelled():
                raise ResourceFailed("Resource update cancelled")
            if to.stacks.is_closing:
                raise Interrupted(to.logical_id)
            time.sleep(PAUSE_SECONDS)

    def _is_held(self, to: To, machines: list[str]) -> bool:
        members = {str(one["InstanceId"]): str(one["LifecycleState"]) for one in self._list_members(to)}
        if lost := sorted(set(machines) - members.keys()):
            raise ResourceFailed(f"Group did not stabilize. The launch of {', '.join(lost)} was abandoned.")
        return any(state.startswith("Pending") for state in members.values())

    def _list_members(self, to: To) -> list[dict[str, Any]]:
        return list(self.read_item(to).get("Instances", []))

    def _list_machines(self, to: To) -> list[str]:
        """Return the ids of the machines that are not being terminated."""
        return [
            str(member["InstanceId"])
            for member in self._list_members(to)
            if not str(member["LifecycleState"]).startswith("Terminating")
        ]

    def _read_states(self, to: To, machines: list[str]) -> set[str]:
        if not machines:
            return set()
        reservations = to.call("ec2", "describe_instances", InstanceIds=machines)["Reservations"]
        return {str(one["State"]["Name"]) for reservation in reservations for one in reservation["Instances"]}


class ScalingPolicy(TableAdapter):
    """AWS::AutoScaling::ScalingPolicy; Ref is its ARN. The calls take its name."""

    def find_identity(self, to: To, answer: Any, name: str) -> str:
        """Read the ARN from the service: moto answers to the creation with another ARN than AWS would."""
        policies = to.call("autoscaling", "describe_policies", PolicyNames=[name], **to.pick("AutoScalingGroupName"))
        return str(policies["ScalingPolicies"][0]["PolicyARN"])

    def identify(self, to: To) -> dict[str, Any]:
        """Return the policy's name, which is the end of the ARN, and its group."""
        return {"PolicyName": to.physical_id.rpartition("policyName/")[2], **to.pick("AutoScalingGroupName")}

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN and name."""
        return {"Arn": to.physical_id, "PolicyName": self.identify(to)["PolicyName"]}


GROUP_UPDATES = (
    "AvailabilityZones",
    "CapacityRebalance",
    "Cooldown",
    "DefaultInstanceWarmup",
    "DesiredCapacity",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "LaunchConfigurationName",
    "LaunchTemplate",
    "MaxInstanceLifetime",
    "MaxSize",
    "MinSize",
    "MixedInstancesPolicy",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
    "TerminationPolicies",
    "VPCZoneIdentifier",
)
ADAPTERS = (
    Group(
        Entry(
            "AWS::AutoScaling::AutoScalingGroup",
            "autoscaling",
            "create_auto_scaling_group",
            "delete_auto_scaling_group",
            "AutoScalingGroupName",
            name="AutoScalingGroupName",
            renamed={"Cooldown": "DefaultCooldown"},
            shaped={"VPCZoneIdentifier": ",".join},
            settings={"MetricsCollection": _set_metrics, "NotificationConfigurations": _set_notifications},
            alters={"TargetGroupARNs": lambda to, value: None, "LifecycleHookSpecificationList": _set_hooks},
            update="update_auto_scaling_group",
            takes=GROUP_UPDATES,
            read="describe_auto_scaling_groups",
            read_key="AutoScalingGroupNames",
            item="AutoScalingGroups.0",
            attributes={"AutoScalingGroupARN": "AutoScalingGroupARN"},
            ignored=frozenset({"NotificationConfiguration"}),
        )
    ),
    TableAdapter(
        Entry(
            "AWS::AutoScaling::ScheduledAction",
            "autoscaling",
            "put_scheduled_update_group_action",
            "delete_scheduled_action",
            "ScheduledActionName",
            name="ScheduledActionName",
            along=("AutoScalingGroupName",),
            update="put_scheduled_update_group_action",
            takes=("DesiredCapacity", "EndTime", "MaxSize", "MinSize", "Recurrence", "StartTime", "TimeZone"),
            whole=True,
            read="describe_scheduled_actions",
            read_key="ScheduledActionNames",
            item="ScheduledUpdateGroupActions.0",
            attributes={"ScheduledActionName": "@id"},
        )
    ),
    TableAdapter(
        Entry(
            "AWS::AutoScaling::LifecycleHook",
            "autoscaling",
            "put_lifecycle_hook",
            "delete_lifecycle_hook",
            "LifecycleHookName",
            name="LifecycleHookName",
            along=("AutoScalingGroupName",),
            update="put_lifecycle_hook",
            takes=(
                "DefaultResult",
                "HeartbeatTimeout",
                "LifecycleTransition",
                "NotificationMetadata",
                "NotificationTargetARN",
                "RoleARN",
            ),
            whole=True,
            read="describe_lifecycle_hooks",
            read_key="LifecycleHookNames",
            item="LifecycleHooks.0",
        )
    ),
    ScalingPolicy(
        Entry(
            "AWS::AutoScaling::ScalingPolicy",
            "autoscaling",
            "put_scaling_policy",
            "delete_policy",
            "PolicyName",
            name="PolicyName",
            along=("AutoScalingGroupName",),
            update="put_scaling_policy",
            takes=(
                "AdjustmentType",
                "Cooldown",
                "EstimatedInstanceWarmup",
                "MetricAggregationType",
                "MinAdjustmentMagnitude",
                "PolicyType",
                "ScalingAdjustment",
                "StepAdjustments",
                "TargetTrackingConfiguration",
            ),
            whole=True,
        )
    ),
)
