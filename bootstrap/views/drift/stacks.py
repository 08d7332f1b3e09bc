"""Drift of stacks, as CloudFormation detects it: the properties in the templates, compared with the actual ones.

It does not detect what was made outside of a stack. Rules of security groups are compared in `groups`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bootstrap.views.drift.values import Drifted, make_unseen

_GROUP = "AWS::EC2::SecurityGroup"
_SCALING_GROUP = "AWS::AutoScaling::AutoScalingGroup"
# What a launch mends of a group of agents (`preconditions.agent_repair`), beside its deletion.
_MENDED = frozenset({"/MinSize", "/MaxSize", "/NewInstancesProtectedFromScaleIn"})
_DIFFERS = ("MODIFIED", "DELETED")
_FAILED = "UNKNOWN"  # the detection could not compare this resource
_AGAIN = "Run the command again; CloudFormation's own console shows the detection."
_PERMISSIONS = "See that the credentials may read the resources of the stack: 'doctor --policy' prints what is needed."
_PATIENCE = 300.0  # the longest time for one detection, in seconds
_CONFIDENTIAL = re.compile("secret|password|token|private|userdata", re.IGNORECASE)
_TAG = re.compile(r"/Tags/[0-9]+")
_SHOWN = 3  # how many property differences of one resource are shown


def find_stack_drift(
    client: Any,
    name: str,
    again: str,
    sleep: Callable[[float], None] = time.sleep,
    tags: Mapping[str, str] | None = None,
    *,
    is_of_agents: bool = False,
) -> Iterator[Drifted]:
    """A line for each resource in which CloudFormation's drift detection finds a difference, or that it could not compare.

    `again` is the launch command, for remedies. `tags` are those of the environment: CloudFormation does not know those of them
    that the toolkit set itself (`cloud.tag_repair`). `is_of_agents`: a group of agents, which a launch mends.
    CloudFormation does not compare write-only properties, nor types that it does not support.
    """
    detection = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
    begun = time.monotonic()
    while True:
        status = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        if time.monotonic() - begun > _PATIENCE:
            # The results that CloudFormation has now are those of an earlier detection.
            yield make_unseen(name, f"the drift detection did not end within {_PATIENCE:.0f} seconds", _AGAIN)
            return
        sleep(1)
    if status["DetectionStatus"] != "DETECTION_COMPLETE":
        reason = status.get("DetectionStatusReason") or "CloudFormation gives no reason"
        yield make_unseen(name, f"{status['DetectionStatus']}: {reason}", _PERMISSIONS)
    request: dict[str, Any] = {"StackName": name, "StackResourceDriftStatusFilters": [*_DIFFERS, _FAILED]}
    while True:
        answer = client.describe_stack_resource_drifts(**request)
        for resource in answer["StackResourceDrifts"]:
            differences = _list_comparable(resource, tags or {})
            if resource["StackResourceDriftStatus"] == "MODIFIED" and not differences:
                continue
            is_mended = is_of_agents and _is_mended(resource, differences)
            yield _make_drifted(name, resource, differences, again, is_mended=is_mended)
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _list_comparable(resource: Mapping[str, Any], tags: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The property differences of a resource without the toolkit's own tags.

    None of a security group, whose rules `groups` compares.
    """
    if resource["ResourceType"] == _GROUP:
        return []
    return [it for it in resource.get("PropertyDifferences", ()) if not _is_own_tag(it, tags)]


def _is_own_tag(difference: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    """Whether a difference is that a tag is there, and has the value that the environment file gives it."""
    if difference.get("DifferenceType") != "ADD" or not _TAG.fullmatch(difference["PropertyPath"]):
        return False
    try:
        tag = json.loads(difference["ActualValue"])
    except ValueError:
        return False
    return isinstance(tag, dict) and "Value" in tag and tags.get(tag.get("Key", "")) == tag["Value"]


def _is_mended(resource: Mapping[str, Any], differences: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a launch mends what is wrong with a resource of a stack of agents."""
    if resource["ResourceType"] != _SCALING_GROUP:
        return False
    is_deleted = resource["StackResourceDriftStatus"] == "DELETED"
    return is_deleted or {it["PropertyPath"] for it in differences} <= _MENDED


def _make_drifted(
    stack: str, resource: Mapping[str, Any], differences: Sequence[Mapping[str, Any]], again: str, *, is_mended: bool
) -> Drifted:
    which = f"{stack}/{resource['LogicalResourceId']}"
    if resource["StackResourceDriftStatus"] == _FAILED:
        reason = resource.get("DriftStatusReason") or "CloudFormation could not compare it and gives no reason"
        return make_unseen(which, reason, _PERMISSIONS)
    is_deleted = resource["StackResourceDriftStatus"] == "DELETED"
    if is_deleted and resource["ResourceType"] in {"AWS::EC2::Instance", "AWS::EC2::VolumeAttachment"}:
        return Drifted("stack", which, f"{resource.get('PhysicalResourceId')} is gone", again)
    if is_deleted:
        detail = f"{resource['ResourceType']} {resource.get('PhysicalResourceId')} is gone"
    else:
        listed = [
            f"{difference['PropertyPath']}: {_format_difference(difference)}" for difference in differences[:_SHOWN]
        ]
        detail = "; ".join(listed) + (f"; {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else "")
    remedy = (
        f"aws cloudformation create-change-set --deployment-mode REVERT_DRIFT --stack-name {stack} ..., or undo by hand"
    )
    return Drifted("stack", which, detail or "differs", again if is_mended else remedy)


def _format_difference(difference: Mapping[str, Any]) -> str:
    """Expected and actual value as text; a value that CloudFormation leaves out is 'nothing'."""
    if _CONFIDENTIAL.search(difference["PropertyPath"]):
        return "the value differs"
    expected, actual = difference.get("ExpectedValue"), difference.get("ActualValue")
    return f"expected {_cut(expected)}, actual {_cut(actual)}"


def _cut(value: Any) -> str:
    text = "nothing" if value in {None, "null", ""} else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
