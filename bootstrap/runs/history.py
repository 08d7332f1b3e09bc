"""The runs that an environment has seen, read back from their journals: a line for each, one in full, one by a resource.

A journal tells how its run ended only where the run came to say so. Of one that does not, only the environment's lock knows
whether it still goes on; else it was killed, or looks at something in another window: 'stopped'.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bootstrap import wording
from bootstrap.errors import UsageError

JOURNAL = "journal.jsonl"
_SIGNS = {"add": "+", "alter": "~", "replace": "±", "remove": "-"}


@dataclass(frozen=True)
class Summary:
    """One run: when it began (UTC), what it was, how it ended, how much it changed or found to change, and its seconds.

    One without acts only looked something up.
    """

    run: str
    when: str
    command: str
    outcome: str
    changes: int
    seconds: float
    had_acts: bool = True


def history(folder: Path, holder: str | None = None) -> tuple[Summary, ...]:
    """The runs under `folder`, oldest first; `holder` is the run that holds the environment now."""
    journals = sorted(folder.glob(f"*/{JOURNAL}"))
    found = ((path.parent.name, events(path)) for path in journals)
    return tuple(summary(run, told, is_going_on=run == holder) for run, told in found if told)


def events(journal: Path) -> list[dict[str, Any]]:
    """A journal's events; a last line that a killed run left half written is passed over."""
    found = []
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def summary(run: str, told: Sequence[Mapping[str, Any]], *, is_going_on: bool = False) -> Summary:
    """One run's line, from its events."""
    first, last = datetime.fromisoformat(told[0]["time"]), datetime.fromisoformat(told[-1]["time"])
    return Summary(
        run=run,
        when=f"{first:%Y-%m-%d %H:%M:%S}",
        command=next((str(event["command"]) for event in told if event["event"] == "run-began"), ""),
        outcome=_outcome(told, is_going_on=is_going_on),
        changes=sum(event["event"] == "change" for event in told),
        seconds=(last - first).total_seconds(),
        had_acts=any(event["event"] == "act-began" for event in told),
    )


def _outcome(told: Sequence[Mapping[str, Any]], *, is_going_on: bool) -> str:
    for event in reversed(told):
        if event["event"] == "run-failed":
            return f"failed: {event['error']}"
        if event["event"] == "run-ended":
            red = sum(check["event"] == "check" and check["outcome"] in {"failed", "error"} for check in told)
            return f"{wording.counted(red, 'check')} failed" if red else _found(told)
    return "going on" if is_going_on else "stopped"


def _found(told: Sequence[Mapping[str, Any]]) -> str:
    """What a run that only looked has found; 'done' of any other."""
    drift = next((event for event in told if event["event"] == "drift"), None)
    if drift is not None:
        return wording.drifted(len(drift["lines"]))
    is_plan = any(event["event"] == "run-began" and event["command"] == "plan" for event in told)
    pending = sum(event["event"] == "change" for event in told) if is_plan else 0
    return f"{wording.counted(pending, 'change')} pending" if pending else "done"


def find(folder: Path, wanted: str | None) -> Path:
    """The journal of the run whose name begins with `wanted`; of the last one that had acts where none is named.

    UsageError where there is not exactly one.
    """
    if wanted:
        fitting = sorted(path.parent.name for path in folder.glob(f"{glob.escape(wanted)}*/{JOURNAL}"))
    else:
        fitting = [it.run for it in history(folder) if it.had_acts][-1:]
    if len(fitting) == 1:
        return folder / fitting[0] / JOURNAL
    found = f"{len(fitting)} runs begin with '{wanted}'" if fitting else "there is no such run in this checkout"
    raise UsageError(f"looking for the run {wanted or 'that was last'}", found, "'history' lists the runs.")


def text(told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A run in plain lines: its acts, what each changed, what it told, and how it ended."""
    for event in told:
        match event["event"]:
            case "run-began":
                yield f"{event['command']} {event['environment']}, run {event['run']}, begun {event['time']}"
            case "commit":
                yield f"commit {event['commit']}"
            case "act-began":
                yield f"{event['act']:<7} {event['title']}"
            case "act-ended":
                outcome = wording.counted(event["changes"], "change") if event["changes"] else "no change"
                yield f"        {outcome} in {event['seconds']:.1f} s"
            case "act-failed":
                yield f"        failed after {event['seconds']:.1f} s"
            case "change":
                yield f"      {_SIGNS.get(event['kind'], '?')} {event['name']}  {event['detail']}".rstrip()
            case "notice":
                yield f"      ! {event['text']}"
            case "drift":
                yield from (
                    f"      {it['where']} {it['name']}: {it['found']}; {it.get('remedy', '')}" for it in event["lines"]
                )
                yield from (f"      ! not checked: {it}" for it in event["unseen"])
            case "check" if event["outcome"] != "passed":
                yield f"      {event['outcome']} {event['group']}: {event['name']}"
            case "run-failed":
                yield f"failed {event['error']}: {event['doing']}"
                yield from (f"  {line}" for line in str(event["found"]).splitlines())
                yield f"try {event['remedy']}"
    yield f"outcome: {_outcome(told, is_going_on=False)}"
