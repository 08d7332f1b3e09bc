"""The register of Pipeline steps and of symbols that are no steps: the modules of `steps` fill it, `Pipeline` reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..failures import StepFailed
from .contexts import Context
from .engine import Engine

Function = Callable[["Step"], Awaitable[Any]]
TEXT, NUMBER = "class java.lang.String", "int"
REFLECTED = ("java.lang.reflect.InvocationTargetException", None)
_JAVA = {bool: "Boolean", int: "Integer", float: "BigDecimal", str: "String"}


@dataclass(frozen=True)
class Definition:
    """A step: its function, its main argument, its plugin, and whether it has a body.

    `java` is the class of the step, and `kinds` are the types of arguments that it does not convert.
    """

    work: Function
    main: str
    plugin: str
    is_block: bool
    java: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Step:
    """One call of a step. For a block `context` is the new inner one; `since` is when it began, for one that is resumed.

    `note` is what was recorded with its request, and, for a block that is entered again, what it held.
    """

    engine: Engine
    context: Context
    name: str
    arguments: dict[str, Any]
    since: float | None = None
    note: Mapping[str, Any] = field(default_factory=dict)

    def read_text(self, name: str, default: str = "") -> str:
        """An argument as text."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def read_flag(self, name: str) -> bool:
        """An argument as a truth value."""
        return str(self.arguments.get(name, "false")).lower() == "true"

    def require(self, name: str) -> str:
        """An argument that must be there."""
        if self.arguments.get(name) is None:
            if STEPS[self.name].java:
                raise self.refuse_arguments([("java.lang.IllegalArgumentException", None), REFLECTED])
            raise StepFailed(f'Missing required parameter: "{name}"', "java.lang.IllegalArgumentException")
        return str(self.arguments[name])

    def refuse_arguments(self, causes: list[tuple[str, str | None]]) -> StepFailed:
        """The failure of a step that cannot be made of its arguments."""
        detail = f": {causes[-1][0]}" if causes[-1] == REFLECTED else ""
        given = f"{render_java(self.arguments)} for {STEPS[self.name].java}{detail}"
        return StepFailed(f"Could not instantiate {given}", "java.lang.IllegalArgumentException", causes=causes)

    def check_kinds(self) -> None:
        """Refuse arguments of other types than the step takes, and others than its only text."""
        definition = STEPS[self.name]
        if definition.kinds == {definition.main: TEXT} and self.arguments and definition.main not in self.arguments:
            raise self.refuse_arguments([("java.lang.IllegalArgumentException", None), REFLECTED])
        for name, kind in definition.kinds.items():
            value = self.arguments.get(name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is None or (isinstance(value, str) if kind == TEXT else is_number):
                continue
            words = f"{definition.java}.{name} expects {kind} but received class {_find_java_class(value)}"
            raise self.refuse_arguments([("java.lang.ClassCastException", words)])

    def refuse_unknown(self, *known: str) -> None:
        """Refuse arguments that the step does not know, as Jenkins refuses them."""
        unknown = [name for name in self.arguments if name not in known]
        if unknown:
            raise StepFailed(
                f"Unknown parameter(s) found for class type '{self.name}': {','.join(unknown)}",
                "java.lang.IllegalArgumentException",
            )

    def say(self, text: str = "") -> None:
        """Write one line to the console."""
        self.engine.console.write_line(text)


STEPS: dict[str, Definition] = {}


def render_java(value: object) -> str:
    """A value as Java's own collections write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={render_java(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(render_java(entry) for entry in value) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _find_java_class(value: object) -> str:
    if isinstance(value, list | dict):
        return "java.util.ArrayList" if isinstance(value, list) else "java.util.LinkedHashMap"
    name = _JAVA.get(type(value), "Object")
    return f"java.math.{name}" if name == "BigDecimal" else f"java.lang.{name}"


def register_step(
    name: str,
    *,
    main: str = "value",
    plugin: str = "",
    is_block: bool = False,
    java: str = "",
    kinds: Mapping[str, str] | None = None,
) -> Callable[[Function], Function]:
    """Register a step; names that begin with '_' are requests of the engine."""

    def register(work: Function) -> Function:
        STEPS[name] = Definition(work, main, plugin, is_block, java, kinds or {})
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
    "durabilityHint": "workflow-job",
    "overrideIndexTriggers": "branch-api",
    "preserveStashes": "pipeline-model-definition",
    "rateLimitBuilds": "branch-api",
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
    "agent": "workflow-durable-task-step",
    "nonresumable": "workflow-basic-steps",
}
