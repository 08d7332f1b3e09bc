"""Signals to resources (SignalResource, which is what cfn-signal calls): taken from outside, waited for by creations, and by
updates that replace a group's machines.

A signal belongs to one operation on one resource. It is journalled before it is answered, so that a creation that a kill
interrupted finds it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bootstrap.local.aws.cloudformation.errors import Interrupted, Refused, ResourceFailed

if TYPE_CHECKING:
    from bootstrap.local.aws.cloudformation.engine import Engine
    from bootstrap.local.aws.cloudformation.life_policies import Awaited
    from bootstrap.local.aws.cloudformation.store import Operation, Stack

PAUSE_SECONDS = 0.05


class Signalling:
    """The operation of the API."""

    _engine: Engine

    def SignalResource(self, asked: dict[str, Any], region: str) -> dict[str, Any]:  # noqa: N802 (AWS's name)
        """Take a signal for a resource that is being made."""
        stack = self._engine.store.find(asked["StackName"], region)
        if stack is None:
            raise Refused(f"Stack with id {asked['StackName']} does not exist")
        logical, unique, status = asked["LogicalResourceId"], asked["UniqueId"], asked["Status"]
        resource = stack.resources.get(logical)
        if resource is None:
            raise Refused(f"Resource {logical} does not exist for stack {stack.name}")
        operation = stack.operation
        if operation is None or resource.status not in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
            raise Refused(f"Resource {logical} is in {resource.status} state and cannot be signaled")
        signals, handle = self._engine.signals, handle_of(operation, logical)
        if unique in signals.of(handle):
            raise Refused(
                f"Signal with ID {unique} for resource {logical} already exists. Signals may only be updated once."
            )
        with self._engine.store.lock:  # told before it counts, for the creation ends at once with the last one
            stack.record(resource.status, f"Received {status} signal with UniqueId {unique}", resource)
        self._engine.store.save(stack)
        signals.take(handle, {"Status": status, "UniqueId": unique})
        return {}


def handle_of(operation: Operation, logical: str) -> str:
    """The name under which the signals of a resource are kept while the stack's operation lasts."""
    return f"{operation.id}-{logical}"


def of(engine: Engine, operation: Operation, logical: str) -> dict[str, str]:
    """The status of each signal that came to a resource in an operation, by its id."""
    return {unique: one["Status"] for unique, one in engine.signals.of(handle_of(operation, logical)).items()}


def wait(engine: Engine, stack: Stack, logical: str, wanted: Awaited, is_cancelled: Callable[[], bool]) -> None:
    """Wait for a resource's signals; raises ResourceFailed when too few come in time, or too many say FAILURE."""
    end = time.monotonic() + wanted.seconds
    operation = stack.operation
    assert operation is not None
    while True:
        states = list(of(engine, operation, logical).values())
        failures, successes = states.count("FAILURE"), states.count("SUCCESS")
        if failures > wanted.count - wanted.successes:
            raise ResourceFailed(
                f"Received {failures} FAILURE signal(s) out of {wanted.count}. Unable to satisfy "
                f"{100 * wanted.successes / max(wanted.count, 1):g}% MinSuccessfulInstancesPercent requirement"
            )
        if successes >= wanted.successes:
            return
        if is_cancelled():
            raise ResourceFailed("Resource creation cancelled")
        if engine.is_closing:
            raise Interrupted(logical)
        if time.monotonic() > end:
            raise ResourceFailed(
                f"Failed to receive {wanted.successes - successes} resource signal(s) within the specified duration"
            )
        time.sleep(PAUSE_SECONDS)
