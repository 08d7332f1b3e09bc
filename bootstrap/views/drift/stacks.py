"""Drift of stacks, as CloudFormation itself finds it: what their templates set, against what there is.

What was made beside a stack it does not know; rules of security groups are looked at on their own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bootstrap.views.drift.values import Drifted

_GROUP = "AWS::EC2::SecurityGroup"
_PATIENCE = 300.0  # seconds for one detection
_CONFIDENTIAL = re.compile("secret|password|token|private|userdata", re.IGNORECASE)
_SHOWN = 3  # property differences of a resource


def of_stack(
    client: Any,
    name: str,
    again: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Drifted]:
    """What CloudFormation's own detection finds in a stack.

    `again` is the command that launches. CloudFormation compares no property that can only be written.
    """
    detection = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
    begun = time.monotonic()
    while True:
        status = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS" or time.monotonic() - begun > _PATIENCE:
            break
        sleep(1)
    request: dict[str, Any] = {"StackName": name, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    while True:
        answer = client.describe_stack_resource_drifts(**request)
        for it in answer["StackResourceDrifts"]:
            differences = _comparable(it)
            if it["StackResourceDriftStatus"] == "MODIFIED" and not differences:
                continue
            yield _of_resource(name, it, differences, again)
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _comparable(it: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The differences worth a line: not those of a group, which are told rule by rule."""
    return [] if it["ResourceType"] == _GROUP else list(it.get("PropertyDifferences", ()))


def _of_resource(stack: str, it: Mapping[str, Any], differences: Sequence[Mapping[str, Any]], again: str) -> Drifted:
    which = f"{stack}/{it['LogicalResourceId']}"
    gone = it["StackResourceDriftStatus"] == "DELETED"
    if gone and it["ResourceType"] in {"AWS::EC2::Instance", "AWS::EC2::VolumeAttachment"}:
        return Drifted("stack", which, f"{it.get('PhysicalResourceId')} is gone", again)
    if gone:
        found = f"{it['ResourceType']} {it.get('PhysicalResourceId')} is gone"
    else:
        told = [f"{one['PropertyPath']}: {_short(one)}" for one in differences[:_SHOWN]]
        found = "; ".join(told) + (f"; {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else "")
    remedy = (
        f"aws cloudformation create-change-set --deployment-mode REVERT_DRIFT --stack-name {stack} ..., or undo by hand"
    )
    return Drifted("stack", which, found or "differs", remedy)


def _short(difference: Mapping[str, Any]) -> str:
    """Expected and actual value; what CloudFormation leaves out is nothing."""
    if _CONFIDENTIAL.search(difference["PropertyPath"]):
        return "the value differs"
    expected, actual = difference.get("ExpectedValue"), difference.get("ActualValue")
    return f"expected {_cut(expected)}, actual {_cut(actual)}"


def _cut(value: Any) -> str:
    text = "nothing" if value in {None, "null", ""} else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
