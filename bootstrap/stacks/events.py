"""The events of one stack operation: each told once, while it goes on, until the stack settles."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bootstrap.errors import StackFailed
from bootstrap.stacks.client import CloudFormation, pages
from bootstrap.values import Reporter

PATIENCE = 3600.0  # seconds without any event; CloudFormation itself gives a resource up earlier
_CAVEATS = ("STAND-IN:", "NOT MODELLED:")
_BYSTANDERS = ("cancelled", "was not successfully")  # reasons of resources that failed because another one had


class Follower:
    """Follows one stack by its id. Made before the operation begins, so that events of earlier ones are not told again."""

    def __init__(
        self, client: CloudFormation, stack_id: str, report: Reporter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._stack_id = stack_id
        self._report = report
        self._sleep = sleep
        self.events: list[dict[str, Any]] = []
        # One page is enough: reading news goes back to the first event that is known.
        past = next(pages(client.describe_stack_events, StackName=stack_id))["StackEvents"]
        self._seen = {event["EventId"] for event in past}

    def wait(self) -> str:
        """The status in which the stack settles; tells every event on the way."""
        pause, heard = 0.2, time.monotonic()
        while True:
            fresh = self._fresh()
            for event in fresh:
                self._tell(event)
            settled = [status for event in fresh if (status := self._settled(event))]
            if settled:
                return settled[-1]
            if fresh:
                pause, heard = 0.2, time.monotonic()
            elif time.monotonic() - heard > PATIENCE:
                raise StackFailed(
                    f"following {self._stack_id}",
                    f"no event for {PATIENCE / 60:.0f} minutes",
                    "Check the stack in the AWS console; another 'launch' continues from its current state.",
                )
            self._sleep(pause)
            pause = min(pause * 1.3, 2)

    @property
    def failure(self) -> str:
        """The first resource that failed by itself, and why; empty where none did."""
        failed = [event for event in self.events if event["ResourceStatus"].endswith("_FAILED")]
        own = [it for it in failed if not any(text in it.get("ResourceStatusReason", "") for text in _BYSTANDERS)]
        for event in own or failed:
            reason = event.get("ResourceStatusReason", "no reason was given")
            return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        return ""

    @property
    def kept(self) -> tuple[str, ...]:
        """What a deletion left in place: type and physical id."""
        skipped = (event for event in self.events if event["ResourceStatus"] == "DELETE_SKIPPED")
        return tuple(dict.fromkeys(f"{event['ResourceType']} {event['PhysicalResourceId']}" for event in skipped))

    def _fresh(self) -> list[dict[str, Any]]:
        """The events not seen yet, oldest first. Pages are read only until a known event appears."""
        found: list[dict[str, Any]] = []
        for page in pages(self._client.describe_stack_events, StackName=self._stack_id):
            news = [event for event in page["StackEvents"] if event["EventId"] not in self._seen]
            found += news
            if self._seen and len(news) < len(page["StackEvents"]):
                break
        return found[::-1]

    def _tell(self, event: dict[str, Any]) -> None:
        self._seen.add(event["EventId"])
        self.events.append(event)
        reason = event.get("ResourceStatusReason", "")
        self._report.progress(f"{event['LogicalResourceId']} {event['ResourceStatus']}{': ' if reason else ''}{reason}")
        # A resource that was created and yet has a reason: the local cloud so marks what it only records.
        if event["ResourceStatus"].endswith("_COMPLETE") and reason.startswith(_CAVEATS):
            self._report.notice(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")

    def _settled(self, event: dict[str, Any]) -> str:
        """The status, where this event is the stack's own last word on the operation."""
        status = str(event["ResourceStatus"])
        is_own = event.get("PhysicalResourceId") == self._stack_id
        return status if is_own and not status.endswith("_IN_PROGRESS") else ""
