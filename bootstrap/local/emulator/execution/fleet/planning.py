"""Planned nodes, and how many the queue of one label needs: the two strategies of Jenkins' NodeProvisioner.

The strategy of ec2-fleet asks for what is missing at once. The standard one smooths the figures first, so that a short rush
makes no instances (hudson.slaves.NodeProvisioner, com.amazon.jenkins.ec2fleet.NoDelayProvisionStrategy).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

CLOCK_SECONDS = 10.0  # how often the load statistics are measured
_DECAY = 0.9
_MARGIN, _MARGIN0, _MARGIN_DECAY = 0.1, 0.5, 0.5


@dataclass(eq=False)
class PlannedNode:
    """Capacity that was asked for and is not online yet; when it is done, `failure` may say why it never will be."""

    name: str
    executors: int
    is_done: bool = False
    failure: str = ""

    def finish(self, failure: str = "") -> None:
        """The node is online, or is no longer expected."""
        if not self.is_done:
            self.is_done, self.failure = True, failure


class Cloud(Protocol):
    """What the planning asks of a cloud."""

    @property
    def is_immediate(self) -> bool:
        """Whether it asks for nodes at once."""

    def can_provision(self, label: str) -> bool:
        """Whether its nodes may run what has this label; '' is work without one."""

    def provision(self, workload: int) -> list[PlannedNode]:
        """Plan nodes for so many executors."""


@dataclass(frozen=True)
class Snapshot:
    """The executors of one label, and how much waits for them."""

    waiting: int
    available: int
    connecting: int
    online: int


@dataclass
class Smoothed:
    """Exponential moving averages of a snapshot's figures and of the planned capacity."""

    waiting: float = 0.0
    available: float = 0.0
    connecting: float = 0.0
    planned: float = 0.0

    def measure(self, snapshot: Snapshot) -> None:
        """Take a new snapshot into the averages; once per CLOCK_SECONDS."""
        self.waiting = _smooth(self.waiting, snapshot.waiting)
        self.available = _smooth(self.available, snapshot.available)
        self.connecting = _smooth(self.connecting, snapshot.connecting)

    def plan(self, capacity: int) -> None:
        """Take the planned capacity into its average; once per look of the provisioner."""
        self.planned = _smooth(self.planned, capacity)


def _smooth(before: float, now: float) -> float:
    return before * _DECAY + now * (1 - _DECAY)


@dataclass
class Provisioner:
    """The planned nodes of one label; `tell` takes lines for the service's log."""

    label: str
    tell: Callable[[str, str], None]
    pending: list[PlannedNode] = field(default_factory=list)
    smoothed: Smoothed = field(default_factory=Smoothed)

    def look(self, snapshot: Snapshot, clouds: Sequence[Cloud]) -> None:
        """Plan what the queue needs beyond what is there and planned."""
        for planned in [planned for planned in self.pending if planned.is_done]:
            self.pending.remove(planned)
            if planned.failure:
                self.tell(
                    "WARNING",
                    f"Unexpected exception encountered while provisioning agent {planned.name}\n{planned.failure}",
                )
        capacity = sum(planned.executors for planned in self.pending)
        self.smoothed.plan(capacity)
        if snapshot.waiting <= snapshot.available:
            return
        fitting = [cloud for cloud in clouds if cloud.can_provision(self.label)]
        added = self._provision_at_once(snapshot, capacity, fitting)
        if added is not None:
            self._provision_smoothly(snapshot, capacity, added, fitting)

    def _provision_at_once(self, snapshot: Snapshot, planned: int, clouds: Sequence[Cloud]) -> int | None:
        """Plan nodes of the clouds that wait for nothing; the capacity that was added, None if it is enough."""
        excess, added = snapshot.waiting - snapshot.available - planned, 0
        if excess <= 0:
            return None
        for cloud in clouds:
            if excess >= 1 and cloud.is_immediate:
                capacity = self._take(cloud.provision(excess))
                excess, added = excess - capacity, added + capacity
        return added if excess > 0 else None

    def _provision_smoothly(self, snapshot: Snapshot, planned: int, added: int, clouds: Sequence[Cloud]) -> None:
        smoothed = self.smoothed
        is_bare = snapshot.available + snapshot.connecting == 0 and snapshot.online + planned + added == 0
        if max(snapshot.available, smoothed.available) >= _MARGIN and not is_bare:
            return
        expected = max(smoothed.planned, planned) + added
        excess = min(smoothed.waiting, snapshot.waiting) - expected - min(smoothed.connecting, snapshot.connecting)
        if is_bare:
            excess = max(excess, 1.0)
        margin = _MARGIN + (_MARGIN0 - _MARGIN) * _MARGIN_DECAY**snapshot.online
        if excess <= 1 - margin:
            return
        for cloud in clouds:
            if excess < 0:
                break
            excess -= self._take(cloud.provision(math.floor(excess + margin)))

    def _take(self, planned: list[PlannedNode]) -> int:
        self.pending += planned
        return sum(node.executors for node in planned)
