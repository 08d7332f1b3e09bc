"""Lockable resources: one holder at a time, first come first served."""

from __future__ import annotations

import asyncio


class Locks:
    """Named locks; one that nobody declared is made when it is first asked for, as the plugin does."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self.declared: list[str] = []

    def declare(self, names: list[str]) -> None:
        """The resources of the configuration."""
        self.declared = names

    def of(self, name: str) -> asyncio.Lock:
        """The lock of a resource."""
        return self._locks.setdefault(name, asyncio.Lock())

    def names(self) -> list[str]:
        """All known resources."""
        return sorted({*self.declared, *self._locks})
