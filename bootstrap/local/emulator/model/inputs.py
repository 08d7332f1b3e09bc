"""Inputs that Pipelines wait for, and who answered them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from .builds import Build


@dataclass(eq=False)
class PendingInput:
    """One question; `answer` gets the values by name, or None where it was refused; by whom is in `answered_by`.

    `submitter` is what the step says: users and groups, separated by commas; empty for whoever may build.
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
        """Who may answer beside administrators; names count in any case, as those of Jenkins' own users do."""
        return frozenset(part.strip().lower() for part in self.submitter.split(","))

    def settle(self, user: str, values: dict[str, Any] | None) -> None:
        """Set the answer; a second one has no effect."""
        if not self.answer.done():
            self.answered_by = user
            self.answer.set_result(values)


class Inputs:
    """All questions that are open now."""

    def __init__(self) -> None:
        self._pending: list[PendingInput] = []

    def ask(self, question: PendingInput) -> None:
        """Open a question."""
        self._pending.append(question)

    def close(self, question: PendingInput) -> None:
        """Close a question that was answered, or whose build ended."""
        self._pending.remove(question)

    def of(self, build: Build) -> list[PendingInput]:
        """The open questions of a build."""
        return [question for question in self._pending if question.build is build]

    def find(self, build: Build, identifier: str) -> PendingInput | None:
        """By id, to the letter."""
        return next((question for question in self.of(build) if question.identifier == identifier), None)
