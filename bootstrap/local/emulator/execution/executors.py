"""Quiet mode, and the executors of the built-in node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ..model.builds import Build
from ..model.home import Home
from .labels import matches

SHUTTING_DOWN = "Jenkins is about to shut down"


@dataclass
class QuietMode:
    """Whether nothing new begins; `reason` is None while it is off, and may be empty while it is on."""

    reason: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether builds and steps wait."""
        return self.reason is not None


class Executors:
    """The slots of the built-in node; a slot is free or holds a build."""

    def __init__(self, home: Home, quiet_mode: QuietMode) -> None:
        self._home, self._quiet_mode = home, quiet_mode
        self._listeners: list[Callable[[], None]] = []
        self.busy: dict[int, Build] = {}
        self.changed = asyncio.Event()

    def refusal(self, label: str) -> str:
        """Why nothing with this label can ever run here now; empty when it only has to wait for a free slot."""
        configuration = self._home.configuration
        try:
            is_right = matches(label, configuration.labels) if label else not configuration.is_exclusive
        except ValueError as fault:
            return str(fault)
        if not is_right:
            return (
                f"There are no nodes with the label ‘{label}’"
                if label
                else "‘Jenkins’ is reserved for jobs with matching label expression"
            )
        return ""

    def claim(self, label: str, build: Build) -> int | None:
        """The number of a slot that the build now holds; None when there is none for it."""
        if self.refusal(label) or self._quiet_mode.is_on:
            return None
        for number in range(self._home.configuration.executors):
            if number not in self.busy:
                self.busy[number] = build
                return number
        return None

    async def wait(self, label: str, build: Build, on_wait: Callable[[str], None]) -> int:
        """Hold a slot, however long it takes; `on_wait` hears once why it takes long."""
        is_told = False
        while (number := self.claim(label, build)) is None:
            if not is_told:
                is_quiet = self._quiet_mode.is_on
                on_wait(self.refusal(label) or (SHUTTING_DOWN if is_quiet else "Waiting for next available executor"))
                is_told = True
            changed = self.changed
            await changed.wait()
        return number

    def release(self, number: int) -> None:
        """Give a slot back."""
        self.busy.pop(number, None)
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
