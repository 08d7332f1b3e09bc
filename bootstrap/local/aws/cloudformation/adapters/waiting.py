"""Wait conditions: a handle has an address of this server, and a condition waits for the signals that are put there."""

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
        """A new address."""
        return str(to.stacks.signals.handle(to.name(64)))

    def delete(self, to: To) -> None:
        """What came to it is not asked for any more."""


class WaitCondition(Adapter):
    """AWS::CloudFormation::WaitCondition; every property replaces it, and so waits anew."""

    type = "AWS::CloudFormation::WaitCondition"

    def create(self, to: To) -> str:
        """Waits for `Count` signals of success, `Timeout` seconds at most; fails at the first that says FAILURE."""
        count = int(to.get("Count", 1))
        name = f"{to.stack_id}/{to.logical_id}"
        to.initiated(name)
        if to.is_signalled and "Handle" not in to.properties:
            return name  # its signals come by the API, and are waited for there
        end = time.monotonic() + float(to.get("Timeout", 0)) if "Handle" in to.properties else 0.0
        while len(found := self._signals(to)) < count:
            if to.cancelled():
                raise ResourceFailed("Resource creation cancelled")
            if to.stacks.is_closing:
                raise Interrupted(to.logical_id)
            if time.monotonic() > end:
                raise ResourceFailed(
                    f"WaitCondition timed out. Received {len(found)} conditions when expecting {count}"
                )
            time.sleep(PAUSE_SECONDS)
        return name

    def delete(self, to: To) -> None:
        """There is nothing behind it."""

    def attributes(self, to: To) -> dict[str, Any]:
        """The data of the signals by their ids, as JSON."""
        return {"Data": json.dumps({unique: signal["Data"] for unique, signal in self._signals(to).items()})}

    def _signals(self, to: To) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = to.stacks.signals.of(str(to.get("Handle", "")))
        for unique, signal in found.items():
            if signal["Status"] == "FAILURE":
                raise ResourceFailed(
                    f"WaitCondition received failed message: '{signal['Reason']}' for uniqueId: {unique}"
                )
        return found


ADAPTERS = (WaitConditionHandle(), WaitCondition())
