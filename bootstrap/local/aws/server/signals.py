"""Records the signals that machines send to the URL of a wait condition's handle.

Each signal is journalled, so a restart loses none. A signal is the JSON that cfn-signal sends: Status (SUCCESS or FAILURE),
UniqueId, Reason, Data. Of several signals with the same UniqueId, the first one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.server.door import Door

PATH = "/_bootstrap/signal/"

Signal = dict[str, str]


class Signals:
    """The signals of one local cloud; `find_url` returns the URL of the server, for new handles."""

    def __init__(self, door: Door, find_url: Callable[[], str]) -> None:
        self._door = door
        self._find_url = find_url
        self._signals: dict[str, dict[str, Signal]] = {}
        door.event_handlers["signal"] = self._apply

    def make_url(self, name: str) -> str:
        """The URL for a new handle of this name."""
        return f"{self._find_url()}{PATH}{name}"

    def record(self, handle: str, signal: dict[str, Any]) -> None:
        """Record a signal for the handle of this name. Raises ValueError or KeyError if its content is wrong."""
        if signal["Status"] not in {"SUCCESS", "FAILURE"}:
            raise ValueError(f"Status is {signal['Status']}, not SUCCESS or FAILURE")
        content = {name: str(signal.get(name, "")) for name in ("Status", "Reason", "Data")}
        self._door.record_event("signal", handle=handle, unique=str(signal["UniqueId"]), signal=content)

    def read(self, url: str) -> dict[str, Signal]:
        """The signals for the handle with this URL, by their UniqueId."""
        return dict(self._signals.get(url.rpartition("/")[2], {}))

    def _apply(self, event: dict[str, Any]) -> None:
        self._signals.setdefault(event["handle"], {}).setdefault(event["unique"], event["signal"])
