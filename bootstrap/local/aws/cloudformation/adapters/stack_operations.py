"""What adapters ask of the engine: the stacks, the signals, and operations on nested stacks. The engine provides it."""

from __future__ import annotations

from typing import Any, Protocol

from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Store, Wanted
from bootstrap.local.aws.server.signals import Signals


class StackOperations(Protocol):
    """The part of the engine that adapters use. Every method that begins an operation raises Refused."""

    @property
    def store(self) -> Store:
        """All stacks."""

    @property
    def signals(self) -> Signals:
        """The signals of wait conditions."""

    @property
    def is_closing(self) -> bool:
        """Whether the server stops: a step that waits raises Interrupted."""

    def settle_nested(
        self,
        parent: Stack,
        granted: list[str],
        properties: dict[str, Any],
        tags: dict[str, str],
        *,
        child: Stack | None = None,
        text: str = "",
    ) -> Wanted:
        """Check and return what the parent's resource asks of its nested stack; raises Refused."""

    def new_stack(self, name: str, region: str, wanted: Wanted, status: str, **more: Any) -> Stack:
        """Return a stack without resources, which is not kept yet."""

    def differs(self, stack: Stack, wanted: Wanted) -> bool:
        """Whether an update to `wanted` would change anything."""

    def create(
        self,
        stack: Stack,
        *,
        on_failure: str = "ROLLBACK",
        token: str = "",
        retain_except_on_create: bool = False,
        change_set: ChangeSet | None = None,
    ) -> None:
        """Begin to create the stack's resources."""

    def update(
        self,
        stack: Stack,
        wanted: Wanted,
        *,
        disable_rollback: bool = False,
        token: str = "",
        policy: str = "",
        retain_except_on_create: bool = False,
        change_set: ChangeSet | None = None,
        led_by: str = "",
    ) -> None:
        """Begin to update the stack; `led_by` is the parent's operation."""

    def delete(self, stack: Stack, retain: list[str], token: str = "", led_by: str = "") -> None:
        """Begin to delete the stack."""

    def continue_rollback(self, stack: Stack, skip: list[str], token: str = "", led_by: str = "") -> None:
        """Begin the failed rollback of an update again."""

    def roll_back(self, stack: Stack, token: str = "", led_by: str = "") -> None:
        """Begin to roll back a creation or update that failed without a rollback."""

    def release(self, stack: Stack, *, is_rollback: bool = False) -> None:
        """Let a nested stack that waits for its parent clean up, or roll back."""

    def wait(self, stack: Stack, seconds: float = 3600.0) -> None:
        """Wait until the stack's operation has ended, or waits for its parent's."""
