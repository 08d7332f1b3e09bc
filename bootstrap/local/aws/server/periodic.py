"""Does the work of the server that depends on the time: one thread calls each task twice a second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5


class Periodic:
    """A thread that calls `tasks` in turn; a task that raises is logged, and called again the next time."""

    def __init__(self, tasks: Sequence[Callable[[], None]]) -> None:
        self._tasks = tuple(tasks)
        self._closed = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="periodic", daemon=True).start()

    def close(self) -> None:
        """Stop the thread after the task that it does now."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(PAUSE_SECONDS):
            for task in self._tasks:
                try:
                    task()
                except Exception:  # the thread must go on, or later work would wait for ever
                    log.exception("periodic work failed")
