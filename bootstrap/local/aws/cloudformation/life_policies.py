"""CreationPolicy and UpdatePolicy of a resource: what they ask for, and which of it is carried out here.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-creationpolicy.html and -updatepolicy.html.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import Template

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
# A group's sizes are sent only where the template changes them, which is what AutoScalingScheduledAction asks for.
CARRIED_OUT = frozenset(("AutoScalingReplacingUpdate", "AutoScalingRollingUpdate", "AutoScalingScheduledAction"))
# What a group's machines are made from: https://docs.aws.amazon.com/.../aws-attribute-updatepolicy.html
MACHINES = frozenset(("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"))
LONGEST_SECONDS = 12 * 3600
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(frozen=True)
class Awaited:
    """The signals that a creation waits for: how many of success, of how many in all, and for how many seconds at most."""

    successes: int
    count: int
    seconds: float


def check(template: Template) -> None:
    """Refuse policies that nothing takes. Raises Refused."""
    for logical, resource in template.resources.items():
        kind = str(resource["Type"])
        for attribute, known in (("CreationPolicy", CREATION), ("UpdatePolicy", UPDATE)):
            unknown = sorted(set(resource.get(attribute) or {}) - known)
            if unknown:
                raise Refused(f"Template error: {attribute} of {logical} has no member {unknown[0]}")
        if "ResourceSignal" in (resource.get("CreationPolicy") or {}) and kind not in SIGNALLED:
            raise Refused(f"CreationPolicy is not supported for resource {logical} of type {kind}")


def awaited(policy: dict[str, Any]) -> Awaited | None:
    """The signals that an evaluated CreationPolicy asks for. Raises Refused for a time that is none."""
    if "ResourceSignal" not in policy:
        return None
    signal = policy["ResourceSignal"] or {}
    count = int(signal.get("Count", 1))
    percent = float((policy.get("AutoScalingCreationPolicy") or {}).get("MinSuccessfulInstancesPercent", 100))
    return Awaited(math.ceil(count * percent / 100), count, seconds(str(signal.get("Timeout", "PT5M"))))


def seconds(text: str) -> float:
    """A duration like PT1H5M. Raises Refused for one that is none, or is longer than CloudFormation waits."""
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise Refused(f"Template error: the duration {text} is not of the form PT#H#M#S")
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    total = 3600 * hours + 60 * minutes + rest
    if total > LONGEST_SECONDS:
        raise Refused(f"Template error: the duration {text} is longer than 12 hours")
    return float(total)


def replaces_group(kind: str, policy: dict[str, Any], changed: frozenset[str]) -> bool:
    """Whether an update makes a new group in the place of the old one (AutoScalingReplacingUpdate)."""
    asked = policy.get("AutoScalingReplacingUpdate") or {}
    return kind == GROUP and str(asked.get("WillReplace", "")).lower() == "true" and bool(changed & MACHINES)


def note(policy: dict[str, Any]) -> str:
    """What a resource's event says of members of UpdatePolicy that are not carried out; '' when all are."""
    names = sorted(set(policy) - CARRIED_OUT)
    return f"NOT MODELLED: the local cloud does not carry UpdatePolicy {', '.join(names)} out" if names else ""
