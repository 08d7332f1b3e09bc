"""How a request, a configuration or a build step is refused, with Jenkins' own status codes."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """A request is refused with `status`; `is_failure` is Jenkins' `Failure`: 400 with the message in X-Error."""

    def __init__(self, status: int, message: str, *, is_failure: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.is_failure = is_failure


def failure(message: str) -> Refused:
    """What Jenkins raises for bad user input: status 400 and X-Error."""
    return Refused(400, message, is_failure=True)


class Forbidden(Refused):
    """The user lacks `permission` (such as 'Job/Build')."""

    def __init__(self, user: str, permission: str) -> None:
        super().__init__(403, f"{user} is missing the {permission} permission")
        self.permission = permission


@dataclass(frozen=True)
class Issue:
    """One fault of a Configuration as Code text; `line` counts from 1, -1 where there is none."""

    line: int
    message: str
    file: str = ""


class ConfigurationRefused(Exception):
    """Configuration as Code text is refused; nothing of it was applied."""

    def __init__(self, issues: list[Issue]) -> None:
        self.issues = issues
        super().__init__("\n".join(self.describe(issue) for issue in issues))

    @staticmethod
    def describe(issue: Issue) -> str:
        """One line: where, and what."""
        where = f"{issue.file or 'configuration'}" + (f", line {issue.line}" if issue.line > 0 else "")
        return f"{where}: {issue.message}"


class StepFailed(Exception):
    """A build step failed; `kind` is the Java class name that a Jenkinsfile would see."""

    def __init__(self, message: str, kind: str = "hudson.AbortException", result: str = "FAILURE") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.result = result


class Interrupted(StepFailed):
    """A build was stopped or ran into a timeout; `result` is what the build then shows."""

    def __init__(self, message: str = "", result: str = "ABORTED") -> None:
        super().__init__(message, "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException", result)
