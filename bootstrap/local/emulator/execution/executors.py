"""Quiet mode, and the executors of the nodes: the built-in one, and agents as long as they are connected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ..model.builds import Build
from ..model.configuration import NodeSettings
from ..model.home import Home
from .labels import matches
from .places import Here, Place

SHUTTING_DOWN = "Jenkins is about to shut down"
BUSY = "Waiting for next available executor"


@dataclass
class QuietMode:
    """Whether nothing new begins; `reason` is None while it is off, and may be empty while it is on."""

    reason: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether builds and steps wait."""
        return self.reason is not None


class Slot(NamedTuple):
    """One executor: its node's name (empty for the built-in node) and its number there."""

    node: str
    number: int


@dataclass(eq=False)
class PartWaiting:
    """A part of a Pipeline that waits for an executor: an item of the queue, as Jenkins has it."""

    build: Build
    label: str
    since: int


class Executors:
    """The slots of all nodes; a slot is free or holds a build."""

    def __init__(self, home: Home, quiet_mode: QuietMode) -> None:
        self._home, self._quiet_mode = home, quiet_mode
        self._listeners: list[Callable[[], None]] = []
        self._agents: dict[str, Place] = {}
        self.here = Here(home.surroundings.build_variables)
        self.busy: dict[Slot, Build] = {}
        self.waiting: list[PartWaiting] = []
        self.changed = asyncio.Event()

    # Nodes

    def place(self, name: str) -> Place | None:
        """Where builds of a node work; None for an agent that is not connected."""
        return self._agents.get(name) if name else self.here

    def is_online(self, name: str) -> bool:
        """Whether builds can work there."""
        return self.place(name) is not None

    def connect(self, name: str, place: Place) -> None:
        """An agent is there; one of the same name that was there before is not any more."""
        self._agents[name] = place
        self.notify()

    def disconnect(self, name: str, place: Place) -> None:
        """An agent has gone, unless another one has taken its name."""
        if self._agents.get(name) is place:
            del self._agents[name]
        self.notify()

    def node(self, name: str) -> NodeSettings:
        """The settings of a node; those of one that was removed since its build began are empty."""
        return self._home.configuration.node(name) or NodeSettings(name, "", frozenset(), 0, "/nonexistent", False)

    # Slots

    def refusal(self, label: str) -> str:
        """Why nothing with this label can run now, whichever slot becomes free; empty when it only has to wait for one."""
        nodes = self._home.configuration.nodes
        try:
            fitting = [node for node in nodes if (matches(label, node.labels) if label else not node.is_exclusive)]
        except ValueError as fault:
            return str(fault)
        if not fitting:
            named = next((node for node in nodes if node.executors), nodes[0])
            return (
                f"There are no nodes with the label ‘{label}’"
                if label
                else f"‘{named.shown_name}’ is reserved for jobs with matching label expression"
            )
        if not any(self.is_online(node.name) for node in fitting):
            return (
                f"‘{fitting[0].shown_name}’ is offline"
                if len(fitting) == 1
                else f"All nodes of label ‘{label}’ are offline"
            )
        return ""

    def reason(self, label: str) -> str:
        """Why nothing with this label can begin now; empty when it can."""
        return self.refusal(label) or ("" if self._free(label) else BUSY)

    def claim(self, label: str, build: Build) -> Slot | None:
        """A slot that the build now holds; None when there is none for it."""
        if self.refusal(label) or self._quiet_mode.is_on:
            return None
        slot = self._free(label)
        if slot is not None:
            self.busy[slot] = build
        return slot

    def _free(self, label: str) -> Slot | None:
        for node in self._home.configuration.nodes:
            if not self.is_online(node.name) or not (matches(label, node.labels) if label else not node.is_exclusive):
                continue
            for number in range(node.executors):
                if (slot := Slot(node.name, number)) not in self.busy:
                    return slot
        return None

    async def wait(self, label: str, build: Build, on_wait: Callable[[str], None]) -> Slot:
        """Hold a slot, however long it takes; `on_wait` hears once why it takes long."""
        if (slot := self.claim(label, build)) is not None:
            return slot
        part = PartWaiting(build, label, int(time.time() * 1000))
        self.waiting.append(part)
        try:
            on_wait(self.why(part))
            while (slot := self.claim(label, build)) is None:
                changed = self.changed
                await changed.wait()
        finally:
            self.waiting.remove(part)
        return slot

    def why(self, part: PartWaiting) -> str:
        """Why a part of a Pipeline waits."""
        return self.refusal(part.label) or (SHUTTING_DOWN if self._quiet_mode.is_on else BUSY)

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        self.busy.pop(slot, None)
        self.notify()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this whenever a slot may have become free."""
        self._listeners.append(listener)

    def notify(self) -> None:
        """Something changed: whoever waits looks again."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
        for listener in self._listeners:
            listener()
