"""The register of Pipeline steps and of symbols that are no steps: the modules of `steps` fill it, `Pipeline` reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..failures import StepFailed
from .contexts import Context
from .engine import Engine

Function = Callable[["Step"], Awaitable[Any]]


@dataclass(frozen=True)
class Definition:
    """A step: its function, its main argument, its plugin, and whether it has a body."""

    work: Function
    main: str
    plugin: str
    is_block: bool


@dataclass
class Step:
    """One call of a step. For a block `context` is the new inner one; `since` is when it began, for one that is resumed."""

    engine: Engine
    context: Context
    name: str
    arguments: dict[str, Any]
    since: float | None = None

    def text(self, name: str, default: str = "") -> str:
        """An argument as text."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        """An argument as a truth value."""
        return str(self.arguments.get(name, "false")).lower() == "true"

    def need(self, name: str) -> str:
        """An argument that must be there."""
        if self.arguments.get(name) is None:
            raise StepFailed(f'Missing required parameter: "{name}"', "java.lang.IllegalArgumentException")
        return str(self.arguments[name])

    def only(self, *known: str) -> None:
        """Refuse arguments that the step does not know, as Jenkins refuses them."""
        unknown = [name for name in self.arguments if name not in known]
        if unknown:
            raise StepFailed(
                f"Unknown parameter(s) found for class type '{self.name}': {','.join(unknown)}",
                "java.lang.IllegalArgumentException",
            )

    def say(self, text: str) -> None:
        """Write one line to the console."""
        self.engine.console.line(text)


STEPS: dict[str, Definition] = {}


def step(name: str, *, main: str = "value", plugin: str = "", is_block: bool = False) -> Callable[[Function], Function]:
    """Register a step; names that begin with '_' are requests of the engine."""

    def register(work: Function) -> Function:
        STEPS[name] = Definition(work, main, plugin, is_block)
        return work

    return register


SYMBOLS = {
    "booleanParam": "",
    "choice": "",
    "password": "",
    "string": "",
    "text": "",
    "cron": "",
    "pollSCM": "",
    "upstream": "",
    "logRotator": "",
    "buildDiscarder": "",
    "disableConcurrentBuilds": "",
    "disableResume": "",
    "parameters": "",
    "pipelineTriggers": "",
    "usernamePassword": "credentials-binding",
    "usernameColonPassword": "credentials-binding",
    "file": "credentials-binding",
    "sshUserPrivateKey": "credentials-binding",
    "scmGit": "git",
    "cleanBeforeCheckout": "git",
    "cloneOption": "git",
    "developers": "email-ext",
    "requestor": "email-ext",
    "culprits": "email-ext",
    "contributor": "email-ext",
    "artifactArchiver": "",
    "aws": "aws-credentials",
}
