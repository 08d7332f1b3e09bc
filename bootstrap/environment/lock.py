"""One changing command at a time for an environment: the second is told who holds it, since when, and doing what.

The lock is the kernel's (flock on `.bootstrap/<environment>/lock`), so it ends with its holder, however that ends. The file's
text only says who that is; where it still says so and the kernel's lock is free, the holder died, and the next one takes over.

It holds for one checkout alone. A checkout elsewhere, another operator's or that of a job on the machine, has its own: there
CloudFormation refuses a second change of the same stack, Jenkins runs a job's builds one after the other, and converging
the machine is safe to repeat. What only reads takes no lock.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.errors import EnvironmentLocked
from bootstrap.runs import state_folder
from bootstrap.values import Reporter

FILE = "lock"
_LONGEST = 4096  # bytes of the file's text
_PATIENCE = 0.5  # seconds: who only looks holds it for an instant


@dataclass(frozen=True)
class Holder:
    """Who holds an environment; `since` is UTC in ISO 8601, to the second."""

    user: str
    host: str
    pid: int
    command: str
    run: str
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}) with '{self.command}', run {self.run}, since {self.since}"


@contextlib.contextmanager
def held(state: Path, command: str, report: Reporter, run_id: str) -> Iterator[None]:
    """Hold the environment whose folder is `state`; EnvironmentLocked where somebody else does."""
    state_folder.make(state)
    file = os.open(state / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(file, state)
        dead = _read(file)
        if dead is not None:
            report.notice(f"{dead}, ended without releasing the environment lock: it is taken over")
        _write(file, json.dumps(asdict(_myself(command, run_id))))
        try:
            yield
        finally:
            _write(file, "")
    finally:
        os.close(file)  # lets go of the lock


def holder(state: Path) -> Holder | None:
    """Who holds the environment now, or None; looks only. A dead holder counts as none."""
    try:
        file = os.open(state / FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file)
    finally:
        os.close(file)
    return None


def _take(file: int, state: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            by = _read(file)
            raise EnvironmentLocked(
                f"locking the environment '{state.name}'",
                f"locked by {by}" if by else "locked by a process that did not write its id yet",
                "Wait until it ends, then run the same command again; 'history' shows the runs.",
            ) from None
        return


def _myself(command: str, run_id: str) -> Holder:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Holder(_user(), socket.gethostname(), os.getpid(), command, run_id, now)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # a container's user may have no name


def _read(file: int) -> Holder | None:
    try:
        told = json.loads(os.pread(file, _LONGEST, 0) or "null")
        return Holder(**told) if told else None
    except (TypeError, ValueError):
        return None  # the holder died while it wrote


def _write(file: int, text: str) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, text.encode(), 0)
