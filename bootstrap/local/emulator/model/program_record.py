"""Records each step of a Pipeline and its answer. After a restart the Jenkinsfile runs again and gets the recorded answers.

Jenkins stores the state of the program itself; Groovy without Jenkins cannot do that. So the Jenkinsfile runs again from its
beginning, and each step that was answered before gets the recorded answer: nothing is done twice. Blocks are entered again,
because they hold an executor, a directory or variables; what a step changed in the engine is set again. This works between two
steps, where quiet mode holds a build, while steps only wait, and while steps work on an agent of a cloud. During any other step
a build ends with the process.

`program.jsonl` in the folder of the build gets a line when a step is requested and a line when it is answered. An answer that
contains a secret, or that a person gave, is encrypted with the key of the home. The file is deleted when the build ends.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..failures import StepFailed
from .cipher import Vault

NAME = "program.jsonl"
QUESTION = "input"
WAITING = frozenset({QUESTION, "sleep"})
DISABLED = "org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty"
# These steps run again, without a recorded answer: they use only variables of the engine and declarations of the job.
REPEATED_STEPS = frozenset({"_env", "_environment", "_setEnv", "_setEnvs", "_declare"})
_KEPT = ("number", "kind", "name", "context", "branch", "at")
Message = dict[str, Any]


@dataclass
class RecordedStep:
    """A step of a build; `at` is the time of its request (seconds since the epoch), `answer` is None while it waits."""

    number: int
    kind: str
    name: str
    context: str
    branch: str
    at: float
    answer: Message | None = None
    note: Message = field(default_factory=dict)

    @property
    def may_be_repeated(self) -> bool:
        """Whether the build can go on after a restart although the step was under way.

        Blocks, waiting steps and steps of the engine change nothing outside. A step with a note works on an agent that outlives
        the controller: its script goes on there, or the step fails, which the build can answer.
        """
        return self.kind != "call" or self.name in WAITING or self.name.startswith("_") or bool(self.note)


@dataclass
class RecordedSteps:
    """The record of a build: its script, its secret parameters, the state of the engine, and its steps by context.

    `last` is the highest number of a step.
    """

    script: str
    secrets: dict[str, str]
    state: dict[str, Any]
    steps: dict[str, list[RecordedStep]] = field(default_factory=lambda: defaultdict(list))
    last: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the program has requested all recorded steps again."""
        return not any(self.steps.values())

    def list_agents(self) -> list[str]:
        """The agents of clouds that the open blocks hold."""
        agents = []
        for step in (step for steps in self.steps.values() for step in steps if step.kind == "enter"):
            value = (step.answer or {}).get("value") or {}
            is_left = any(inner.kind == "leave" for inner in self.steps.get(value.get("context", ""), []))
            if value.get("held") and not is_left:
                agents.append(str(value["held"]["agent"]))
        return agents

    def take(self, message: Message) -> RecordedStep | None:
        """Take the recorded step of a request; None for a new step.

        Raises StepFailed if the Jenkinsfile requests other steps than before.
        """
        waiting = self.steps.get(message["context"]) or []
        branch = _read_branch(message)
        fitting = (message["kind"], message["name"], branch)
        step = next((step for step in waiting if (step.kind, step.name, step.branch) == fitting), None)
        if step is None and waiting and not branch:
            raise StepFailed(
                f"the Pipeline cannot be resumed: it requests {message['name']}, "
                f"but before the restart it requested {waiting[0].name}"
            )
        if step is not None:
            waiting.remove(step)
        return step


def may_resume(job: Any) -> bool:
    """Whether builds of a job may be resumed; `job` is the root element of its config.xml."""
    return job.find(f"properties/{DISABLED}") is None


def is_open(directory: Path) -> bool:
    """Whether the build of this directory was between two steps or only waited for inputs, so that it can be resumed."""
    lines = _read_lines(directory)[1:]
    answered = {line["number"] for line in lines if "answer" in line}
    return bool(lines) and is_waiting([_read_step(line) for line in lines if line["number"] not in answered])


def read(directory: Path, unseal: Callable[[str], str]) -> RecordedSteps | None:
    """Read the record of a build; None if it cannot be resumed."""
    if not is_open(directory):
        return None
    first, *rest = _read_lines(directory)
    recorded = RecordedSteps(
        first["script"], {name: unseal(text) for name, text in first["secrets"].items()}, first["state"]
    )
    steps: dict[int, RecordedStep] = {}
    for line in rest:
        recorded.state = line.get("state", recorded.state)
        if "answer" in line:
            steps[line["number"]].answer = json.loads(unseal(line["answer"])) if line["sealed"] else line["answer"]
        else:
            steps[line["number"]] = _read_step(line)
    recorded.last = max(steps)
    for step in steps.values():
        recorded.steps[step.context].append(step)
    return recorded


def _read_lines(directory: Path) -> list[dict[str, Any]]:
    """Read the complete lines of the file; a line that a kill left incomplete is skipped."""
    try:
        return [json.loads(line) for line in (directory / NAME).read_text().splitlines() if line.endswith("}")]
    except (OSError, ValueError):
        return []


def _read_step(line: dict[str, Any]) -> RecordedStep:
    words = (line["kind"], line["name"], line["context"], line["branch"])
    return RecordedStep(line["number"], *words, line["at"], note=line.get("note") or {})


def is_waiting(under_way: list[RecordedStep]) -> bool:
    """Whether every step under way can begin again."""
    return all(step.may_be_repeated for step in under_way)


class Journal:
    """Writes the `program.jsonl` of a build; `state` returns what its steps changed in the engine."""

    def __init__(
        self, directory: Path, vault: Vault, mask: Callable[[str], str], state: Callable[[], dict[str, Any]]
    ) -> None:
        self._path = directory / NAME
        self._vault, self._mask, self._state = vault, mask, state
        self._last, self._written_state = 0, ""
        self._open: dict[int, RecordedStep] = {}
        self._file: int | None = None

    def begin(self, script: str, secrets: dict[str, str]) -> None:
        """Write the first line of a new build."""
        sealed = {name: self._vault.seal(value) for name, value in secrets.items()}
        self._write({"script": script, "secrets": sealed})

    def resume(self, recorded: RecordedSteps) -> None:
        """Continue the record of a resumed build."""
        self._last, self._written_state = recorded.last, json.dumps(recorded.state)
        with suppress(OSError):
            self._open_file()

    @property
    def has_begun(self) -> bool:
        """Whether the program has requested a step."""
        return self._last > 0

    @property
    def under_way(self) -> list[RecordedStep]:
        """The steps that wait for their answers."""
        return list(self._open.values())

    def record_request(self, message: Message, before: RecordedStep | None = None, note: Message | None = None) -> None:
        """Record the request of a step; `before` is a step that was requested before the restart, and has a line already.

        `note` is what is needed to go on with the step after a restart.
        """
        if before is not None:
            self._open[message["id"]] = before
            return
        self._last += 1
        kind, name, context = (str(message[key]) for key in ("kind", "name", "context"))
        step = RecordedStep(self._last, kind, name, context, _read_branch(message), time.time(), note=note or {})
        self._open[message["id"]] = step
        self._write({key: getattr(step, key) for key in _KEPT} | ({"note": note} if note else {}))
        if step.name == QUESTION and self._file is not None:
            os.fsync(self._file)

    def record_answer(self, message: Message, answer: Message) -> None:
        """Record the answer to a step."""
        step = self._open.pop(message["id"], None)
        if step is None:  # its answer is recorded already
            return
        kept = {} if step.name in REPEATED_STEPS else {key: value for key, value in answer.items() if key != "id"}
        text = json.dumps(kept)
        is_secret = step.name == QUESTION or self._mask(text) != text  # a person may have answered with a password
        self._write(
            {"number": step.number, "sealed": is_secret, "answer": self._vault.seal(text) if is_secret else kept}
        )

    def end(self) -> None:
        """Delete the record: the build is over and cannot be resumed.

        A job that was deleted and created again can have a build of the same number; the file of that build stays.
        """
        with suppress(OSError):
            if self._file is not None and os.path.samestat(os.fstat(self._file), self._path.stat()):
                self._path.unlink()
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open_file(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._file

    def _write(self, line: dict[str, Any]) -> None:
        state = self._state()
        text = json.dumps(state)
        if text != self._written_state:
            self._written_state = text
            line = {**line, "state": state}
        with suppress(OSError):  # a full disk, or a deleted job: the build continues, but cannot be resumed
            os.write(self._open_file(), (json.dumps(line) + "\n").encode())


def _read_branch(message: Message) -> str:
    """Read the name that distinguishes the branches of one `parallel`, because they begin in any order."""
    return str(message["arguments"].get("name", "")) if message["name"] in {"_branch", "_failFast"} else ""
