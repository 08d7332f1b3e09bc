"""Types of all kinds of resources: the context of one run, the finding of a comparison, and the failure."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

Resource = Mapping[str, Any]
Report = Callable[[dict[str, Any]], None]
ARTIFACTS = "/var/cache/bootstrap/artifacts"
DIGESTS = "/var/cache/bootstrap/digests.json"
_STORED_SIZE = 1 << 20  # bytes; below it, hashing is cheaper than storing
_TAIL_LINES = 20


class Failed(Exception):
    """A resource cannot be brought to its desired state: the `command` that failed, its `exit_code`, and its last lines."""

    def __init__(self, reason: str, command: str = "", exit_code: int | None = None, tail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command
        self.exit_code = exit_code
        self.tail = tail


@dataclass(frozen=True)
class Finding:
    """A resource differs from its desired state: `kind` (add, alter, remove) and `detail` say how; `act` changes it.

    `missing` are the artifacts (SHA-256) that `act` needs and that are not on the machine. `settles` is false if a second
    comparison right after `act` proves nothing. `causes` are other resources, if their change is the only reason.
    """

    kind: str
    detail: str
    act: Callable[[], None]
    missing: tuple[str, ...] = ()
    settles: bool = True
    causes: tuple[str, ...] = ()


def report_nothing(_step: dict[str, Any]) -> None:
    """Report to nobody."""


@dataclass
class Context:
    """One run: the machine's root (another folder in tests), the changes so far, and the stored digests.

    `desired_changed` has those changed resources whose desired state is another than at the last run. `drain` says, by the
    name of a unit, how to wait for its builds before it restarts (see `draining`).
    """

    root: Path = Path("/")
    resources: dict[str, Resource] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    desired_changed: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    unit_states: dict[str, dict[str, str]] = field(default_factory=dict)
    drain: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    report: Report = report_nothing
    _digests: dict[str, list[Any]] | None = None

    def path(self, name: str) -> Path:
        """The location of the machine's absolute path `name`."""
        return self.root / name.lstrip("/")

    def run(
        self,
        command: Sequence[str],
        *,
        check: bool = True,
        timeout: float = 300,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; raise Failed if it fails, with `quiet` without its output, which might show a secret."""
        shown = " ".join(command)
        try:
            done = subprocess.run(
                list(command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
            )
        except FileNotFoundError:
            done = subprocess.CompletedProcess(list(command), 127, "", f"{command[0]}: not found")
        except subprocess.TimeoutExpired as error:
            output = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
            raise Failed(f"no result after {timeout:.0f} s", shown, 124, "" if quiet else last_lines(output)) from error
        if check and done.returncode != 0:
            tail = "" if quiet else last_lines(f"{done.stdout}\n{done.stderr}")
            raise Failed("the command failed", shown, done.returncode, tail)
        return done

    def artifact(self, digest: str) -> Path:
        """The location of the artifact with that SHA-256."""
        return self.path(ARTIFACTS) / digest

    def missing(self, *digests: str) -> tuple[str, ...]:
        """The artifacts that are not on the machine, in order and without repetition."""
        return tuple(digest for digest in dict.fromkeys(digests) if not self.artifact(digest).is_file())

    def open_artifact(self, digest: str) -> Path:
        """Return the path of a checked artifact; a damaged one is deleted, so that the next run asks for it again."""
        path = self.artifact(digest)
        if not path.is_file():
            raise Failed(f"the artifact {digest} was not sent")
        if hash_of(path) != digest:
            path.unlink()
            raise Failed(f"the artifact {digest} was damaged in transit")
        return path

    def digest(self, path: Path, stream: BufferedReader) -> str:
        """The SHA-256 of an open file; that of a big file is stored, and valid while inode, size and times stay the same."""
        status = os.fstat(stream.fileno())
        if status.st_size < _STORED_SIZE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        stamp = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        stored = self._read_stored_digests().get(str(path))
        if stored and stored[:4] == stamp:
            return str(stored[4])
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._read_stored_digests()[str(path)] = [*stamp, digest]
        return digest

    def _read_stored_digests(self) -> dict[str, list[Any]]:
        if self._digests is None:
            try:
                self._digests = json.loads(self.path(DIGESTS).read_text())
            except (OSError, ValueError):
                self._digests = {}
        return self._digests

    def store_digests(self) -> None:
        """Store the big files' digests for the next run; a loss costs time only."""
        if self._digests:
            target = self.path(DIGESTS)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_suffix(".new")
            temporary.write_text(json.dumps(self._digests))
            temporary.replace(target)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def last_lines(text: str, count: int = _TAIL_LINES) -> str:
    """The last lines of a command's output that are not empty."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-count:])
