"""The context of a Pipeline step: the tree of blocks with their environment, directory, node and interruptions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..failures import Interrupted
from .environment import override
from .executors import Slot
from .nodes import Node


@dataclass
class Verdict:
    """The effect of a block on the failure of its body: it may be handled, or replaced by another one."""

    is_handled: bool = False
    replacement: Interrupted | None = None


@dataclass(frozen=True)
class Allocation:
    """The result of the step `node`: an executor, the connected node, and a workspace."""

    slot: Slot
    node: Node
    workspace: Path


Leave = Callable[[dict[str, Any] | None], Verdict | None]


@dataclass(eq=False)
class Context:
    """One open block. `own_allocation` is None if the block allocated no node; `branch` names a parallel branch.

    `secrets` are the variables of its credentials whose values must not be seen.
    """

    identifier: str
    parent: Context | None
    name: str = ""
    layer: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None
    own_allocation: Allocation | None = None
    stage: dict[str, Any] | None = None
    has_stages: bool = False
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    begin: Callable[[], None] | None = None
    leave: Leave | None = None
    interruption: Interrupted | None = None
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def chain(self) -> list[Context]:
        """The blocks from the root to this one."""
        return [*(self.parent.chain if self.parent else []), self]

    def inherits_from(self, other: Context) -> bool:
        """Whether this is `other` or lies inside it."""
        return other in self.chain

    @property
    def here(self) -> Path | None:
        """The current directory; None outside a node."""
        return next((entry.directory for entry in reversed(self.chain) if entry.directory), None)

    @property
    def allocation(self) -> Allocation | None:
        """The allocation of the innermost block that has one."""
        return next((entry.own_allocation for entry in reversed(self.chain) if entry.own_allocation), None)

    @property
    def variables(self) -> dict[str, str]:
        """All layers over each other, 'PATH+X' resolved within them."""
        variables: dict[str, str] = {}
        for entry in self.chain:
            for name, value in entry.layer.items():
                variables[name] = value
        return variables

    def make_environment(self, base: dict[str, str]) -> dict[str, str]:
        """A process environment: the layers put over `base` one by one."""
        environment = dict(base)
        for entry in self.chain:
            for name, value in entry.layer.items():
                override(environment, name, value)
        return environment

    def take_interruption(self) -> Interrupted | None:
        """An interruption that arrived while nothing ran here; it strikes the next step, once."""
        for entry in self.chain:
            if entry.interruption:
                found, entry.interruption = entry.interruption, None
                return found
        return None
