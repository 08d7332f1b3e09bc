"""Auto Scaling and Elastic Load Balancing."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import read_ids, read_moment, read_pairs


def _read_zones(part: Any, _: Context) -> list[str]:
    return [item for item in str(part.get("VPCZoneIdentifier") or "").split(",") if item]


def _read_metrics(part: Any, _: Context) -> list[dict[str, Any]]:
    by_granularity: dict[str, list[str]] = {}
    for item in part.get("EnabledMetrics") or []:
        by_granularity.setdefault(item["Granularity"], []).append(item["Metric"])
    return [{"Granularity": granularity, "Metrics": names} for granularity, names in by_granularity.items()]


def _read_own_hooks(part: Any, to: Context) -> list[dict[str, Any]]:
    """The lifecycle hooks in the template of the group, with the members that the template has."""
    named = {item["LifecycleHookName"]: item for item in to.get("LifecycleHookSpecificationList") or []}
    hooks = [item for item in part if item["LifecycleHookName"] in named]
    return [{key: item[key] for key in named[item["LifecycleHookName"]] if key in item} for item in hooks]


def _read_topics(part: Any, to: Context) -> list[dict[str, Any]]:
    kinds: dict[str, list[str]] = {}
    for item in part:
        kinds.setdefault(item["TopicARN"], []).append(item["NotificationType"])
    is_list = any(isinstance(item["TopicARN"], list) for item in to.get("NotificationConfigurations") or [])
    return [{"TopicARN": [topic] if is_list else topic, "NotificationTypes": types} for topic, types in kinds.items()]


def _read_targets(part: Any, _: Context) -> list[dict[str, Any]]:
    return [item["Target"] for item in part["TargetHealthDescriptions"]]


def _describe_group(method: str, ask: str, root: str, **ways: Any) -> Read:
    return Read("autoscaling", method, {"AutoScalingGroupName": "#AutoScalingGroupName", ask: ["@id"]}, root, ways)


def _describe_elb(method: str, ask: str, root: str, *, many: bool = True, **ways: Any) -> Read:
    return Read("elbv2", method, {ask: ["@id"] if many else "@id"}, root, ways)


_TAGS = Read("elbv2", "describe_tags", {"ResourceArns": ["@id"]}, "TagDescriptions.0")
READS: dict[str, tuple[Read, ...]] = {
    "AWS::AutoScaling::LaunchConfiguration": (
        Read(
            "autoscaling",
            "describe_launch_configurations",
            {"LaunchConfigurationNames": ["@id"]},
            "LaunchConfigurations.0",
            {"InstanceMonitoring": "InstanceMonitoring.Enabled"},
        ),
    ),
    "AWS::AutoScaling::AutoScalingGroup": (
        Read(
            "autoscaling",
            "describe_auto_scaling_groups",
            {"AutoScalingGroupNames": ["@id"]},
            "AutoScalingGroups.0",
            {"VPCZoneIdentifier": _read_zones, "MetricsCollection": _read_metrics, "Cooldown": "DefaultCooldown"},
        ),
        Read(
            "autoscaling",
            "describe_lifecycle_hooks",
            {"AutoScalingGroupName": "@id"},
            "LifecycleHooks",
            {"LifecycleHookSpecificationList": _read_own_hooks},
            plain=False,
            when="LifecycleHookSpecificationList",
        ),
        Read(
            "autoscaling",
            "describe_notification_configurations",
            {"AutoScalingGroupNames": ["@id"]},
            "NotificationConfigurations",
            {"NotificationConfigurations": _read_topics},
            plain=False,
            when="NotificationConfigurations",
        ),
    ),
    "AWS::AutoScaling::ScheduledAction": (
        _describe_group(
            "describe_scheduled_actions",
            "ScheduledActionNames",
            "ScheduledUpdateGroupActions.0",
            StartTime=read_moment("StartTime"),
            EndTime=read_moment("EndTime"),
        ),
    ),
    "AWS::AutoScaling::LifecycleHook": (
        _describe_group("describe_lifecycle_hooks", "LifecycleHookNames", "LifecycleHooks.0"),
    ),
    "AWS::AutoScaling::ScalingPolicy": (
        Read(
            "autoscaling",
            "describe_policies",
            {"AutoScalingGroupName": "#AutoScalingGroupName", "PolicyNames": ["@PolicyName"]},
            "ScalingPolicies.0",
        ),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        _describe_elb(
            "describe_load_balancers",
            "LoadBalancerArns",
            "LoadBalancers.0",
            Name="LoadBalancerName",
            Subnets=read_ids("AvailabilityZones", "SubnetId"),
        ),
        Read(
            "elbv2",
            "describe_load_balancer_attributes",
            {"LoadBalancerArn": "@id"},
            ways={"LoadBalancerAttributes": read_pairs("Attributes")},
            plain=False,
        ),
        _TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        _describe_elb("describe_target_groups", "TargetGroupArns", "TargetGroups.0", Name="TargetGroupName"),
        Read(
            "elbv2",
            "describe_target_group_attributes",
            {"TargetGroupArn": "@id"},
            ways={"TargetGroupAttributes": read_pairs("Attributes")},
            plain=False,
        ),
        Read(
            "elbv2", "describe_target_health", {"TargetGroupArn": "@id"}, ways={"Targets": _read_targets}, plain=False
        ),
        _TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        _describe_elb("describe_listeners", "ListenerArns", "Listeners.0"),
        Read(
            "elbv2",
            "describe_listener_attributes",
            {"ListenerArn": "@id"},
            ways={"ListenerAttributes": read_pairs("Attributes")},
            plain=False,
        ),
        _TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": (
        _describe_elb("describe_rules", "RuleArns", "Rules.0"),
        _TAGS,
    ),
}
