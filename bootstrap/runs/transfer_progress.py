"""Shows how far a transfer is: a bar with rate and remaining time on a terminal, else one line every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from bootstrap.runs.journal import Run
from bootstrap.values import Reporter

LINE_EVERY = 10.0  # seconds


class TransferMeter:
    """A context manager around one transfer of `total` bytes; `move_to` says how many of them are there.

    What was there before the transfer began is no part of the rate: `move_to` is first called with that.
    """

    def __init__(self, report: Reporter, title: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._title = title
        self._total = total
        self._clock = clock
        self._first: tuple[float, int] | None = None
        self._told = clock()
        self._bar: Callable[[int], None] | None = None
        self._shown = ExitStack()

    def __enter__(self) -> TransferMeter:
        self._report.progress(f"{self._title}: {_format_megabytes(self._total)} MB")
        console = self._report.terminal if isinstance(self._report, Run) else None
        if console is not None:
            from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

            numbers = DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
            progress = Progress("        {task.description}", BarColumn(), *numbers, console=console, transient=True)
            self._shown.enter_context(progress)
            task = progress.add_task(self._title, total=self._total)
            self._bar = lambda done: progress.update(task, completed=done)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.close()

    def move_to(self, done: int) -> None:
        """So many bytes are there."""
        now = self._clock()
        if self._first is None:
            self._first = now, done
        if self._bar is not None:
            self._bar(done)
        elif now - self._told >= LINE_EVERY:
            self._told = now
            line = f"{self._title}: {self._describe(done, now, *self._first)}"
            if isinstance(self._report, Run):
                self._report.transfer(line)
            else:
                self._report.progress(line)

    def _describe(self, done: int, now: float, begun: float, before: int) -> str:
        rate = (done - before) / (now - begun) if now > begun else 0.0
        text = f"{_format_megabytes(done)} of {_format_megabytes(self._total)} MB"
        if rate <= 0:
            return text
        return f"{text}, {rate / 1e6:.1f} MB/s, {(self._total - done) / rate:.0f} s left"


def _format_megabytes(count: int) -> str:
    return f"{count / 1e6:.1f}"
