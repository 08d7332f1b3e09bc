"""Refusals of requests, configurations and build steps, with Jenkins' own status codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NAME = "the emulator"  # what is not modelled is refused in this name, with status 501


class Refused(Exception):
    """A request is refused with `status`; `is_failure` is Jenkins' `Failure`: 400 with the message in X-Error.

    `is_bare` is a refusal that the web server itself words: its plain page, and none of Jenkins' headers.
    """

    def __init__(self, status: int, message: str, *, is_failure: bool = False, is_bare: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.is_failure = is_failure
        self.is_bare = is_bare


def make_failure(message: str) -> Refused:
    """The refusal of bad user input, as in Jenkins: status 400 and X-Error."""
    return Refused(400, message, is_failure=True)


class Forbidden(Refused):
    """The user lacks `permission` (such as 'Job/Build')."""

    def __init__(self, user: str, permission: str) -> None:
        super().__init__(403, f"{user} is missing the {permission} permission")
        self.permission = permission


class ForbiddenAll(Refused):
    """The user lacks every one of several permissions, each of which would be enough."""

    def __init__(self, user: str, permissions: tuple[str, ...]) -> None:
        super().__init__(403, f"{user} is missing a permission, one of {', '.join(permissions)} is required")


@dataclass(frozen=True)
class Issue:
    """One fault of a Configuration as Code text; `line` counts from 1, -1 where there is none.

    `cause` is an exception that only the journal tells. `kind` is the Java class of the fault, and `words` is its whole
    message in Jenkins' words. The page of a refused reload shows `page` and `owner`, and `unknown` and `available` of an
    unknown attribute.
    """

    line: int
    message: str
    file: str = ""
    cause: str = ""
    kind: str = "io.jenkins.plugins.casc.ConfiguratorException"
    words: str = ""
    owner: str = ""
    page: str = ""
    unknown: str = ""
    available: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The message of Jenkins."""
        return self.words or self.message


class ConfigurationRefused(Exception):
    """Configuration as Code text is refused; nothing of it was applied. `is_syntax`: it is no YAML at all."""

    def __init__(self, issues: list[Issue], *, is_syntax: bool = False) -> None:
        self.issues = issues
        self.is_syntax = is_syntax
        super().__init__("\n".join(self.describe(issue) for issue in issues))

    @staticmethod
    def describe(issue: Issue) -> str:
        """One line: the position and the message."""
        where = f"{issue.file or 'configuration'}" + (f", line {issue.line}" if issue.line > 0 else "")
        return f"{where}: {issue.message}"


class StepFailed(Exception):
    """A build step failed; `kind` is the Java class name that a Jenkinsfile would see.

    `causes` are the exceptions behind it, each as class and message, the innermost first.
    """

    def __init__(
        self,
        message: str | None,
        kind: str = "hudson.AbortException",
        result: str = "FAILURE",
        causes: Sequence[tuple[str, str | None]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.result = result
        self.causes = tuple(causes)

    def describe(self) -> dict[str, Any]:
        """The description of the failure for the Groovy side."""
        causes = [{"kind": kind, "message": message} for kind, message in self.causes]
        return {"kind": self.kind, "message": self.message, "result": self.result, "causes": causes}


class Interrupted(StepFailed):
    """A build was stopped or ran into a timeout; `result` is what the build then shows.

    `is_actual` is false where a step has ended by itself what it interrupted: `retry` tries such a step again. `is_of_agent`:
    the agent was lost, which the condition `agent()` of `retry` accepts.
    """

    def __init__(
        self, message: str = "", result: str = "ABORTED", *, is_actual: bool = True, is_of_agent: bool = False
    ) -> None:
        super().__init__(message, "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException", result)
        self.is_actual, self.is_of_agent = is_actual, is_of_agent

    def describe(self) -> dict[str, Any]:
        """The description of the interruption for the Groovy side."""
        return {**super().describe(), "isActual": self.is_actual, "isOfAgent": self.is_of_agent}
