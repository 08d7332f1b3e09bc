"""In whose name CloudFormation calls: the caller of its API, or the service role of the stack, also after a restart.

A caller is kept as what can be written down. None is the operator, or the cloud itself: nothing is refused to those.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Record = dict[str, Any]


class Acting:
    """Who acts in each thread, and for each operation."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._of_operations: dict[str, Record] = {}

    @contextmanager
    def in_name_of(self, caller: Record | None) -> Iterator[None]:
        """Let the calls of this thread be the caller's."""
        before = getattr(self._local, "caller", None)
        self._local.caller = caller
        try:
            yield
        finally:
            self._local.caller = before

    def note(self, operation: str, caller: Record) -> None:
        """Let the calls of an operation be the caller's; {} for the operator."""
        if caller:
            self._of_operations[operation] = caller

    def forget(self, operation: str) -> None:
        """The operation has ended."""
        self._of_operations.pop(operation, None)

    def find(self, step: str) -> Record | None:
        """Whose the calls of this thread are, within the `step` of an operation ('' outside of one)."""
        found: Record | None = getattr(self._local, "caller", None)
        return found or self._of_operations.get(step.partition("/")[0])
