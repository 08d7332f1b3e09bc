"""Limits how many Pipelines run at once.

In Jenkins the Pipelines share one process. Here each has a Java process, also while it waits for an executor; 20 waiting ones
took 82 MB each (measured with OpenJDK 17 on Linux). Without a limit a long queue of Pipelines could take all the memory.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator

from ..failures import NAME
from ..model.build_record import Cause
from ..model.builds import Build
from ..options import Arguments

PROPERTY = "jenkins.emulator.pipelines"  # -Djenkins.emulator.pipelines=N sets the limit
_MOST, _LEAST = 32, 4
_BYTES_EACH = 100 * 1024 * 1024
_SHARE = 3  # the Pipelines may take one third of the memory


def compute_limit(arguments: Arguments, memory: int | None = None) -> int:
    """How many Pipelines may run at once: as the property says, else by the `memory` of the machine in bytes."""
    given = arguments.properties.get(PROPERTY, "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    if memory is None:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(_MOST, max(_LEAST, memory // _SHARE // _BYTES_EACH))


class PipelineLimit:
    """Counts the Pipelines that run, and says which of the queued ones must wait.

    A build that a running Pipeline waits for is measured by the Pipelines that wait for no build: else Pipelines that wait
    for the builds they have started could keep these in the queue for ever.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: set[Build] = set()
        self._awaiting: Counter[Build] = Counter()

    def begin(self, build: Build) -> None:
        """Count a Pipeline that begins."""
        self._running.add(build)

    def end(self, build: Build) -> None:
        """Count a Pipeline no more; a freestyle build was not counted."""
        self._running.discard(build)

    @contextlib.contextmanager
    def await_build(self, build: Build) -> Iterator[None]:
        """Note that a Pipeline waits for a build that it has started."""
        self._awaiting[build] += 1
        try:
            yield
        finally:
            self._awaiting[build] -= 1
            if not self._awaiting[build]:
                del self._awaiting[build]

    def explain_wait(self, causes: Iterable[Cause]) -> str:
        """Why a queued Pipeline with these causes must wait; empty if it may begin."""
        awaiting = {(build.job.full_name, str(build.number)) for build in self._awaiting}
        is_awaited = any(
            (cause.values.get("upstreamProject"), cause.values.get("upstreamBuild")) in awaiting for cause in causes
        )
        running = len(self._running) - (len(self._awaiting) if is_awaited else 0)
        if running < self._most:
            return ""
        kind = "Pipeline" if self._most == 1 else "Pipelines"
        return f"{NAME} runs {self._most} {kind} at once, because each takes the memory of a Java process"
