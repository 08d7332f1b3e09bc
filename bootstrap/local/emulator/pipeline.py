"""Pipeline builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .builds import Build
from .console import Console

if TYPE_CHECKING:
    from .controller import Controller


class Pipeline:
    """One run of a Pipeline job."""

    def __init__(self, controller: Controller, build: Build, console: Console) -> None:
        self._controller, self._build, self._console = controller, build, console

    def stop(self, reason: str) -> None:
        """Abort the build."""
        self._console.line(reason)

    async def run(self) -> None:
        """Refuse: this version runs freestyle builds alone."""
        self._console.line("ERROR: Pipeline builds cannot be run")
        self._build.worsen("FAILURE")
