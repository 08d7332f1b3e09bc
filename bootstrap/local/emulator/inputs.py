"""Inputs that Pipelines wait for, and who answered them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .builds import Build


@dataclass(eq=False)
class PendingInput:
    """One question; `answer` gets (user, values), or None for an abort by `refused_by`."""

    build: Build
    identifier: str
    message: str
    proceed: str
    parameters: list[dict[str, Any]]
    submitters: set[str]
    answer: asyncio.Future[dict[str, Any] | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    answered_by: str = ""


class Inputs:
    """All questions that are open now."""

    def __init__(self) -> None:
        self._pending: list[PendingInput] = []

    def ask(self, question: PendingInput) -> None:
        """Open a question."""
        self._pending.append(question)

    def close(self, question: PendingInput) -> None:
        """The question is answered, or its build ended."""
        self._pending.remove(question)

    def of(self, build: Build) -> list[PendingInput]:
        """The open questions of a build."""
        return [question for question in self._pending if question.build is build]

    def find(self, build: Build, identifier: str) -> PendingInput | None:
        """By id; Jenkins writes it with a capital first letter in URLs, so case does not count."""
        return next(
            (question for question in self.of(build) if question.identifier.lower() == identifier.lower()), None
        )
