"""Signals for wait conditions: what machines put to a handle's address. Each is journalled, so that none is lost by a restart.

A signal is the JSON that cfn-signal sends: Status (SUCCESS or FAILURE), UniqueId, Reason, Data. One UniqueId counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.server.door import Door

PATH = "/_bootstrap/signal/"

Signal = dict[str, str]


class Signals:
    """The signals of one cloud by handle; `address` gives the server's URL for new handles."""

    def __init__(self, door: Door, address: Callable[[], str]) -> None:
        self._door = door
        self._address = address
        self._taken: dict[str, dict[str, Signal]] = {}
        door.events["signal"] = self._keep

    def handle(self, name: str) -> str:
        """The URL of a new handle."""
        return f"{self._address()}{PATH}{name}"

    def take(self, handle: str, signal: dict[str, Any]) -> None:
        """Keep a signal; raises ValueError or KeyError for one that is none."""
        if signal["Status"] not in {"SUCCESS", "FAILURE"}:
            raise ValueError(f"Status {signal['Status']}")
        kept = {name: str(signal.get(name, "")) for name in ("Status", "Reason", "Data")}
        self._door.event("signal", handle=handle, unique=str(signal["UniqueId"]), signal=kept)

    def of(self, url: str) -> dict[str, Signal]:
        """The signals that came to a handle, by their ids."""
        return dict(self._taken.get(url.rpartition("/")[2], {}))

    def _keep(self, record: dict[str, Any]) -> None:
        self._taken.setdefault(record["handle"], {}).setdefault(record["unique"], record["signal"])
