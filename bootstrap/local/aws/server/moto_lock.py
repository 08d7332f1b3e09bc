"""The only lock under which moto works. A call waits for it for a limited time, and `/_bootstrap/health` shows what holds it.

Python cannot end a thread that hangs. So a call that never ends makes all others fail soon and in plain words, and the next
command of the toolkit starts the server again, which remembers everything that it has answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 60.0  # in which a call waits for the lock; clients read for as long before they give up
STUCK_SECONDS = 30.0  # after which a call counts as hung: the longest takes a second


class Busy(Exception):
    """The lock did not become free: another call has not ended."""


class MotoLock:
    """A lock that its holder may take again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holder: tuple[str, float] | None = None

    @contextmanager
    def held(self, what: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
        """Hold the lock for `what`; raises Busy where it does not become free."""
        if not self._lock.acquire(timeout=patience):
            raise Busy(f"{self.stuck(0.0) or 'another call'} has not ended in {patience:.0f} s")
        before = self._holder
        self._holder = before or (what, time.monotonic())
        try:
            yield
        finally:
            self._holder = before
            self._lock.release()

    def stuck(self, seconds: float = STUCK_SECONDS) -> str:
        """What has held the lock for longer than that; '' where nothing has."""
        holder = self._holder
        return holder[0] if holder and time.monotonic() - holder[1] > seconds else ""
