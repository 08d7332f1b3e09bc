"""Lockable resources: one build at a time holds each, in the order of their requests."""

from __future__ import annotations

import asyncio


class Locks:
    """The locks by the names of their resources; an undeclared resource is made at its first request, as in the plugin."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self.declared: list[str] = []

    def declare(self, names: list[str]) -> None:
        """Set the resources of the configuration."""
        self.declared = names

    def find_or_make(self, name: str) -> asyncio.Lock:
        """Find the lock of a resource, or make it."""
        return self._locks.setdefault(name, asyncio.Lock())

    def list_names(self) -> list[str]:
        """List the names of all known resources."""
        return sorted({*self.declared, *self._locks})
