"""Sets Jenkins to quiet mode before a restart, and waits, up to a limit, for the builds that the restart would kill.

Jenkins knows one half of them: `quietDown` with `block` answers before its timeout only if no executor runs what cannot go on
after a restart (a freestyle build, a step inside of the JVM). The other half are the processes of `sh` steps: Jenkins expects
them to survive, but systemd kills them with the whole control group. They are found there, by the BUILD_URL in their
environment. In quiet mode a Pipeline pauses before its next step. So nobody waits for a Pipeline that is between two steps or
waits for an input: it goes on after the restart.

Quiet mode ends with the restart of Jenkins. It is cancelled after the restart of an agent, and if there was no restart. If
this program is killed before that, a mark file in /run tells the next run to cancel it.
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

_PAUSE = 1.0  # seconds between two checks; each also finds out whether anybody still reads the output


@contextlib.contextmanager
def drained(context: Context, unit: str, *, is_needed: bool) -> Iterator[None]:
    """Wait for builds before the body, which restarts the unit, and cancel quiet mode after it.

    If `is_needed` is false, only a quiet mode that an earlier run left behind is cancelled. Without settings for this unit,
    nothing is done.
    """
    settings = context.drain.get(unit)
    if settings is None:
        yield
        return
    jenkins = Jenkins(context, settings)
    if is_needed:
        drain(context, unit)
    elif mark_of(context, unit).exists():
        _end_quiet_mode(context, unit, jenkins)
    try:
        yield
    except BaseException:
        _end_quiet_mode(context, unit, jenkins)
        raise
    if settings.get("is_jenkins", True):
        mark_of(context, unit).unlink(missing_ok=True)
    else:
        _end_quiet_mode(context, unit, jenkins)


def drain(context: Context, unit: str) -> None:
    """Set quiet mode and wait; if that fails, cancel quiet mode."""
    settings = context.drain[unit]
    jenkins = Jenkins(context, settings)
    try:
        _drain(context, unit, jenkins, settings)
    except BaseException:
        _end_quiet_mode(context, unit, jenkins)
        raise


def mark_of(context: Context, unit: str) -> Path:
    """The mark file: it exists while this program keeps the unit's Jenkins in quiet mode."""
    return context.path(f"/run/bootstrap/quiet-{unit}")


def _end_quiet_mode(context: Context, unit: str, jenkins: Jenkins) -> None:
    """Cancel quiet mode if it was set here; a Jenkins that does not answer leaves quiet mode at its next start."""
    mark = mark_of(context, unit)
    if mark.exists():
        with contextlib.suppress(NoAnswer):
            jenkins.cancel_quiet()
        mark.unlink(missing_ok=True)


def _drain(context: Context, unit: str, jenkins: Jenkins, settings: Mapping[str, Any]) -> None:
    seconds = float(settings["seconds"])
    try:
        if seconds <= 0:
            interrupted = _format_builds(_list_other_builds(jenkins.builds(), settings))
            _report_note(
                context, f"{unit} restarts without waiting{f' and interrupts {interrupted}' if interrupted else ''}"
            )
            return
        if not jenkins.is_quiet():
            # Before quiet mode: a superfluous mark costs one request; without a mark, Jenkins might never start a build again.
            mark = mark_of(context, unit)
            mark.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            mark.touch()
        jenkins.set_quiet()
        _wait(context, unit, jenkins, settings, seconds)
    except NoAnswer as error:
        _report_note(context, f"{unit} restarts without waiting for builds: {error}")


def _wait(context: Context, unit: str, jenkins: Jenkins, settings: Mapping[str, Any], seconds: float) -> None:
    deadline, reported = time.monotonic() + seconds, ""
    while waited_for := _list_killed_builds(context, unit, jenkins, settings):
        shown = _format_builds(waited_for)
        if time.monotonic() >= deadline:
            _report_note(
                context, f"{unit}: the limit of {_format_span(seconds)} is over; the restart interrupts {shown}"
            )
            return
        if shown != reported:
            _report_note(context, f"{unit} waits for {shown} before it restarts (limit {_format_span(seconds)})")
            reported = shown
        else:
            context.report({})
        time.sleep(_PAUSE)


def _list_killed_builds(context: Context, unit: str, jenkins: Jenkins, settings: Mapping[str, Any]) -> list[Build]:
    """The builds that a restart would kill now."""
    is_ready = jenkins.is_ready()
    running = _list_other_builds(jenkins.builds(), settings)
    if not running:
        return []
    builds_with_process = _find_builds_with_process(context, unit)
    killed = [build for build in running if build.path in builds_with_process or not build.is_resumable]
    # Otherwise Jenkins waits for a step inside of the JVM; it does not say of which Pipeline.
    return killed if is_ready else killed or running


def _list_other_builds(builds: list[Build], settings: Mapping[str, Any]) -> list[Build]:
    """All builds but the one in which the toolkit itself runs, which would wait for its own end."""
    own = urlsplit(str(settings.get("own", ""))).path
    return [build for build in builds if build.path != own]


def _find_builds_with_process(context: Context, unit: str) -> set[str]:
    """The paths of the builds that have a process in the unit's control group."""
    group = context.run(["systemctl", "show", "-p", "ControlGroup", "--value", unit], check=False).stdout.strip()
    build_paths = set()
    for process_list in context.path(f"/sys/fs/cgroup{group}").rglob("cgroup.procs") if group else ():
        for number in _read_words(process_list):
            for variable in _read(context.path(f"/proc/{number}/environ")).split(b"\0"):
                name, _, value = variable.partition(b"=")
                if name == b"BUILD_URL":
                    with contextlib.suppress(ValueError):
                        build_paths.add(urlsplit(value.decode(errors="replace")).path)
    return build_paths


def _read_words(path: Path) -> list[str]:
    return _read(path).decode(errors="replace").split()


def _read(path: Path) -> bytes:
    """The content of a file of a process, which may end at any moment; empty if it ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _format_builds(builds: list[Build]) -> str:
    names = [build.name for build in builds]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _format_span(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _report_note(context: Context, text: str) -> None:
    context.report({"note": text})
