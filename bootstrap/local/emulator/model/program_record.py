"""Records each step of a Pipeline and its answer. After a restart the Jenkinsfile runs again and gets the recorded answers.

Jenkins stores the state of the program itself; real Groovy cannot. So here the Jenkinsfile runs again from its beginning, and
each step that was answered before gets the recorded answer: nothing is done twice. Blocks are entered again, because they hold
an executor, a directory or variables; what a step changed in the engine is set again. This works between two steps, where quiet
mode holds a build, and while only an input step waits: in the middle of any other step a build ends with the process.

`program.jsonl` in the build's folder has a line when a step is asked for and one when it is answered; an answer that holds a
secret, or that a person gave, is sealed with the home's own key. It goes when the build ends.
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
DISABLED = "org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty"
# Asked again instead of remembered: they read and write nothing but the engine's own variables and the job's declarations.
ASKED_AGAIN = frozenset({"_env", "_environment", "_setEnv", "_setEnvs", "_declare"})
_KEPT = ("number", "kind", "name", "context", "branch", "at")
Message = dict[str, Any]


@dataclass
class Asked:
    """One step of the build: its number, when it was asked for (seconds since the epoch), the answer where there was one."""

    number: int
    kind: str
    name: str
    context: str
    branch: str
    at: float
    answer: Message | None = None

    @property
    def may_be_repeated(self) -> bool:
        """Whether it may be under way when the process ends: what only asks, or is the engine's own, does nothing twice."""
        return self.kind != "call" or self.name == QUESTION or self.name.startswith("_")


@dataclass
class RecordedSteps:
    """The record of a build: its script, its secret parameters, the state of the engine, and its steps by context."""

    script: str
    secrets: dict[str, str]
    state: dict[str, Any]
    steps: dict[str, list[Asked]] = field(default_factory=lambda: defaultdict(list))
    last: int = 0

    @property
    def is_over(self) -> bool:
        """Whether every recorded step was asked for again."""
        return not any(self.steps.values())

    def take(self, message: Message) -> Asked | None:
        """The recorded step of this request; None for a new one. StepFailed if the Jenkinsfile goes another way than before."""
        waiting = self.steps.get(message["context"]) or []
        branch = _branch(message)
        fitting = (message["kind"], message["name"], branch)
        asked = next((it for it in waiting if (it.kind, it.name, it.branch) == fitting), None)
        if asked is None and waiting and not branch:
            raise StepFailed(
                f"the Pipeline cannot be resumed: it asks for {message['name']} where it asked for {waiting[0].name} before"
            )
        if asked is not None:
            waiting.remove(asked)
        return asked


def may_resume(job: Any) -> bool:
    """Whether a job's builds may be resumed; `job` is its configuration."""
    return job.find(f"properties/{DISABLED}") is None


def is_open(directory: Path) -> bool:
    """Whether the build there was between two steps, or waited for an answer and did nothing else, so that it can go on."""
    lines = _read_lines(directory)[1:]
    answered = {line["number"] for line in lines if "answer" in line}
    return bool(lines) and is_waiting([_read_step(line) for line in lines if line["number"] not in answered])


def read(directory: Path, unseal: Callable[[str], str]) -> RecordedSteps | None:
    """The record of a build; None where it cannot go on."""
    if not is_open(directory):
        return None
    first, *rest = _read_lines(directory)
    recorded = RecordedSteps(
        first["script"], {name: unseal(text) for name, text in first["secrets"].items()}, first["state"]
    )
    steps: dict[int, Asked] = {}
    for line in rest:
        recorded.state = line.get("state", recorded.state)
        if "answer" in line:
            steps[line["number"]].answer = json.loads(unseal(line["answer"])) if line["sealed"] else line["answer"]
        else:
            steps[line["number"]] = _read_step(line)
    recorded.last = max(steps)
    for it in steps.values():
        recorded.steps[it.context].append(it)
    return recorded


def _read_lines(directory: Path) -> list[dict[str, Any]]:
    """The whole lines of its file; one that a kill left half written is passed over."""
    try:
        return [json.loads(line) for line in (directory / NAME).read_text().splitlines() if line.endswith("}")]
    except (OSError, ValueError):
        return []


def _read_step(line: dict[str, Any]) -> Asked:
    return Asked(line["number"], line["kind"], line["name"], line["context"], line["branch"], line["at"])


def is_waiting(under_way: list[Asked]) -> bool:
    """Whether nothing is under way that could not be begun again."""
    return all(it.may_be_repeated for it in under_way)


class Journal:
    """Writes a build's `program.jsonl`; `state` gives what the build has left in the engine so far."""

    def __init__(
        self, directory: Path, vault: Vault, mask: Callable[[str], str], state: Callable[[], dict[str, Any]]
    ) -> None:
        self._path = directory / NAME
        self._vault, self._mask, self._state = vault, mask, state
        self._last, self._told = 0, ""
        self._open: dict[int, Asked] = {}
        self._file: int | None = None

    def begin(self, script: str, secrets: dict[str, str]) -> None:
        """The first line of a new build."""
        sealed = {name: self._vault.seal(value) for name, value in secrets.items()}
        self._write({"script": script, "secrets": sealed})

    def go_on(self, recorded: RecordedSteps) -> None:
        """Continue the record of a build that is resumed."""
        self._last, self._told = recorded.last, json.dumps(recorded.state)
        with suppress(OSError):
            self._open_file()

    @property
    def has_begun(self) -> bool:
        """Whether a step was asked for."""
        return self._last > 0

    @property
    def under_way(self) -> list[Asked]:
        """The steps that wait for their answers."""
        return list(self._open.values())

    def asked(self, message: Message, before: Asked | None = None) -> None:
        """A step is asked for; `before` is what is open since an earlier start, and has its line already."""
        if before is not None:
            self._open[message["id"]] = before
            return
        self._last += 1
        kind, name, context = (str(message[key]) for key in ("kind", "name", "context"))
        asked = Asked(self._last, kind, name, context, _branch(message), time.time())
        self._open[message["id"]] = asked
        self._write({key: getattr(asked, key) for key in _KEPT})
        if asked.name == QUESTION and self._file is not None:
            os.fsync(self._file)

    def answered(self, message: Message, answer: Message) -> None:
        """It is answered."""
        asked = self._open.pop(message["id"], None)
        if asked is None:  # of a recorded step
            return
        kept = {} if asked.name in ASKED_AGAIN else {key: value for key, value in answer.items() if key != "id"}
        text = json.dumps(kept)
        is_secret = asked.name == QUESTION or self._mask(text) != text  # a person may have answered with a password
        self._write(
            {"number": asked.number, "sealed": is_secret, "answer": self._vault.seal(text) if is_secret else kept}
        )

    def end(self) -> None:
        """The build is over: nothing of it is resumed.

        A job that was deleted and made again has a build of the same name: its file is left alone.
        """
        with suppress(OSError):
            if self._file is not None and os.path.samestat(os.fstat(self._file), self._path.stat()):
                self._path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the file."""
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
        if text != self._told:
            self._told = text
            line = {**line, "state": state}
        with suppress(OSError):  # a full disk, or a deleted job: the build goes on, and would not survive a restart
            os.write(self._open_file(), (json.dumps(line) + "\n").encode())


def _branch(message: Message) -> str:
    """What tells the branches of one `parallel` apart, which are entered in any order."""
    return str(message["arguments"].get("name", "")) if message["name"] in {"_branch", "_failFast"} else ""
