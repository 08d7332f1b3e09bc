"""In whose name CloudFormation calls: the caller of its API, or the service role of the stack, also after a restart.

A caller is kept as what can be written down. None is the operator, or the cloud itself: nothing is refused to those.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Actor:
    """Who acts in a step: the caller's record, the stack's tags, and the ids of what this step has made itself.

    EC2 tags a thing while it makes it. The engine does so just behind; until then the thing is taken as tagged by its stack.
    """

    who: Record
    tags: Record = field(default_factory=dict)
    made: frozenset[str] = frozenset()


class Acting:
    """Who acts in each thread, and for each operation."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._of_operations: dict[str, Actor] = {}

    @contextmanager
    def in_name_of(self, caller: Record | None) -> Iterator[None]:
        """Let the calls of this thread be the caller's."""
        before = getattr(self._local, "caller", None)
        self._local.caller = caller
        try:
            yield
        finally:
            self._local.caller = before

    @contextmanager
    def nobody(self) -> Iterator[None]:
        """Let the calls of this thread be a service's own, whoever acts."""
        self._local.is_nobody = True
        try:
            yield
        finally:
            self._local.is_nobody = False

    def note(self, operation: str, caller: Record, tags: Record) -> None:
        """Let the calls of an operation on a stack with these tags be the caller's; {} for the operator."""
        if caller:
            self._of_operations[operation] = Actor(caller, tags)

    def find(self, step: str) -> Actor | None:
        """Whose the calls of this thread are, within the `step` of an operation ('' outside of one)."""
        if getattr(self._local, "is_nobody", False):
            return None
        noted = self._of_operations.get(step.partition("/")[0])
        if noted is not None:
            return Actor(noted.who, noted.tags, self._made(step))
        caller: Record | None = getattr(self._local, "caller", None)
        return Actor(caller) if caller else None

    def add_made(self, step: str, ids: Iterable[str]) -> None:
        """Note what this step has made."""
        self._local.made = step, self._made(step) | frozenset(ids)

    def _made(self, step: str) -> frozenset[str]:
        of, ids = getattr(self._local, "made", ("", frozenset()))
        return ids if of == step else frozenset()
