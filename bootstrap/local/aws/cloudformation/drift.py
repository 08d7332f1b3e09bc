"""Drift: whether each resource of a stack is still there, and its properties as the template has them.

A type whose properties cannot be read back (`reading`) is NOT_CHECKED, unless it is seen to be gone. What a service takes and
never gives back (write-only in the type's schema) is not compared, nor what the local cloud does not model.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any

from bootstrap.local.aws.cloudformation import adapters, arrival, parameters, reading
from bootstrap.local.aws.cloudformation.adapters.base import Context, StandIn
from bootstrap.local.aws.cloudformation.asked import find
from bootstrap.local.aws.cloudformation.engine import Engine
from bootstrap.local.aws.cloudformation.errors import Gone, Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.parsing import read
from bootstrap.local.aws.cloudformation.store import Resource, Stack

DRIFTED = ("MODIFIED", "DELETED")

log = logging.getLogger(__name__)


class Drift:
    """Detects drift at once; the detection's id stays valid while the process runs."""

    _engine: Engine
    _detections: dict[str, str] = {}

    def DetectStackDrift(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802 (AWS's name)
        """Look at every resource."""
        stack = find(self._engine, asked["StackName"], region)
        for resource in list(stack.resources.values()):
            resource.drift = self._look(stack, resource)
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
        found = [one for one in stack.resources.values() if one.drift]
        return {
            "StackResourceDrifts": [
                _entry(stack, one) for one in found if not states or one.drift["StackResourceDriftStatus"] in states
            ]
        }

    def DetectStackResourceDrift(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802
        """Look at one resource."""
        stack = find(self._engine, asked["StackName"], region)
        resource = stack.resources.get(asked["LogicalResourceId"])
        if resource is None:
            raise Refused(f"Resource {asked['LogicalResourceId']} does not exist for stack {stack.name}")
        resource.drift = self._look(stack, resource)
        self._engine.store.save(stack)
        return {"StackResourceDrift": _entry(stack, resource)}

    def _look(self, stack: Stack, resource: Resource) -> dict[str, Any]:
        found: dict[str, Any] = {"Timestamp": time.time(), "StackResourceDriftStatus": "NOT_CHECKED"}
        adapter = adapters.find(resource.type)
        if adapter is None or isinstance(adapter, StandIn):
            return found
        to = self._context(stack, resource)
        try:
            if resource.type not in reading.READS:
                adapter.attributes(to)
                return found if adapter.exists(to) else {**found, "StackResourceDriftStatus": "DELETED"}
            actual = reading.properties(to)
        except Gone:
            return {**found, "StackResourceDriftStatus": "DELETED"}
        except ResourceFailed as failure:
            log.warning("reading %s back: %s", resource.logical_id, failure)
            return found
        differing = arrival.differing(resource.type, stack.region, resource.properties, actual)
        shown = {name: actual.get(name) for name in resource.properties if name in actual}
        found["StackResourceDriftStatus"] = "MODIFIED" if differing else "IN_SYNC"
        found["PropertyDifferences"] = differing
        found["ExpectedProperties"] = json.dumps(resource.properties)
        found["ActualProperties"] = json.dumps(shown, default=str)
        return found

    def _context(self, stack: Stack, resource: Resource) -> Context:
        return Context(
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
            tags=resource.tags,
            nested=self._engine,
        )


def _entry(stack: Stack, one: Resource) -> dict[str, Any]:
    """What is shown of a resource's drift; a NoEcho parameter's value is not."""
    given = stack.wanted.parameters
    template, drift = read(stack.wanted.template, given), dict(one.drift)
    for name in drift.keys() & {"ExpectedProperties", "ActualProperties"}:
        drift[name] = json.dumps(parameters.masked(template, given, json.loads(drift[name])))
    drift |= parameters.masked(template, given, {name: drift[name] for name in drift.keys() & {"PropertyDifferences"}})
    return {
        "StackId": stack.id,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        **drift,
    }
