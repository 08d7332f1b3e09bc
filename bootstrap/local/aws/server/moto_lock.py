"""The lock that a call holds while moto works on it. A call waits for it only a limited time.

Python cannot end a thread that hangs. So if one call never ends, the others fail soon with an error that names it, and
`/_bootstrap/health` names it too. Then the next command of the toolkit starts the server again. The new server has everything
that the old one confirmed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 60.0  # how long a call waits for the lock; clients wait as long for an answer
STUCK_SECONDS = 30.0  # a call that takes longer counts as hung; no normal call takes more than a second


class Busy(Exception):
    """The lock did not become free in time, because another call has not ended."""


class MotoLock:
    """A lock that the thread that holds it may take again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holder: tuple[str, float] | None = None

    @contextmanager
    def hold(self, call: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
        """Hold the lock for `call`, a text for messages; raises Busy after `patience` seconds."""
        if not self._lock.acquire(timeout=patience):
            raise Busy(f"{self.find_hung_call(0.0) or 'another call'} has not ended in {patience:.0f} s")
        before = self._holder
        self._holder = before or (call, time.monotonic())
        try:
            yield
        finally:
            self._holder = before
            self._lock.release()

    def find_hung_call(self, seconds: float = STUCK_SECONDS) -> str:
        """The call that has held the lock for more than `seconds`; '' if there is none."""
        holder = self._holder
        return holder[0] if holder and time.monotonic() - holder[1] > seconds else ""
