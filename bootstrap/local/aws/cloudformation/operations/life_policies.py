"""CreationPolicy and UpdatePolicy of a resource: what they ask for, and which of it the local cloud carries out.

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
# A group's sizes are sent only where the template changes them, which is what AutoScalingScheduledAction asks for.
CARRIED_OUT = frozenset(("AutoScalingReplacingUpdate", "AutoScalingRollingUpdate", "AutoScalingScheduledAction"))
# The properties that a group's instances are made from: https://docs.aws.amazon.com/.../aws-attribute-updatepolicy.html
MACHINES = frozenset(("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"))
LONGEST_SECONDS = 12 * 3600
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(frozen=True)
class Awaited:
    """The signals that a creation waits for: the number of successes, the number of signals, the longest wait in seconds."""

    successes: int
    count: int
    seconds: float


def check(template: Template) -> None:
    """Refuse policies with unknown members, or of types that do not have them. Raises Refused."""
    for logical, resource in template.resources.items():
        kind = str(resource["Type"])
        for attribute, known in (("CreationPolicy", CREATION), ("UpdatePolicy", UPDATE)):
            unknown = sorted(set(resource.get(attribute) or {}) - known)
            if unknown:
                raise Refused(f"Template error: {attribute} of {logical} has no member {unknown[0]}")
        if "ResourceSignal" in (resource.get("CreationPolicy") or {}) and kind not in SIGNALLED:
            raise Refused(f"CreationPolicy is not supported for resource {logical} of type {kind}")


def awaited(policy: dict[str, Any]) -> Awaited | None:
    """The signals that an evaluated CreationPolicy asks for, or None; raises Refused for an invalid time."""
    if "ResourceSignal" not in policy:
        return None
    signal = policy["ResourceSignal"] or {}
    count = int(signal.get("Count", 1))
    percent = float((policy.get("AutoScalingCreationPolicy") or {}).get("MinSuccessfulInstancesPercent", 100))
    return Awaited(math.ceil(count * percent / 100), count, seconds(str(signal.get("Timeout", "PT5M"))))


def seconds(text: str) -> float:
    """The seconds of a duration like PT1H5M; raises Refused for an invalid one, or one that CloudFormation does not allow."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise Refused(f"Template error: the duration {text} is not of the form PT#H#M#S")
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + rest
    if total > LONGEST_SECONDS:
        raise Refused(f"Template error: the duration {text} is longer than 12 hours")
    return float(total)


def replaces_group(kind: str, policy: dict[str, Any], changed: frozenset[str]) -> bool:
    """Whether an update replaces the group by a new one (AutoScalingReplacingUpdate)."""
    asked = policy.get("AutoScalingReplacingUpdate") or {}
    return kind == GROUP and str(asked.get("WillReplace", "")).lower() == "true" and bool(changed & MACHINES)


def note(policy: dict[str, Any]) -> str:
    """The note in a resource's event on members of UpdatePolicy that are not carried out; '' when all are."""
    names = sorted(set(policy) - CARRIED_OUT)
    return f"NOT MODELLED: the local cloud does not carry UpdatePolicy {', '.join(names)} out" if names else ""
