"""The operation SignalResource, which cfn-signal calls, for a resource that is being created or updated."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import signalling
from bootstrap.local.aws.cloudformation.operations.engine import Engine


class SignalApi:
    """Receives signals for resources."""

    _engine: Engine

    def SignalResource(self, request: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802 (AWS's name)
        """Store a signal for a resource in CREATE_IN_PROGRESS or UPDATE_IN_PROGRESS; any other is refused."""
        stack = self._engine.store.find(request["StackName"], region)
        if stack is None:
            raise Refused(f"Stack with id {request['StackName']} does not exist")
        logical, unique, status = request["LogicalResourceId"], request["UniqueId"], request["Status"]
        resource = stack.resources.get(logical)
        if resource is None:
            raise Refused(f"Resource {logical} does not exist for stack {stack.name}")
        operation = stack.operation
        if operation is None or resource.status not in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
            raise Refused(f"Resource {logical} is in {resource.status} state and cannot be signaled")
        signals, handle = self._engine.signals, signalling.handle_of(operation, logical)
        if unique in signals.read(handle):
            raise Refused(
                f"Signal with ID {unique} for resource {logical} already exists. Signals may only be updated once."
            )
        with self._engine.store.lock:  # the event first: the last signal ends the creation at once
            stack.record(resource.status, f"Received {status} signal with UniqueId {unique}", resource)
        self._engine.store.save(stack)
        signals.record(handle, {"Status": status, "UniqueId": unique})
        return {}
