"""The events of one stack operation: each is reported once, while the operation runs, until the stack settles."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bootstrap.errors import StackFailed
from bootstrap.stacks.client import CloudFormation, list_pages
from bootstrap.values import Reporter

PATIENCE = 3600.0  # the longest time without an event, in seconds; the time-outs of CloudFormation are shorter
_CAVEATS = ("STAND-IN:", "NOT MODELLED:")
# The reasons of resources that failed only because another one failed.
_BYSTANDERS = ("cancelled", "was not successfully")


class Follower:
    """Follows one stack by its id. Make it before the operation begins: events that exist then are not reported."""

    def __init__(
        self, client: CloudFormation, stack_id: str, report: Reporter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._stack_id = stack_id
        self._report = report
        self._sleep = sleep
        self.events: list[dict[str, Any]] = []
        # One page is enough: `_read_new_events` reads back only to the first known event.
        past = next(list_pages(client.describe_stack_events, StackName=stack_id))["StackEvents"]
        self._seen = {event["EventId"] for event in past}

    def wait(self) -> str:
        """Wait until the stack settles, and report every event; returns the status.

        StackFailed after PATIENCE without an event.
        """
        pause, last_event_at = 0.2, time.monotonic()
        while True:
            fresh = self._read_new_events()
            for event in fresh:
                self._report_event(event)
            settled = [status for event in fresh if (status := self._find_end(event))]
            if settled:
                return settled[-1]
            if fresh:
                pause, last_event_at = 0.2, time.monotonic()
            elif time.monotonic() - last_event_at > PATIENCE:
                raise StackFailed(
                    f"following {self._stack_id}",
                    f"no event for {PATIENCE / 60:.0f} minutes",
                    "Check the stack in the AWS console; another 'launch' continues from its current state.",
                )
            self._sleep(pause)
            pause = min(pause * 1.3, 2)

    @property
    def failure(self) -> str:
        """Why the operation failed: the first resource that failed by itself, or else what the stack's own last event says.

        '' if neither gives a reason. A deletion that an export's user prevents has no failed resource: the stack's event
        has the reason, with the status from before.
        """
        failed = [event for event in self.events if event["ResourceStatus"].endswith("_FAILED")]
        own = [it for it in failed if not any(text in it.get("ResourceStatusReason", "") for text in _BYSTANDERS)]
        for event in own or failed:
            reason = event.get("ResourceStatusReason", "no reason was given")
            return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        own_ends = [event for event in self.events if self._find_end(event)]
        return str(own_ends[-1].get("ResourceStatusReason", "")) if own_ends else ""

    @property
    def kept(self) -> tuple[str, ...]:
        """The retained resources of a deletion: type and physical id."""
        skipped = (event for event in self.events if event["ResourceStatus"] == "DELETE_SKIPPED")
        return tuple(dict.fromkeys(f"{event['ResourceType']} {event['PhysicalResourceId']}" for event in skipped))

    def _read_new_events(self) -> list[dict[str, Any]]:
        """The new events, oldest first. Pages are read until a known event appears."""
        fresh: list[dict[str, Any]] = []
        for page in list_pages(self._client.describe_stack_events, StackName=self._stack_id):
            news = [event for event in page["StackEvents"] if event["EventId"] not in self._seen]
            fresh += news
            if self._seen and len(news) < len(page["StackEvents"]):
                break
        return fresh[::-1]

    def _report_event(self, event: dict[str, Any]) -> None:
        self._seen.add(event["EventId"])
        self.events.append(event)
        reason = event.get("ResourceStatusReason", "")
        self._report.progress(f"{event['LogicalResourceId']} {event['ResourceStatus']}{': ' if reason else ''}{reason}")
        # A created resource that has a reason: the local cloud marks stand-ins in this way.
        if event["ResourceStatus"].endswith("_COMPLETE") and reason.startswith(_CAVEATS):
            self._report.notice(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")

    def _find_end(self, event: dict[str, Any]) -> str:
        """The status of the stack if this event ends the operation, else ''."""
        status = str(event["ResourceStatus"])
        is_own = event.get("PhysicalResourceId") == self._stack_id
        return status if is_own and not status.endswith("_IN_PROGRESS") else ""
