"""Holds the inputs that Pipelines wait for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from .builds import Build


@dataclass(eq=False)
class PendingInput:
    """One input; `answer` gets the values by name, or None if a user refused it; `answered_by` is that user.

    `submitter` is the argument of the step: users and groups, separated by commas. If it is empty, every user who may build may
    answer.
    """

    build: Build
    identifier: str
    message: str
    proceed: str
    abort: str
    parameters: list[dict[str, Any]]
    submitter: str
    answer: asyncio.Future[dict[str, Any] | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    answered_by: str = ""

    @property
    def submitters(self) -> frozenset[str]:
        """The names of users and groups who may answer besides administrators, in lower case: Jenkins ignores the case."""
        return frozenset(part.strip().lower() for part in self.submitter.split(","))

    def settle(self, user: str, values: dict[str, Any] | None) -> None:
        """Set the answer; a second answer has no effect."""
        if not self.answer.done():
            self.answered_by = user
            self.answer.set_result(values)


class Inputs:
    """All inputs that wait for an answer."""

    def __init__(self) -> None:
        self._pending: list[PendingInput] = []

    def ask(self, question: PendingInput) -> None:
        """Add an input."""
        self._pending.append(question)

    def close(self, question: PendingInput) -> None:
        """Remove an input that was answered, or whose build ended."""
        self._pending.remove(question)

    def list_open(self, build: Build) -> list[PendingInput]:
        """List the inputs for which a build waits."""
        return [question for question in self._pending if question.build is build]

    def find(self, build: Build, identifier: str) -> PendingInput | None:
        """Find an input by its id, whose case counts; None if there is none."""
        return next((question for question in self.list_open(build) if question.identifier == identifier), None)
