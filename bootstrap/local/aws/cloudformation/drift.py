"""Drift: whether each resource of a stack is still there, and its tags as they were set."""

from __future__ import annotations

import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.adapters.base import Context
from bootstrap.local.aws.cloudformation.asked import find
from bootstrap.local.aws.cloudformation.engine import Engine
from bootstrap.local.aws.cloudformation.errors import Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.store import Resource, Stack


class Drift:
    """Detects drift at once; the detection's id stays valid while the process runs."""

    _engine: Engine
    _detections: dict[str, str] = {}

    def DetectStackDrift(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802 (AWS's name)
        """Look at every resource."""
        stack = find(self._engine, asked["StackName"], region)
        for resource in stack.resources.values():
            status = "IN_SYNC" if self._is_there(stack, resource) else "DELETED"
            resource.drift = {"StackResourceDriftStatus": status, "Timestamp": time.time()}
        drifted = any(one.drift["StackResourceDriftStatus"] != "IN_SYNC" for one in stack.resources.values())
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
        count = sum(one.drift.get("StackResourceDriftStatus") != "IN_SYNC" for one in stack.resources.values())
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
        found = [one for one in stack.resources.values() if one.drift]
        return {
            "StackResourceDrifts": [
                {
                    "StackId": stack.id,
                    "LogicalResourceId": one.logical_id,
                    "PhysicalResourceId": one.physical_id,
                    "ResourceType": one.type,
                    **one.drift,
                }
                for one in found
                if not states or one.drift["StackResourceDriftStatus"] in states
            ]
        }

    def _is_there(self, stack: Stack, resource: Resource) -> bool:
        adapter = adapters.find(resource.type)
        if adapter is None:
            return True
        context = Context(
            resource.type,
            resource.logical_id,
            stack.name,
            stack.id,
            stack.region,
            stack.account,
            "drift",
            resource.properties,
            self._engine.client,
            lambda _: None,
            physical_id=resource.physical_id,
            attributes=resource.attributes,
            nested=self._engine,
        )
        try:
            adapter.attributes(context)
            return adapter.exists(context)
        except ResourceFailed:
            return False
