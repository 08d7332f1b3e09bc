"""Auto Scaling and Elastic Load Balancing."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import ids, moment, pairs


def _zones(found: Any, _: Context) -> list[str]:
    return [one for one in str(found.get("VPCZoneIdentifier") or "").split(",") if one]


def _metrics(found: Any, _: Context) -> list[dict[str, Any]]:
    made: dict[str, list[str]] = {}
    for one in found.get("EnabledMetrics") or []:
        made.setdefault(one["Granularity"], []).append(one["Metric"])
    return [{"Granularity": granularity, "Metrics": names} for granularity, names in made.items()]


def _own_hooks(found: Any, to: Context) -> list[dict[str, Any]]:
    """Those that are the group's own, by their names, with what the template says of them."""
    named = {one["LifecycleHookName"]: one for one in to.get("LifecycleHookSpecificationList") or []}
    hooks = [one for one in found if one["LifecycleHookName"] in named]
    return [{key: one[key] for key in named[one["LifecycleHookName"]] if key in one} for one in hooks]


def _topics(found: Any, to: Context) -> list[dict[str, Any]]:
    kinds: dict[str, list[str]] = {}
    for one in found:
        kinds.setdefault(one["TopicARN"], []).append(one["NotificationType"])
    is_list = any(isinstance(one["TopicARN"], list) for one in to.get("NotificationConfigurations") or [])
    return [{"TopicARN": [topic] if is_list else topic, "NotificationTypes": told} for topic, told in kinds.items()]


def _targets(found: Any, _: Context) -> list[dict[str, Any]]:
    return [one["Target"] for one in found["TargetHealthDescriptions"]]


def _group(method: str, ask: str, root: str, **ways: Any) -> Read:
    return Read("autoscaling", method, {"AutoScalingGroupName": "#AutoScalingGroupName", ask: ["@id"]}, root, ways)


def _elb(method: str, ask: str, root: str, *, many: bool = True, **ways: Any) -> Read:
    return Read("elbv2", method, {ask: ["@id"] if many else "@id"}, root, ways)


_TAGS = Read("elbv2", "describe_tags", {"ResourceArns": ["@id"]}, "TagDescriptions.0")
READS: dict[str, tuple[Read, ...]] = {
    "AWS::AutoScaling::AutoScalingGroup": (
        Read(
            "autoscaling",
            "describe_auto_scaling_groups",
            {"AutoScalingGroupNames": ["@id"]},
            "AutoScalingGroups.0",
            {"VPCZoneIdentifier": _zones, "MetricsCollection": _metrics, "Cooldown": "DefaultCooldown"},
        ),
        Read(
            "autoscaling",
            "describe_lifecycle_hooks",
            {"AutoScalingGroupName": "@id"},
            "LifecycleHooks",
            {"LifecycleHookSpecificationList": _own_hooks},
            plain=False,
            when="LifecycleHookSpecificationList",
        ),
        Read(
            "autoscaling",
            "describe_notification_configurations",
            {"AutoScalingGroupNames": ["@id"]},
            "NotificationConfigurations",
            {"NotificationConfigurations": _topics},
            plain=False,
            when="NotificationConfigurations",
        ),
    ),
    "AWS::AutoScaling::ScheduledAction": (
        _group(
            "describe_scheduled_actions",
            "ScheduledActionNames",
            "ScheduledUpdateGroupActions.0",
            StartTime=moment("StartTime"),
            EndTime=moment("EndTime"),
        ),
    ),
    "AWS::AutoScaling::LifecycleHook": (_group("describe_lifecycle_hooks", "LifecycleHookNames", "LifecycleHooks.0"),),
    "AWS::AutoScaling::ScalingPolicy": (
        Read(
            "autoscaling",
            "describe_policies",
            {"AutoScalingGroupName": "#AutoScalingGroupName", "PolicyNames": ["@PolicyName"]},
            "ScalingPolicies.0",
        ),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        _elb(
            "describe_load_balancers",
            "LoadBalancerArns",
            "LoadBalancers.0",
            Name="LoadBalancerName",
            Subnets=ids("AvailabilityZones", "SubnetId"),
        ),
        Read(
            "elbv2",
            "describe_load_balancer_attributes",
            {"LoadBalancerArn": "@id"},
            ways={"LoadBalancerAttributes": pairs("Attributes")},
            plain=False,
        ),
        _TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        _elb("describe_target_groups", "TargetGroupArns", "TargetGroups.0", Name="TargetGroupName"),
        Read(
            "elbv2",
            "describe_target_group_attributes",
            {"TargetGroupArn": "@id"},
            ways={"TargetGroupAttributes": pairs("Attributes")},
            plain=False,
        ),
        Read("elbv2", "describe_target_health", {"TargetGroupArn": "@id"}, ways={"Targets": _targets}, plain=False),
        _TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        _elb("describe_listeners", "ListenerArns", "Listeners.0"),
        Read(
            "elbv2",
            "describe_listener_attributes",
            {"ListenerArn": "@id"},
            ways={"ListenerAttributes": pairs("Attributes")},
            plain=False,
        ),
        _TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": (
        _elb("describe_rules", "RuleArns", "Rules.0"),
        _TAGS,
    ),
}
