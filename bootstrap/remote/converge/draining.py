"""Before Jenkins restarts, it is asked for quiet, and what a restart would kill is waited for, up to a limit.

What decides is what a restart really kills. Jenkins itself knows one half: `quietDown` with `block` answers before its time is
over only where no executor holds what cannot go on after a restart (a freestyle build, a step inside of the JVM). The other
half are the processes of `sh` steps, which Jenkins believes to outlive it, but which systemd ends with the whole control group:
they are found there, by the BUILD_URL in their environment. In quiet mode a Pipeline pauses before its next step. So one that
is between two steps, or whose question nobody has answered, holds nothing up: it goes on after the restart.

Quiet mode ends with the restart of Jenkins, and is taken back after that of an agent. Where there is none after all, it is
taken back as well. Where even that could not be done, for this program was killed, a mark in /run tells the next run.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bootstrap.remote.converge.core import Context
from bootstrap.remote.converge.jenkins import Build, Jenkins, NoAnswer

_PAUSE = 1.0  # seconds between two looks, of which each also tells whether anybody still listens


@contextlib.contextmanager
def drained(context: Context, unit: str, *, is_needed: bool) -> Iterator[None]:
    """What is done inside of this finds no build that it would kill, as far as that can be waited for.

    Without a wish for this unit, and where nothing is needed, only a quiet mode that an earlier run left behind is ended.
    """
    wish = context.drain.get(unit)
    if wish is None:
        yield
        return
    jenkins = Jenkins(context, wish)
    if is_needed:
        drain(context, unit)
    elif mark_of(context, unit).exists():
        _end(context, unit, jenkins)
    try:
        yield
    except BaseException:
        _end(context, unit, jenkins)
        raise
    if wish.get("is_jenkins", True):
        mark_of(context, unit).unlink(missing_ok=True)
    else:
        _end(context, unit, jenkins)


def drain(context: Context, unit: str) -> None:
    """Ask for quiet and wait; what breaks in between leaves no quiet behind."""
    wish = context.drain[unit]
    jenkins = Jenkins(context, wish)
    try:
        _drain(context, unit, jenkins, wish)
    except BaseException:
        _end(context, unit, jenkins)
        raise


def mark_of(context: Context, unit: str) -> Path:
    """The file that is there while this program holds the unit's Jenkins quiet."""
    return context.path(f"/run/bootstrap/quiet-{unit}")


def _end(context: Context, unit: str, jenkins: Jenkins) -> None:
    """Let builds start again, where quiet was asked for; a Jenkins that does not answer is not quiet after its next start."""
    mark = mark_of(context, unit)
    if mark.exists():
        with contextlib.suppress(NoAnswer):
            jenkins.cancel_quiet()
        mark.unlink(missing_ok=True)


def _drain(context: Context, unit: str, jenkins: Jenkins, wish: Mapping[str, Any]) -> None:
    seconds = float(wish["seconds"])
    try:
        if seconds <= 0:
            interrupted = _shown(_others(jenkins.builds(), wish))
            _tell(context, f"{unit} restarts without waiting{f' and interrupts {interrupted}' if interrupted else ''}")
            return
        if not jenkins.is_quiet():
            # Before it is asked for: a mark too many costs one request, one too few a Jenkins that starts no build.
            mark = mark_of(context, unit)
            mark.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            mark.touch()
        jenkins.ask_for_quiet()
        _wait(context, unit, jenkins, wish, seconds)
    except NoAnswer as error:
        _tell(context, f"{unit} restarts without waiting for builds: {error}")


def _wait(context: Context, unit: str, jenkins: Jenkins, wish: Mapping[str, Any], seconds: float) -> None:
    deadline, told = time.monotonic() + seconds, ""
    while waited_for := _killed_by_restart(context, unit, jenkins, wish):
        shown = _shown(waited_for)
        if time.monotonic() >= deadline:
            _tell(context, f"{unit}: the limit of {_span(seconds)} is over; the restart interrupts {shown}")
            return
        if shown != told:
            _tell(context, f"{unit} waits for {shown} before it restarts (limit {_span(seconds)})")
            told = shown
        else:
            context.tell({})
        time.sleep(_PAUSE)


def _killed_by_restart(context: Context, unit: str, jenkins: Jenkins, wish: Mapping[str, Any]) -> list[Build]:
    """The builds that a restart now would kill."""
    is_ready = jenkins.is_ready()
    running = _others(jenkins.builds(), wish)
    if not running:
        return []
    with_process = _with_process(context, unit)
    found = [build for build in running if build.path in with_process or not build.is_resumable]
    # What else Jenkins waits for is a step inside of the JVM: of which Pipeline, it does not say.
    return found if is_ready else found or running


def _others(builds: list[Build], wish: Mapping[str, Any]) -> list[Build]:
    """All but the build in which the tool itself runs: that would wait for its own end."""
    own = urlsplit(str(wish.get("own", ""))).path
    return [build for build in builds if build.path != own]


def _with_process(context: Context, unit: str) -> set[str]:
    """The paths of the builds that have a process in the unit's control group."""
    group = context.run(["systemctl", "show", "-p", "ControlGroup", "--value", unit], check=False).stdout.strip()
    found = set()
    for listed in context.path(f"/sys/fs/cgroup{group}").rglob("cgroup.procs") if group else ():
        for number in _words(listed):
            for variable in _read(context.path(f"/proc/{number}/environ")).split(b"\0"):
                name, _, value = variable.partition(b"=")
                if name == b"BUILD_URL":
                    with contextlib.suppress(ValueError):
                        found.add(urlsplit(value.decode(errors="replace")).path)
    return found


def _words(path: Path) -> list[str]:
    return _read(path).decode(errors="replace").split()


def _read(path: Path) -> bytes:
    """What a process tells, which may end at any moment."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _shown(builds: list[Build]) -> str:
    names = [build.name for build in builds]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _tell(context: Context, text: str) -> None:
    context.tell({"note": text})
