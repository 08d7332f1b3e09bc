"""Wait conditions: a handle is an address of this server, and a condition waits for signals that are sent there."""

from __future__ import annotations

import json
import time
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.errors import Interrupted, ResourceFailed

PAUSE_SECONDS = 0.05


class WaitConditionHandle(Adapter):
    """AWS::CloudFormation::WaitConditionHandle; Ref is the address that takes signals (PUT, without credentials)."""

    type = "AWS::CloudFormation::WaitConditionHandle"

    def create(self, to: To) -> str:
        """Return a new address."""
        return str(to.stacks.signals.make_url(to.make_token()))

    def delete(self, to: To) -> None:
        """Do nothing: signals at this address are no longer read."""


class WaitCondition(Adapter):
    """AWS::CloudFormation::WaitCondition. Every change replaces it, so the new one waits again."""

    type = "AWS::CloudFormation::WaitCondition"

    def create(self, to: To) -> str:
        """Wait for `Count` signals of success, `Timeout` seconds at most.

        Raises ResourceFailed at the first signal with the status FAILURE, after the timeout, or when the creation is
        cancelled; Interrupted when the server stops.
        """
        count = int(to.get("Count", 1))
        name = f"{to.stack_id}/{to.logical_id}"
        to.initiated(name)
        if to.is_signalled and "Handle" not in to.properties:
            return name  # its signals come by SignalResource, and the operation waits for them
        end = time.monotonic() + float(to.get("Timeout", 0)) if "Handle" in to.properties else 0.0
        while len(signals := self._read_signals(to)) < count:
            if to.cancelled():
                raise ResourceFailed("Resource creation cancelled")
            if to.stacks.is_closing:
                raise Interrupted(to.logical_id)
            if time.monotonic() > end:
                raise ResourceFailed(
                    f"WaitCondition timed out. Received {len(signals)} conditions when expecting {count}"
                )
            time.sleep(PAUSE_SECONDS)
        return name

    def delete(self, to: To) -> None:
        """Do nothing: a condition has no resource at a service."""

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the data of the signals by their ids, as JSON."""
        return {"Data": json.dumps({unique_id: signal["Data"] for unique_id, signal in self._read_signals(to).items()})}

    def _read_signals(self, to: To) -> dict[str, dict[str, str]]:
        signals: dict[str, dict[str, str]] = to.stacks.signals.read(str(to.get("Handle", "")))
        for unique_id, signal in signals.items():
            if signal["Status"] == "FAILURE":
                raise ResourceFailed(
                    f"WaitCondition received failed message: '{signal['Reason']}' for uniqueId: {unique_id}"
                )
        return signals


ADAPTERS = (WaitConditionHandle(), WaitCondition())
