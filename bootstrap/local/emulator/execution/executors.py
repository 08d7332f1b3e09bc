"""Quiet mode, and the executors of the built-in node and of connected agents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ..model.builds import Build
from ..model.configuration import NodeSettings
from ..model.home import Home
from .labels import matches
from .nodes import BuiltInNode, Node

SHUTTING_DOWN = "Jenkins is about to shut down"
BUSY = "Waiting for next available executor"


@dataclass
class QuietMode:
    """Whether new builds wait; `reason` is None while it is off, and may be empty while it is on."""

    reason: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether builds and steps wait."""
        return self.reason is not None


class Slot(NamedTuple):
    """One executor: its node's name (empty for the built-in node) and its number there."""

    node: str
    number: int


@dataclass
class QueueNumbers:
    """Gives every item of the queue its number; `last` is the number of the newest."""

    last: int = 0

    def take(self) -> int:
        """The next number."""
        self.last += 1
        return self.last


@dataclass(eq=False)
class PartWaiting:
    """A part of a Pipeline that waits for an executor: an item of the queue, as Jenkins has it."""

    identifier: int
    build: Build
    label: str
    since: int
    node: str = ""  # the only node that fits, where a build goes on after a restart


class Executors:
    """The slots of all nodes; a slot is free or holds a build."""

    def __init__(self, home: Home, quiet_mode: QuietMode) -> None:
        self._home, self._quiet_mode = home, quiet_mode
        self._listeners: list[Callable[[], None]] = []
        self._agents: dict[str, Node] = {}
        self.here = BuiltInNode(home.options.build_variables)
        self.busy: dict[Slot, Build] = {}
        self.numbers = QueueNumbers()
        self.waiting: list[PartWaiting] = []
        self.changed = asyncio.Event()
        self.suspended: set[str] = set()  # nodes that take no more builds, because they are to end
        self._reserved: dict[Build, list[str]] = {}
        self.claimed: list[Callable[[Slot], None]] = []  # called with each slot that a build takes
        self.bodies: dict[Slot, Callable[[], None]] = {}  # what cancels the block of a Pipeline that holds a slot
        self.released: list[Callable[[Slot], None]] = []  # and with each that it gives back

    # Nodes

    def find_connected(self, name: str) -> Node | None:
        """The node for builds; None for an agent that is not connected."""
        return self._agents.get(name) if name else self.here

    def is_online(self, name: str) -> bool:
        """Whether the node is connected, and nobody marked it as offline."""
        return self.find_connected(name) is not None and self._home.nodes.find_offline_cause(name) is None

    def connect(self, name: str, node: Node) -> None:
        """Add a connected agent; it replaces one of the same name."""
        self._agents[name] = node
        self.notify()

    def disconnect(self, name: str, node: Node) -> None:
        """Remove an agent, unless another one has its name by now."""
        if self._agents.get(name) is node:
            del self._agents[name]
        self.notify()

    def suspend(self, name: str) -> None:
        """Let a node take no more builds."""
        self.suspended.add(name)

    def forget(self, name: str) -> None:
        """Forget a node that was deleted."""
        self.suspended.discard(name)
        self._agents.pop(name, None)
        self.notify()

    def cancel_bodies(self, name: str) -> None:
        """Cancel the blocks of Pipelines on a node that was deleted, unless it is back."""
        if self.find_connected(name) is None:
            for slot, cancel in list(self.bodies.items()):
                if slot.node == name:
                    cancel()

    def find_settings(self, name: str) -> NodeSettings:
        """The settings of a node; those of one that was removed since its build began are empty."""
        return self._home.configuration.find_node(name) or NodeSettings(name, "", frozenset(), 0, "/nonexistent", False)

    # Slots

    def explain_refusal(self, label: str) -> str:
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

    def explain_wait(self, label: str) -> str:
        """Why nothing with this label can begin now; empty when it can."""
        return self.explain_refusal(label) or ("" if self._find_free(label) else BUSY)

    def claim(self, label: str, build: Build) -> Slot | None:
        """Give a free slot to the build; None if there is none for it."""
        if self.explain_refusal(label) or self._quiet_mode.is_on:
            return None
        slot = self._find_free(label)
        if slot is not None:
            self._hold(slot, build)
        return slot

    def claim_on(self, name: str, build: Build) -> Slot | None:
        """Give a free slot of one node to a build that goes on there; None if there is none."""
        settings = self._home.configuration.find_node(name)
        if settings is None or not self.is_online(name):
            return None
        slot = next(iter(self._list_free(settings)), None)
        if slot is not None:
            if name in (kept := self._reserved.get(build, [])):
                kept.remove(name)
            self._hold(slot, build)
        return slot

    def _hold(self, slot: Slot, build: Build) -> None:
        self.busy[slot] = build
        for listener in self.claimed:
            listener(slot)

    def _find_free(self, label: str) -> Slot | None:
        for node in self._home.configuration.nodes:
            if not self.is_online(node.name) or node.name in self.suspended:
                continue
            if not (matches(label, node.labels) if label else not node.is_exclusive):
                continue
            if (slots := self._list_free(node)) and len(slots) > self._count_reserved(node.name):
                return slots[0]
        return None

    def _list_free(self, node: NodeSettings) -> list[Slot]:
        return [slot for slot in map(partial(Slot, node.name), range(node.executors)) if slot not in self.busy]

    def count_available(self, node: NodeSettings) -> int:
        """How many executors of a node a build can take now."""
        if node.name in self.suspended or not self.is_online(node.name):
            return 0
        return max(0, len(self._list_free(node)) - self._count_reserved(node.name))

    def keep_executors(self, build: Build, agents: Iterable[str]) -> None:
        """Keep executors of agents for a build that worked there before a restart, until it has them back or has ended."""
        self._reserved[build] = list(agents)

    def release_kept(self, build: Build) -> None:
        """Keep nothing for a build any more."""
        if self._reserved.pop(build, None):
            self.notify()

    def _count_reserved(self, name: str) -> int:
        return sum(agents.count(name) for agents in self._reserved.values())

    async def wait(self, label: str, build: Build, on_wait: Callable[[str], None], patience: float = 0.0) -> Slot:
        """Wait for a slot; `on_wait` gets the reason once, if the build must wait longer than `patience` seconds."""
        if (slot := self.claim(label, build)) is not None:
            return slot
        part = PartWaiting(self.numbers.take(), build, label, int(time.time() * 1000))
        self.waiting.append(part)
        notice = asyncio.get_running_loop().call_later(patience, lambda: on_wait(self.explain_part(part)))
        try:
            while (slot := self.claim(label, build)) is None:
                changed = self.changed
                await changed.wait()
        finally:
            notice.cancel()
            self.waiting.remove(part)
        return slot

    async def wait_on(self, name: str, build: Build, seconds: float) -> Slot:
        """Wait for a slot of one node, on which a build worked before a restart; TimeoutError if it does not come in time."""
        part = PartWaiting(self.numbers.take(), build, name, int(time.time() * 1000), name)
        self.waiting.append(part)
        try:
            async with asyncio.timeout(seconds):
                while (slot := self.claim_on(name, build)) is None:
                    changed = self.changed
                    await changed.wait()
        finally:
            self.waiting.remove(part)
        return slot

    def find_waiting(self, identifier: int) -> PartWaiting | None:
        """The waiting part with this number in the queue."""
        return next((part for part in self.waiting if part.identifier == identifier), None)

    def explain_part(self, part: PartWaiting) -> str:
        """Why a part of a Pipeline waits; where no node has its label, every node is named."""
        refusal = self.explain_refusal(part.label)
        if refusal.startswith("There are no nodes"):
            named = (node.shown_name for node in self._home.configuration.nodes)
            return "; ".join(f"‘{name}’ doesn’t have label ‘{part.label}’" for name in named)
        return refusal or (SHUTTING_DOWN if self._quiet_mode.is_on else BUSY)

    def release(self, slot: Slot) -> None:
        """Release a slot."""
        if self.busy.pop(slot, None) is not None:
            for listener in self.released:
                listener(slot)
        self.notify()

    def listen(self, listener: Callable[[], None]) -> None:
        """Add a function to call whenever a slot may be free."""
        self._listeners.append(listener)

    def notify(self) -> None:
        """Wake all who wait for a slot."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
        for listener in self._listeners:
            listener()
