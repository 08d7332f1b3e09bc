"""What every kind of resource speaks in: the context of one run, what a look at a resource finds, and how it fails."""

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
Tell = Callable[[dict[str, Any]], None]
ARTIFACTS = "/var/cache/bootstrap/artifacts"
DIGESTS = "/var/cache/bootstrap/digests.json"
_REMEMBERED_SIZE = 1 << 20  # bytes; below it, hashing is cheaper than remembering
_TAIL_LINES = 20


class Failed(Exception):
    """A resource cannot be reached: `command` and its `exit_code` where one failed, and the last lines of what it said."""

    def __init__(self, reason: str, command: str = "", exit_code: int | None = None, tail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command
        self.exit_code = exit_code
        self.tail = tail


@dataclass(frozen=True)
class Finding:
    """A resource is not as wished: `kind` (add, alter, remove) and `detail` say how, `act` mends it.

    `missing` are the artifacts (SHA-256) that `act` would need and that are not here. `settles` is false where looking
    again right after `act` proves nothing. `causes` are the other resources whose change is all that is the matter.
    """

    kind: str
    detail: str
    act: Callable[[], None]
    missing: tuple[str, ...] = ()
    settles: bool = True
    causes: tuple[str, ...] = ()


def silent(_step: dict[str, Any]) -> None:
    """Tell nobody."""


@dataclass
class Context:
    """One run: where the machine's root is (another folder in tests), what has changed so far, and what is remembered.

    `drain` says by a unit's name how its builds are waited for before it restarts (see `draining`).
    """

    root: Path = Path("/")
    resources: dict[str, Resource] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)  # those of the changed of which something else is wished than was
    notes: list[str] = field(default_factory=list)
    unit_states: dict[str, dict[str, str]] = field(default_factory=dict)
    drain: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tell: Tell = silent
    _digests: dict[str, list[Any]] | None = None

    def path(self, name: str) -> Path:
        """Where the absolute path `name` of the machine lies."""
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
        """Run one command; raise Failed when it fails, without its output where it might show a secret (`quiet`)."""
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
        """Where the artifact of that SHA-256 is, or would be."""
        return self.path(ARTIFACTS) / digest

    def missing(self, *digests: str) -> tuple[str, ...]:
        """Those of the artifacts that are not here, in order and once."""
        return tuple(digest for digest in dict.fromkeys(digests) if not self.artifact(digest).is_file())

    def open_artifact(self, digest: str) -> Path:
        """The artifact's path once its content is proven; a damaged one is dropped, so that a re-run asks for it again."""
        path = self.artifact(digest)
        if not path.is_file():
            raise Failed(f"the artifact {digest} was not sent")
        if hash_of(path) != digest:
            path.unlink()
            raise Failed(f"the artifact {digest} was damaged in transit")
        return path

    def digest(self, path: Path, stream: BufferedReader) -> str:
        """The SHA-256 of an open file; a big one's is remembered under `path` while inode, size and times stay the same."""
        status = os.fstat(stream.fileno())
        if status.st_size < _REMEMBERED_SIZE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        stamp = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        remembered = self._remembered().get(str(path))
        if remembered and remembered[:4] == stamp:
            return str(remembered[4])
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._remembered()[str(path)] = [*stamp, digest]
        return digest

    def _remembered(self) -> dict[str, list[Any]]:
        if self._digests is None:
            try:
                self._digests = json.loads(self.path(DIGESTS).read_text())
            except (OSError, ValueError):
                self._digests = {}
        return self._digests

    def remember(self) -> None:
        """Keep the big files' digests for the next run; losing them costs time only."""
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
    """The last lines of a command's output that say something."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-count:])
