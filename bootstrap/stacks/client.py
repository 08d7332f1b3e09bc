"""The part of boto3's CloudFormation client that the stack act uses, and pages of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol


class CloudFormation(Protocol):
    """Keyword arguments in, dictionaries out, as the service documents them."""

    def describe_stacks(self, **request: Any) -> Any:
        """Status, outputs and tags of a stack."""

    def list_stacks(self, **request: Any) -> Any:
        """Name and status of every stack, also of deleted ones."""

    def describe_stack_events(self, **request: Any) -> Any:
        """A stack's events, newest first."""

    def get_template(self, **request: Any) -> Any:
        """The template of a stack."""

    def create_change_set(self, **request: Any) -> Any:
        """Begin to compute what a template would change."""

    def describe_change_set(self, **request: Any) -> Any:
        """Status and changes of a change set."""

    def execute_change_set(self, **request: Any) -> Any:
        """Begin to execute a change set."""

    def delete_change_set(self, **request: Any) -> Any:
        """Delete a change set."""

    def continue_update_rollback(self, **request: Any) -> Any:
        """Continue a rollback that failed."""

    def rollback_stack(self, **request: Any) -> Any:
        """Roll back an update that failed and was not rolled back."""

    def delete_stack(self, **request: Any) -> Any:
        """Begin to delete a stack."""

    def update_termination_protection(self, **request: Any) -> Any:
        """Switch the termination protection of a stack on or off."""


def list_pages(call: Callable[..., Any], **request: Any) -> Iterator[dict[str, Any]]:
    """The answers of a call, one for each page."""
    token: str | None = None
    while True:
        answer = call(**request, **({"NextToken": token} if token else {}))
        yield answer
        token = answer.get("NextToken")
        if not token:
            return
