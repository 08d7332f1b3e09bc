"""The parts of a Jenkins that running builds use, besides its home."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..model.builds import Build
from ..model.configuration import NodeSettings
from ..model.home import Home
from ..model.inputs import Inputs
from ..model.job_configuration import JobConfiguration
from ..model.resources import Locks
from .audit import Audit
from .executors import Executors, QuietMode
from .queue import Queue


class Execution(Protocol):
    """A running build, Pipeline or freestyle, for the code that stops or suspends builds."""

    async def run(self) -> None:
        """Run to the end; the build has the result."""

    def stop(self, reason: str) -> None:
        """Abort the build; `reason` goes to the log."""

    @property
    def milestone(self) -> int:
        """The last milestone that the build passed; 0 before the first."""

    @property
    def can_resume(self) -> bool:
        """Whether the build can go on after a restart."""

    @property
    def is_suspended(self) -> bool:
        """Whether the build was suspended, to go on after a restart."""

    def suspend(self) -> None:
        """Suspend the build; only if it can be resumed."""


class Workspaces:
    """The workspaces on each node; each belongs to one build at a time."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lent: set[tuple[str, Path]] = set()
        self._nodes: dict[JobConfiguration, str] = {}  # where a job has worked last

    def find_root(self, node: NodeSettings) -> Path:
        """The folder of a node."""
        return Path(node.folder) if node.name else self._home

    def find_first(self, job: JobConfiguration, node: NodeSettings) -> Path:
        """A job's first workspace on a node."""
        return self.find_root(node) / "workspace" / job.workspace_name

    def find_last_node(self, job: JobConfiguration) -> str:
        """The name of the node on which a job has worked last."""
        return self._nodes.get(job, "")

    def lend(
        self, job: JobConfiguration, node: NodeSettings, stack: contextlib.ExitStack | contextlib.AsyncExitStack
    ) -> Path:
        """Allocate a workspace until the stack closes: '@2' and so on follow the first, as Jenkins names them."""
        first = self.find_first(job, node)
        number, path = 1, first
        while (node.name, path) in self._lent:
            number += 1
            path = first.with_name(f"{first.name}@{number}")
        self.lend_again(job, node, path, stack)
        return path

    def lend_again(
        self,
        job: JobConfiguration,
        node: NodeSettings,
        path: Path,
        stack: contextlib.ExitStack | contextlib.AsyncExitStack,
    ) -> None:
        """Allocate a certain workspace until the stack closes, such as the one that a build had before a restart."""
        self._lent.add((node.name, path))
        self._nodes[job] = node.name
        stack.callback(self._lent.discard, (node.name, path))


@dataclass(frozen=True)
class Services:
    """The services for Pipelines, their steps and freestyle builds; `running` has the running builds."""

    home: Home
    audit: Audit
    queue: Queue
    executors: Executors
    quiet_mode: QuietMode
    workspaces: Workspaces
    inputs: Inputs = field(default_factory=Inputs)
    locks: Locks = field(default_factory=Locks)
    running: dict[Build, Execution] = field(default_factory=dict)
