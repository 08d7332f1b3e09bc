"""Finds the groups of calls of Auto Scaling, their tags, their own condition keys, and what else such a call needs.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html. Calls that describe
have no resource. A call that names an instance acts on its group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bootstrap.local.aws.access.policies.attached import find_backend
from bootstrap.local.aws.access.policies.parameters import Call

_OF_INSTANCE = frozenset({"TerminateInstanceInAutoScalingGroup", "SetInstanceHealth"})
_KEYS = {
    "autoscaling:MinSize": ("MinSize",),
    "autoscaling:MaxSize": ("MaxSize",),
    "autoscaling:InstanceTypes": ("MixedInstancesPolicy.LaunchTemplate.Overrides.InstanceType",),
    "autoscaling:TargetGroupARNs": ("TargetGroupARNs",),
}
TEMPLATES = ("LaunchTemplate", "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification")
"""The parameters that name a launch template, without the member that has its id or its name."""


def find_resources(call: Call) -> Iterable[str]:
    """The ARNs of the groups that a call changes."""
    if call.operation.startswith("Describe"):
        return ["*"]
    if call.operation in _OF_INSTANCE:
        return [group.arn for group in _list_groups(call) if _has_instance(group, call.find_text("InstanceId"))]
    return [_make_arn(call, name) for name in call.list_texts("AutoScalingGroupName", "Tags.ResourceId")]


def find_tags(call: Call, arn: str) -> dict[str, str]:
    """The tags of the group with this ARN."""
    tags = [tag for group in _list_groups(call) if group.arn == arn for tag in group.tags]
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in tags}


def describe_call(call: Call) -> dict[str, tuple[str, ...]]:
    """The condition keys that only Auto Scaling has."""
    context = {key.lower(): call.list_texts(*names) for key, names in _KEYS.items() if call.list_texts(*names)}
    subnets = call.find_text("VPCZoneIdentifier")
    if subnets:
        context["autoscaling:vpczoneidentifiers"] = tuple(name.strip() for name in subnets.split(","))
    if does_name_template(call):
        versions = [version for prefix in TEMPLATES for version in call.list_texts(f"{prefix}.Version")]
        context["autoscaling:launchtemplateversionspecified"] = ("true" if versions else "false",)
    return context


def does_name_template(call: Call) -> bool:
    """Whether the call names a launch template: then its caller must also be allowed to launch from it."""
    parts = ("LaunchTemplateId", "LaunchTemplateName")
    return any(call.list_texts(f"{prefix}.{part}") for prefix in TEMPLATES for part in parts)


def _list_groups(call: Call) -> Iterator[Any]:
    backend = find_backend("autoscaling", call.account, call.region)
    yield from list(backend.autoscaling_groups.values()) if backend else ()


def _has_instance(group: Any, instance_id: str) -> bool:
    return any(member.instance.id == instance_id for member in list(group.instance_states))


def _make_arn(call: Call, name: str) -> str:
    """The ARN of a group; of one that does not exist without its random part, which only its creation makes."""
    existing = next((group.arn for group in _list_groups(call) if group.name == name), None)
    start = f"arn:aws:autoscaling:{call.region}:{call.account}:autoScalingGroup"
    return str(existing or f"{start}:*:autoScalingGroupName/{name}")
