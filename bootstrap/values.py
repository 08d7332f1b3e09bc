"""What passes between the acts: frozen values without behaviour, and the protocols that the connections implement.

Each act takes the value that the act before returned and returns the next one, so the order of the play is held by the
types. Nothing here imports anything of ours.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bootstrap import wording


class Secret:
    """A text that never shows itself: `str`, `repr`, formatting and pickling give stars; only `reveal` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that must send it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, ("***",))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))


class ChangeKind(enum.StrEnum):
    """What a change does to the resource, setting or job that it names."""

    ADD = "add"
    ALTER = "alter"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True)
class Change:
    """One line of a plan, or of what an act did: `act` is one of the five, `name` the thing, `detail` one short line.

    `diff` is a unified diff for a reader, where a plan can show one; two changes that differ in it alone are the same.
    """

    act: str
    kind: ChangeKind
    name: str
    detail: str = ""
    diff: str = field(default="", compare=False)


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack that exists: its full name, its status, its outputs, and the parameters and tags that it has."""

    name: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """The host as the network sees it.

    `host_keys` are the only SSH host keys it may show (each 'ssh-ed25519 AAAA...'), learnt through the cloud's API.
    """

    instance_id: str
    address: str
    user: str
    private_key: Secret
    host_keys: tuple[str, ...]
    port: int = 22


@dataclass(frozen=True)
class Controller:
    """The Jenkins on a machine: reached at `port` of the machine's own loopback, published at `url`.

    `authority` is the PEM certificate that signed the published one. `version` is Jenkins' own; `is_emulated` says that the
    emulator stands in for it.
    """

    url: str
    user: str
    password: Secret
    token: Secret
    version: str
    is_emulated: bool
    authority: str
    port: int = 8080


@dataclass(frozen=True)
class JobSet:
    """Rendered jobs: full name to config.xml, folders before what they hold, and views likewise.

    `unjudged` tells which elements of which jobs belong to a plugin that is not known.
    """

    jobs: Mapping[str, str]
    views: Mapping[str, str] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One check of a verdict: `outcome` is passed, failed, error or skipped; `detail` says what was found (instead)."""

    name: str
    outcome: str
    seconds: float
    detail: str = ""
    group: str = ""


@dataclass(frozen=True)
class Verdict:
    """What verify returns: every check, and where the JUnit file lies."""

    checks: tuple[Check, ...]
    junit: Path

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not hold; an error counts as failed, a skipped check does not."""
        return tuple(check for check in self.checks if check.outcome in {"failed", "error"})

    @property
    def is_green(self) -> bool:
        """True when at least one check ran and none failed: a suite that ran nothing proves nothing."""
        return any(check.outcome == "passed" for check in self.checks) and not self.failed

    @property
    def summary(self) -> str:
        """How many checks passed, failed and were skipped."""
        return wording.count_outcomes([check.outcome for check in self.checks])


@dataclass(frozen=True)
class Result:
    """One finished command on a machine or here. `command` is the shown form, free of secrets."""

    command: str
    exit_code: int
    stdout: str
    stderr: str
    seconds: float = 0.0


class Reporter(Protocol):
    """Where an act tells what happens; the run's journal and the console are behind it."""

    def change(self, change: Change) -> None:
        """One real change was made (or, in a plan, would be)."""

    def progress(self, text: str) -> None:
        """One line that is no change and no notice: a stack event, a build's start. Shown with the time since the act began."""

    def notice(self, text: str) -> None:
        """Something that the reader must know: a stand-in is used, a thing is kept, a choice was made."""


class Shell(Protocol):
    """Commands on one machine, over SSH or on this very machine.

    `run` takes an argument list, quoted once inside the door; with `sudo` it runs as root. It raises CommandFailed on a
    non-zero exit unless `check` is false. `put` writes a file of the given mode, atomically. `forward` lends a local port
    that leads to `port` on the machine's loopback.
    """

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        sudo: bool = False,
        check: bool = True,
        timeout: float | None = None,
        hear: Callable[[str], None] | None = None,
    ) -> Result:
        """Run one command; the result holds its exit code and its output as text, `hear` gets each line as it comes."""

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        """Write `content` (or the file at that path here) to `path` there."""

    def forward(self, port: int, *, local_port: int = 0) -> AbstractContextManager[int]:
        """A port here (a free one, or the given one) that leads to `port` on the machine's loopback, while the context is open.

        OSError if the given port is in use.
        """

    def close(self) -> None:
        """End the connection; closing twice is harmless."""
