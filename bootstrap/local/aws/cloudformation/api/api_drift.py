"""The operations on drift: detection for a stack or one resource, and its results."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation.api.input import find
from bootstrap.local.aws.cloudformation.comparison import drift
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.template import parameters
from bootstrap.local.aws.cloudformation.template.parsing import read

DRIFTED = ("MODIFIED", "DELETED")


class DriftApi:
    """Detects drift within the request; the id of a detection is valid while the process runs."""

    _engine: Engine
    _detections: dict[str, str] = {}

    def DetectStackDrift(self, request: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802 (AWS's name)
        """Detect drift of every resource of a stack."""
        stack = find(self._engine, request["StackName"], region)
        for resource in list(stack.resources.values()):
            resource.drift = self._detect(stack, resource)
        drifted = any(one.drift["StackResourceDriftStatus"] in DRIFTED for one in stack.resources.values())
        stack.drift_status = "DRIFTED" if drifted else "IN_SYNC"
        stack.drift_checked = time.time()
        self._engine.store.save(stack)
        detection = str(uuid.uuid4())
        self._detections[detection] = stack.id
        return {"StackDriftDetectionId": detection}

    def DescribeStackDriftDetectionStatus(self, request: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """The result of a detection."""
        detection = request["StackDriftDetectionId"]
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

    def DescribeStackResourceDrifts(self, request: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """The results for each resource."""
        stack = find(self._engine, request["StackName"], region)
        states = request.get("StackResourceDriftStatusFilters")
        detected = [one for one in stack.resources.values() if one.drift]
        return {
            "StackResourceDrifts": [
                _describe_drift(stack, one)
                for one in detected
                if not states or one.drift["StackResourceDriftStatus"] in states
            ]
        }

    def DetectStackResourceDrift(self, request: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """Detect drift of one resource."""
        stack = find(self._engine, request["StackName"], region)
        resource = stack.resources.get(request["LogicalResourceId"])
        if resource is None:
            raise Refused(f"Resource {request['LogicalResourceId']} does not exist for stack {stack.name}")
        resource.drift = self._detect(stack, resource)
        self._engine.store.save(stack)
        return {"StackResourceDrift": _describe_drift(stack, resource)}

    def _detect(self, stack: Stack, resource: Resource) -> dict[str, Any]:
        return drift.detect(self._engine.client, self._engine, stack, resource)


def _describe_drift(stack: Stack, resource: Resource) -> dict[str, Any]:
    """The drift of a resource in the form of the API; values of NoEcho parameters are masked."""
    values = stack.wanted.parameters
    template, visible = read(stack.wanted.template, values, stack.region), dict(resource.drift)
    for name in visible.keys() & {"ExpectedProperties", "ActualProperties"}:
        visible[name] = json.dumps(parameters.mask_values(template, values, json.loads(visible[name])))
    visible |= parameters.mask_values(
        template, values, {name: visible[name] for name in visible.keys() & {"PropertyDifferences"}}
    )
    return {
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        **visible,
    }
