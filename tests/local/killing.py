"""Kills the tool as it runs: its journal is watched from outside, and at a step that is wanted its process group gets SIGKILL.

A step is an event of the journal without what differs from one run to the next: times, ids, addresses and numbers.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trial import NAME, Launched

Step = tuple[str, str, str]
Event = dict[str, Any]
_VARIABLE = re.compile(r"\b[a-z]+-[0-9a-f]{6,}\b|\b[0-9a-f]{12,}\b|\d+")
# What no step of a play can be told by: what is looked up before it, and the checks, which come all at once.
_NO_STEPS = {"check", "report", "costs", "commit"}


def step(event: Event) -> Step | None:
    """The step that an event is, or None."""
    if event["event"] in _NO_STEPS or (not event["act"] and event["event"] != "run-began"):
        return None
    told = str(event.get("name") or event.get("text") or event.get("title") or event.get("command") or "")
    return event["act"], event["event"], _VARIABLE.sub("#", told)


def steps(events: Iterable[Event]) -> list[Step]:
    """The steps of a run, in order and once."""
    return list(dict.fromkeys(it for event in events if (it := step(event))))


def events(journal: Path) -> list[Event]:
    """A journal's whole lines."""
    return [json.loads(line) for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]


def last_run(launched: Launched, command: str) -> list[Event]:
    """The events of the last run of a command."""
    for journal in sorted((launched.state / "runs").glob("*/journal.jsonl"), reverse=True):
        told = events(journal)
        if told and told[0].get("command") == command:
            return told
    raise AssertionError(f"there was no run of {command}")


@dataclass
class Ended:
    """How a watched run ended: killed at a step, or by itself with an exit code and output."""

    killed_at: Step | None
    code: int
    output: str
    told: list[Event] = field(default_factory=list)


def watched(launched: Launched, arguments: list[str], at: Callable[[Step], bool], seconds: float = 900) -> Ended:
    """Run one command of the toolkit; at the first step of its journal that `at` wants, it is killed with all its children."""
    folder, log = launched.state / "runs", launched.state.parent / "watched.log"
    before = {path.name for path in folder.glob("*")}
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOOTSTRAP_"))}
    with log.open("w") as output:
        child = subprocess.Popen(
            ["./bootstrap.py", "-e", NAME, "--yes", *arguments],
            cwd=launched.checkout,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return followed(child, folder, before, log, at, seconds)


def followed(
    child: subprocess.Popen[bytes],
    folder: Path,
    before: set[str],
    log: Path,
    at: Callable[[Step], bool],
    seconds: float = 900,
) -> Ended:
    """Follow a run that was just begun, with a session of its own and its output in `log`: killed where `at` wants it.

    `folder` is where its journal will be, in a folder that is not among those `before`.
    """
    told: list[Event] = []
    for event in _told(child, folder, before, time.monotonic() + seconds):
        told.append(event)
        reached = step(event)
        if reached is not None and at(reached):
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return Ended(reached, child.returncode, log.read_text(), told)
    return Ended(None, child.wait(), log.read_text(), told)


def _told(child: subprocess.Popen[bytes], folder: Path, before: set[str], end: float) -> Iterator[Event]:
    """The events of the child's run as they come, until it ends."""
    seen = 0
    while True:
        is_over = child.poll() is not None
        found = [path for path in folder.glob("*/journal.jsonl") if path.parent.name not in before]
        told = events(found[0]) if found else []
        yield from told[seen:]
        seen = len(told)
        if is_over:
            return
        assert time.monotonic() < end, "the run never ended"
        time.sleep(0.004)


def killed_on_the_way(
    launched: Launched, arguments: list[str], wanted: Callable[[Step], bool], most: Callable[[str], int]
) -> tuple[list[Step], Ended]:
    """The command, killed and given again, each time at the first step at which it was not killed yet, until it ends.

    At most `most(act)` times in an act. Returns the steps at which it was killed, and its end.
    """
    killed: list[Step] = []

    def at(reached: Step) -> bool:
        in_act = sum(act == reached[0] for act, _, _ in killed)
        return reached not in killed and wanted(reached) and in_act < most(reached[0])

    while True:
        ended = watched(launched, arguments, at)
        if ended.killed_at is None:
            return killed, ended
        killed.append(ended.killed_at)
