"""Requests that change a stack wait for each other, by the stack's name: what one has looked at still holds when it begins.

Two that create one stack, or execute one change set, at the same moment would both find it free; a client's second try with the
same token would not find the first. A gate is held while a request is answered, not while the operation lasts that it begins.
"""

from __future__ import annotations

import threading


class Gates:
    """One lock for each name of a stack in a region."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], threading.Lock] = {}

    def of(self, region: str, name: str) -> threading.Lock:
        """The lock of a name; there need not be a stack of it."""
        return self._locks.setdefault((region, name), threading.Lock())
