"""Requests that change the same stack are answered one after the other, so that the checks of a request stay valid.

Otherwise two requests that create one stack, or execute one change set, at the same time would both find it free; and a
client's second attempt with the same token would not find the first one. A gate is locked while a request is answered, not
until the end of the operation that the request begins.
"""

from __future__ import annotations

import threading


class Gates:
    """One lock for each name of a stack in a region."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], threading.Lock] = {}

    def find(self, region: str, name: str) -> threading.Lock:
        """The lock for a name; the stack need not exist."""
        return self._locks.setdefault((region, name), threading.Lock())
