"""Waits for signals of resources: in creations with a CreationPolicy, and in updates that replace the instances of a group.

A signal belongs to one operation on one resource. It is written to the journal before its request is answered, so a creation
that is resumed after a kill finds it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bootstrap.local.aws.cloudformation.errors import Interrupted, ResourceFailed
from bootstrap.local.aws.cloudformation.operations.life_policies import Awaited
from bootstrap.local.aws.cloudformation.store import Operation
from bootstrap.local.aws.server.signals import Signals

PAUSE_SECONDS = 0.05


def handle_of(operation: Operation, logical: str) -> str:
    """The name under which the signals of a resource are stored during the stack's operation."""
    return f"{operation.id}-{logical}"


class ResourceSignals:
    """The signals for the resources of one operation; waiting ends when `closing` is set."""

    def __init__(self, signals: Signals, operation: Operation, closing: threading.Event) -> None:
        self._signals = signals
        self._operation = operation
        self._closing = closing

    def read(self, logical: str) -> dict[str, str]:
        """The status of each signal that a resource has received in the operation, by the unique id of the signal."""
        received = self._signals.read(handle_of(self._operation, logical))
        return {unique: signal["Status"] for unique, signal in received.items()}

    def wait(self, logical: str, expected: Awaited, is_cancelled: Callable[[], bool]) -> None:
        """Wait for a resource's signals; raises ResourceFailed if too few arrive in time, or too many are FAILURE."""
        end = time.monotonic() + expected.seconds
        while True:
            statuses = list(self.read(logical).values())
            failures, successes = statuses.count("FAILURE"), statuses.count("SUCCESS")
            if failures > expected.count - expected.successes:
                raise ResourceFailed(
                    f"Received {failures} FAILURE signal(s) out of {expected.count}. Unable to satisfy "
                    f"{100 * expected.successes / max(expected.count, 1):g}% MinSuccessfulInstancesPercent requirement"
                )
            if successes >= expected.successes:
                return
            if is_cancelled():
                raise ResourceFailed("Resource creation cancelled")
            if self._closing.is_set():
                raise Interrupted(logical)
            if time.monotonic() > end:
                raise ResourceFailed(
                    f"Failed to receive {expected.successes - successes} resource signal(s) within the specified duration"
                )
            time.sleep(PAUSE_SECONDS)
