"""The operations on drift: detection of a whole stack or of one resource, and what it has found."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation.api.asked import find
from bootstrap.local.aws.cloudformation.comparison import drift
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.template import parameters
from bootstrap.local.aws.cloudformation.template.parsing import read

DRIFTED = ("MODIFIED", "DELETED")


class DriftApi:
    """Detects drift at once; the detection's id stays valid while the process runs."""

    _engine: Engine
    _detections: dict[str, str] = {}

    def DetectStackDrift(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802 (AWS's name)
        """Look at every resource."""
        stack = find(self._engine, asked["StackName"], region)
        for resource in list(stack.resources.values()):
            resource.drift = self._detect(stack, resource)
        drifted = any(one.drift["StackResourceDriftStatus"] in DRIFTED for one in stack.resources.values())
        stack.drift_status = "DRIFTED" if drifted else "IN_SYNC"
        stack.drift_checked = time.time()
        self._engine.store.save(stack)
        detection = str(uuid.uuid4())
        self._detections[detection] = stack.id
        return {"StackDriftDetectionId": detection}

    def DescribeStackDriftDetectionStatus(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """The result of a detection."""
        detection = asked["StackDriftDetectionId"]
        if detection not in self._detections:
            raise Refused(f"Drift detection with id {detection} does not exist")
        stack = find(self._engine, self._detections[detection], region)
        count = sum(one.drift.get("StackResourceDriftStatus") in DRIFTED for one in stack.resources.values())
        return {
            "StackId": stack.id,
            "StackDriftDetectionId": detection,
            "StackDriftStatus": stack.drift_status,
            "DetectionStatus": "DETECTION_COMPLETE",
            "DriftedStackResourceCount": count,
            "Timestamp": stack.drift_checked,
        }

    def DescribeStackResourceDrifts(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """The result for each resource."""
        stack = find(self._engine, asked["StackName"], region)
        states = asked.get("StackResourceDriftStatusFilters")
        detected = [one for one in stack.resources.values() if one.drift]
        return {
            "StackResourceDrifts": [
                _entry(stack, one) for one in detected if not states or one.drift["StackResourceDriftStatus"] in states
            ]
        }

    def DetectStackResourceDrift(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """Look at one resource."""
        stack = find(self._engine, asked["StackName"], region)
        resource = stack.resources.get(asked["LogicalResourceId"])
        if resource is None:
            raise Refused(f"Resource {asked['LogicalResourceId']} does not exist for stack {stack.name}")
        resource.drift = self._detect(stack, resource)
        self._engine.store.save(stack)
        return {"StackResourceDrift": _entry(stack, resource)}

    def _detect(self, stack: Stack, resource: Resource) -> dict[str, Any]:
        return drift.detect(self._engine.client, self._engine, stack, resource)


def _entry(stack: Stack, one: Resource) -> dict[str, Any]:
    """A resource's drift as the API shows it; values of NoEcho parameters are masked."""
    given = stack.wanted.parameters
    template, shown = read(stack.wanted.template, given), dict(one.drift)
    for name in shown.keys() & {"ExpectedProperties", "ActualProperties"}:
        shown[name] = json.dumps(parameters.masked(template, given, json.loads(shown[name])))
    shown |= parameters.masked(template, given, {name: shown[name] for name in shown.keys() & {"PropertyDifferences"}})
    return {
        "StackId": stack.id,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        **shown,
    }
