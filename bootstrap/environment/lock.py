"""The environment lock: only one command at a time changes an environment.

A second command says who holds the lock, and since when. The lock is one of the kernel (flock on
`.bootstrap/<environment>/lock`), so it ends with the process that holds it. The text of the file says who that is. If the file
has a text and the kernel's lock is free, the process died, and the next command takes the lock.

The lock is valid in one checkout only. Another checkout, of another operator or of a job on the machine, has its own lock.
Between checkouts, CloudFormation refuses a second change of the same stack, Jenkins runs builds of a job one after the other,
and converging the machine can be repeated safely. Commands that only read take no lock.
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
_LONGEST = 4096  # the longest text of the file, in bytes
_PATIENCE = 0.5  # seconds to wait, because `read_holder` holds the lock for a moment


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock of an environment; `since` is UTC in ISO 8601, to the second."""

    user: str
    host: str
    pid: int
    command: str
    run: str
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}) with '{self.command}', run {self.run}, since {self.since}"


@contextlib.contextmanager
def hold_lock(state: Path, command: str, report: Reporter, run_id: str) -> Iterator[None]:
    """Hold the lock of the environment with the folder `state`; EnvironmentLocked if another process holds it."""
    state_folder.make(state)
    file = os.open(state / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(file, state)
        dead_holder = _read(file)
        if dead_holder is not None:
            report.notice(f"{dead_holder}, ended without releasing the environment lock: it is taken over")
        _write(file, json.dumps(asdict(_describe_this_process(command, run_id))))
        try:
            yield
        finally:
            _write(file, "")
    finally:
        os.close(file)  # releases the lock


def read_holder(state: Path) -> Holder | None:
    """The process that holds the lock now, or None; the lock is not changed. A process that died counts as none."""
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
            current_holder = _read(file)
            raise EnvironmentLocked(
                f"locking the environment '{state.name}'",
                f"locked by {current_holder}"
                if current_holder
                else "locked by a process that did not write its id yet",
                "Wait until it ends, then run the same command again; 'history' shows the runs.",
            ) from None
        return


def _describe_this_process(command: str, run_id: str) -> Holder:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Holder(_read_user(), socket.gethostname(), os.getpid(), command, run_id, now)


def _read_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # a container's user may have no name


def _read(file: int) -> Holder | None:
    try:
        content = json.loads(os.pread(file, _LONGEST, 0) or "null")
        return Holder(**content) if content else None
    except (TypeError, ValueError):
        return None  # the holder died while it wrote


def _write(file: int, text: str) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, text.encode(), 0)
