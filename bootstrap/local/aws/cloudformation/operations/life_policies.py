"""CreationPolicy and UpdatePolicy of a resource: their content, and the parts that the local cloud implements.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-creationpolicy.html and -updatepolicy.html.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.template import Template

GROUP = "AWS::AutoScaling::AutoScalingGroup"
SIGNALLED = frozenset((GROUP, "AWS::EC2::Instance", "AWS::CloudFormation::WaitCondition"))
CREATION = frozenset(("AutoScalingCreationPolicy", "ResourceSignal", "StartFleet"))
UPDATE = frozenset(
    (
        "AutoScalingReplacingUpdate",
        "AutoScalingRollingUpdate",
        "AutoScalingScheduledAction",
        "CodeDeployLambdaAliasUpdate",
        "EnableVersionUpgrade",
        "UseOnlineResharding",
    )
)
# The sizes of a group are sent only if the template changes them; AutoScalingScheduledAction demands the same.
CARRIED_OUT = frozenset(("AutoScalingReplacingUpdate", "AutoScalingRollingUpdate", "AutoScalingScheduledAction"))
# The properties of a group that its instances are made from: https://docs.aws.amazon.com/.../aws-attribute-updatepolicy.html
MACHINES = frozenset(("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"))
FLAGS = frozenset(("EnableVersionUpgrade", "UseOnlineResharding"))  # the other members of UpdatePolicy are maps
LONGEST_SECONDS = 12 * 3600
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(frozen=True)
class Awaited:
    """The signals that a creation waits for: needed successes, number of signals, longest time in seconds."""

    successes: int
    count: int
    seconds: float


def find_default_deletion_policy(resource: dict[str, Any]) -> str:
    """The deletion policy of a resource that the template gives none; a database outside of a cluster is kept as a snapshot.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    is_clustered = "DBClusterIdentifier" in (resource.get("Properties") or {})
    return "Snapshot" if resource["Type"] == "AWS::RDS::DBInstance" and not is_clustered else "Delete"


def check(template: Template) -> None:
    """Raise Refused for policies with unknown members, or of types that do not have them."""
    for logical, resource in template.resources.items():
        kind = str(resource["Type"])
        for attribute, known in (("CreationPolicy", CREATION), ("UpdatePolicy", UPDATE)):
            policy = resource.get(attribute) or {}
            unknown = sorted(set(policy) - known)
            if unknown:
                raise Refused(f"Template error: {attribute} of {logical} has no member {unknown[0]}")
            for name, member in policy.items():
                if not isinstance(member, bool if name in FLAGS else dict):
                    raise Refused(f"Template error: {name} in {attribute} of {logical} has a wrong form")
        if "ResourceSignal" in (resource.get("CreationPolicy") or {}) and kind not in SIGNALLED:
            raise Refused(f"CreationPolicy is not supported for resource {logical} of type {kind}")


def read_awaited(policy: dict[str, Any]) -> Awaited | None:
    """The signals of an evaluated CreationPolicy, or None; raises Refused for an invalid duration."""
    if "ResourceSignal" not in policy:
        return None
    signal = policy["ResourceSignal"] or {}
    count = _read_number(signal.get("Count", 1), "Count of ResourceSignal")
    group = policy.get("AutoScalingCreationPolicy") or {}
    percent = _read_number(group.get("MinSuccessfulInstancesPercent", 100), "MinSuccessfulInstancesPercent")
    return Awaited(math.ceil(count * percent / 100), count, parse_seconds(str(signal.get("Timeout", "PT5M"))))


def _read_number(value: Any, name: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", str(value)):
        raise Refused(f"Template error: {name} must be a whole number, not {value}")
    return int(value)


def parse_seconds(text: str) -> float:
    """The seconds of a duration like PT1H5M; raises Refused if it is invalid or longer than 12 hours."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise Refused(f"Template error: the duration {text} is not of the form PT#H#M#S")
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + rest
    if total > LONGEST_SECONDS:
        raise Refused(f"Template error: the duration {text} is longer than 12 hours")
    return float(total)


def replaces_group(kind: str, policy: dict[str, Any], changed: frozenset[str]) -> bool:
    """Whether an update replaces the whole group (AutoScalingReplacingUpdate)."""
    replacing_update = policy.get("AutoScalingReplacingUpdate") or {}
    return kind == GROUP and str(replacing_update.get("WillReplace", "")).lower() == "true" and bool(changed & MACHINES)


def note(policy: dict[str, Any]) -> str:
    """The reason for a resource's event: the members of UpdatePolicy without effect; '' if there are none."""
    names = sorted(set(policy) - CARRIED_OUT)
    return f"NOT MODELLED: the local cloud does not carry UpdatePolicy {', '.join(names)} out" if names else ""
