"""Keeps whose permissions CloudFormation uses for its calls: those of its caller, or of the stack's service role.

A caller is a record that can be written to disk, so that an operation has the same caller after a restart. No caller means the
operator or the local cloud itself: to those, nothing is refused.
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
    """Who acts in a step: the caller's record, the stack's tags, and the ids of the resources that this step created.

    EC2 sets tags when it creates a resource. The engine sets them in the next call. Until then, the resource counts as if it
    had the stack's tags.
    """

    caller: Record
    tags: Record = field(default_factory=dict)
    created: frozenset[str] = frozenset()


class Callers:
    """The caller of each thread and of each operation of a stack."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._of_operations: dict[str, Actor] = {}

    @contextmanager
    def use_caller(self, caller: Record | None) -> Iterator[None]:
        """Within the context, make this thread's calls with the caller's permissions; None is the operator."""
        before = getattr(self._local, "caller", None)
        self._local.caller = caller
        try:
            yield
        finally:
            self._local.caller = before

    @contextmanager
    def use_service(self) -> Iterator[None]:
        """Within the context, make this thread's calls as a service of AWS, whoever the caller is."""
        self._local.is_service = True
        try:
            yield
        finally:
            self._local.is_service = False

    def set_caller_of_operation(self, operation: str, caller: Record, tags: Record) -> None:
        """Set the caller of an operation on a stack with these tags; {} is the operator."""
        if caller:
            self._of_operations[operation] = Actor(caller, tags)

    def find(self, step: str) -> Actor | None:
        """Who makes this thread's calls in the `step` of an operation ('' outside of one); None if nothing is refused."""
        if getattr(self._local, "is_service", False):
            return None
        actor = self._of_operations.get(step.partition("/")[0])
        if actor is not None:
            return Actor(actor.caller, actor.tags, self._find_created(step))
        caller: Record | None = getattr(self._local, "caller", None)
        return Actor(caller) if caller else None

    def add_created(self, step: str, ids: Iterable[str]) -> None:
        """Add the ids of resources that this step created."""
        self._local.created = step, self._find_created(step) | frozenset(ids)

    def _find_created(self, step: str) -> frozenset[str]:
        owner, ids = getattr(self._local, "created", ("", frozenset()))
        return ids if owner == step else frozenset()
