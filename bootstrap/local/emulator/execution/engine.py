"""The services of one Pipeline build for its steps: variables, console, stages, blocks and interruptions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..failures import Interrupted
from ..model import console_notes
from ..model.builds import Build
from . import failure_report
from .console import Console
from .contexts import Context, Verdict
from .environment import make_build_variables, make_process_environment
from .git import find_repository
from .services import Services


class Engine:
    """The build for its steps; `Pipeline`, which runs the program and calls the steps, is a subclass."""

    def __init__(self, services: Services, build: Build, console: Console) -> None:
        self.services, self.home, self.build, self.console = services, services.home, build, console
        self.variables = make_build_variables(services.home, build)
        self.repository = find_repository(build.job)
        self.milestone, self.is_stopped, self.has_begun = 0, False, False
        self.is_suspended = False
        self.root = Context("root", None)
        self.contexts = {"root": self.root}

    def make_environment(self, context: Context) -> dict[str, str]:
        """The variables of `env`: those of the build, then those of the blocks; PATH and others come from the node."""
        base = self._make_node_environment(context) if context.allocation else {}
        return context.make_environment({**base, **self.variables})

    def make_process_environment(self, context: Context) -> dict[str, str]:
        """The environment of a process that a step starts."""
        return context.make_environment(make_process_environment(self._make_node_environment(context), self.variables))

    def _make_node_environment(self, context: Context) -> dict[str, str]:
        """The environment of the node's programs, with the variables that the settings give to builds on it."""
        held, executors = context.allocation, self.services.executors
        return (
            {**held.node.environment, **executors.find_settings(held.slot.node).variables}
            if held
            else executors.here.environment
        )

    def make_parameters(self) -> dict[str, Any]:
        """`params`: the build's values, and defaults for what is declared and was not given."""
        values: dict[str, Any] = {
            entry.name: _convert_value(entry.kind, entry.default) for entry in self.build.job.parameters
        }
        values.update({entry.name: _convert_value(entry.kind, entry.value) for entry in self.build.parameters})
        # A parameter that the Jenkinsfile declares now becomes a variable of the next build.
        self.variables.update({entry.name: entry.value for entry in self.build.parameters})
        # Jenkins masks no parameter in the log; it only warns where Groovy puts one into a text.
        self.root.secrets.update({entry.name: entry.value for entry in self.build.parameters if entry.is_secret})
        return values

    def make_writer(self, context: Context) -> Callable[[str], None]:
        """The function that takes the output of a process."""
        return self.console.write

    def report(self, error: dict[str, Any]) -> None:
        """Show a failure as Jenkins shows it; one that the user caused shows only its mark."""
        shown = failure_report.describe(error)
        is_stop = self.is_stopped and error["kind"] == failure_report.INTERRUPTION
        for line in shown[-1:] if is_stop else shown:
            self.console.write_line(line)

    def warn_of_secrets(self, context: Context, step: str, texts: list[str]) -> None:
        """Warn where Groovy has put secrets of the blocks around a step into texts that the step gets."""
        secrets = {name: value for entry in context.chain for name, value in entry.secrets.items() if value}
        affected = [name for name, value in secrets.items() if any(value in text for text in texts)]
        if affected:
            self.console.write_line(
                f'Warning: A secret was passed to "{step}" using Groovy String interpolation, which is insecure.\n'
                f"\t\t Affected argument(s) used the following variable(s): [{', '.join(affected)}]\n"
                "\t\t See https://jenkins.io/redirect/groovy-string-interpolation for details."
            )

    def mark(self, line: str) -> None:
        """Write a line of the kind `[Pipeline] ...`; an empty one is none."""
        if line:
            self.console.write_annotated(line, console_notes.PIPELINE)

    def begin_body(self, context: Context, line: str) -> None:
        """Write the line with which the body of a block begins, and what the block writes after it."""
        self.mark(line)
        if context.begin:
            context.begin()

    def open_stage(self, context: Context) -> None:
        """Record the start of a stage."""
        context.stage = {
            "name": context.name,
            "status": "IN_PROGRESS",
            "startTimeMillis": int(time.time() * 1000),
            "durationMillis": 0,
        }
        self.build.stages.append(context.stage)
        for outer in context.chain[:-1]:
            outer.has_stages = True

    def open_plain_stage(self, name: str) -> None:
        """Record a stage without a body: it ends where the next one begins, or with the build."""
        before, self.root.name = self.root.stage, name
        if before:
            self.close_stage(self.root, None)
        self.open_stage(self.root)

    def close_stage(self, context: Context, problem: dict[str, Any] | None) -> Verdict | None:
        """Record the end of a stage."""
        stage = context.stage or {}
        stage["durationMillis"] = int(time.time() * 1000) - stage["startTimeMillis"]
        # For Jenkins a stage ends where the first stage within it begins.
        if problem and not context.has_stages:
            stage["status"] = "ABORTED" if problem["result"] == "ABORTED" else "FAILED"
        elif stage["status"] == "IN_PROGRESS":
            stage["status"] = "SUCCESS"
        return None

    def mark_stage(self, context: Context, status: str) -> None:
        """Change the status of the stage around a step."""
        stage = next((entry.stage for entry in reversed(context.chain) if entry.stage), None)
        if stage:
            stage["status"] = {"FAILURE": "FAILED"}.get(status, status)

    def find_warning(self, context: Context) -> str:
        """The result to which a step has set the stage around it; SUCCESS if none has."""
        stage = next((entry.stage for entry in reversed(context.chain) if entry.stage), None) or {}
        return {"FAILED": "FAILURE", "UNSTABLE": "UNSTABLE", "ABORTED": "ABORTED"}.get(
            stage.get("status", ""), "SUCCESS"
        )

    def interrupt(self, context: Context, problem: Interrupted) -> None:
        """Interrupt the running steps of a block; if none runs, its next step fails."""
        struck = False
        for inner in list(self.contexts.values()):
            if inner.inherits_from(context):
                for task in list(inner.tasks):
                    task.cancel()
                    task.problem = problem  # type: ignore[attr-defined]
                    struck = True
        if not struck:
            context.interruption = problem

    def stop_siblings(self, context: Context, branch: str) -> None:
        """failFast: end the other branches of a parallel block."""
        for other in list(self.contexts.values()):
            if other.parent is context and other.name != branch:
                self.interrupt(other, Interrupted(f"Failed in branch {branch}"))


def _convert_value(kind: str, value: str) -> object:
    return value == "true" if kind == "BooleanParameterDefinition" else value
