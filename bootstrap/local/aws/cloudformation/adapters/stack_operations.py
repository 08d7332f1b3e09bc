"""The interface of the engine for adapters: stacks, signals and operations on nested stacks."""

from __future__ import annotations

from typing import Any, Protocol

from bootstrap.local.aws.cloudformation.store import ChangeSet, Stack, Store, Wanted
from bootstrap.local.aws.server.signals import Signals


class StackOperations(Protocol):
    """The part of the engine that adapters use. Every method that begins an operation raises Refused."""

    @property
    def store(self) -> Store:
        """Return the store of all stacks."""

    @property
    def signals(self) -> Signals:
        """Return the signals of wait conditions."""

    @property
    def is_closing(self) -> bool:
        """Return whether the server is stopping: a step that waits then raises Interrupted."""

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
        """Check and return the desired state of a nested stack, which its parent's resource describes; raises Refused."""

    def make_stack(self, name: str, region: str, wanted: Wanted, status: str, **more: Any) -> Stack:
        """Return a new stack without resources, which is not stored yet."""

    def differs(self, stack: Stack, wanted: Wanted) -> bool:
        """Return whether an update to `wanted` would change anything."""

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
        """Start the failed rollback of an update again, without the resources in `skip`."""

    def roll_back(self, stack: Stack, token: str = "", led_by: str = "") -> None:
        """Begin to roll back a creation or update that failed without a rollback."""

    def release(self, stack: Stack, *, is_rollback: bool = False) -> None:
        """Continue a nested stack that waits for its parent: clean up after the update, or roll back."""

    def wait(self, stack: Stack, seconds: float = 3600.0) -> None:
        """Wait until the stack's operation has ended or waits for its parent; `seconds` at most."""
