"""What waits for executors, label by label, and the nodes that are planned for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ...model.configuration import NodeSettings
from ...model.home import Home
from ..executors import Executors, QuietMode
from ..labels import matches
from ..queue import Queue
from .computer import FleetComputer
from .planning import CLOCK_SECONDS, Provisioner, Snapshot

_PREFIX = "hudson.slaves.NodeProvisioner."
_INITIAL_DELAY, _PERIOD = 100_000, 10_000  # milliseconds, where the command line names no others


class Demand:
    """The provisioners of all labels that something has waited for; '' is work without a label."""

    def __init__(
        self,
        home: Home,
        executors: Executors,
        queue: Queue,
        quiet_mode: QuietMode,
        computers: Mapping[str, FleetComputer],
        list_fleets: Callable[[], list[Any]],
        tell: Callable[[str, str], None],
    ) -> None:
        self._home, self._executors, self._queue, self._quiet_mode = home, executors, queue, quiet_mode
        self._computers, self._list_fleets, self._tell = computers, list_fleets, tell
        self._provisioners: dict[str, Provisioner] = {}

    async def plan(self) -> None:
        """Plan nodes for what waits, again and again, as often as the command line says."""
        await asyncio.sleep(self._read_milliseconds("initialDelay", _INITIAL_DELAY))
        while True:
            for label, provisioner in self._look_up_provisioners():
                if not self._quiet_mode.is_on:
                    provisioner.look(self.measure_label(label), self._list_fleets())
            await asyncio.sleep(self._read_milliseconds("recurrencePeriod", _PERIOD))

    async def measure(self) -> None:
        """Take the figures of all labels into their averages, again and again."""
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            for label, provisioner in self._look_up_provisioners():
                provisioner.smoothed.measure(self.measure_label(label))

    def _read_milliseconds(self, name: str, default: int) -> float:
        told = self._home.options.arguments.properties.get(_PREFIX + name, "")
        return (int(told) if told.isdigit() else default) / 1000

    def _look_up_provisioners(self) -> list[tuple[str, Provisioner]]:
        for label in self._list_waiting():
            self._provisioners.setdefault(label, Provisioner(label, self._tell))
        return list(self._provisioners.items())

    def _list_waiting(self) -> list[str]:
        parts = [part.label for part in self._executors.waiting if not part.node]
        return [*parts, *(item.job.label for item in self._queue.waiting if item.is_buildable)]

    def measure_label(self, label: str) -> Snapshot:
        """The executors for a label, and how much waits for them."""
        available = connecting = online = 0
        for node in self._home.configuration.nodes:
            if not (_matches(label, node) if label else not node.is_exclusive):
                continue
            computer = self._computers.get(node.name)
            if computer is not None and computer.is_connecting:
                connecting += node.executors
            if self._executors.is_online(node.name):
                online += node.executors
                available += self._executors.count_available(node)
        return Snapshot(self._list_waiting().count(label), available, connecting, online)


def _matches(label: str, node: NodeSettings) -> bool:
    try:
        return matches(label, node.labels)
    except ValueError:
        return False
