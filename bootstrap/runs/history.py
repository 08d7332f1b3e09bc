"""The runs of an environment, read from their journals: a line for each run, or one run in full.

A journal has the outcome of its run only if the run could write it. If it does not, the environment lock shows whether the run
still goes on. Otherwise the outcome is 'stopped': the run was killed, or it is a run without a lock that still goes on.
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
    """One run: its begin (UTC), command, outcome, number of changes or of pending changes, and duration in seconds.

    A run without acts only read something.
    """

    run: str
    when: str
    command: str
    outcome: str
    changes: int
    seconds: float
    had_acts: bool = True


def list_runs(folder: Path, holder: str | None = None) -> tuple[Summary, ...]:
    """The runs under `folder`, oldest first; `holder` is the run that has the environment lock now."""
    journals = sorted(folder.glob(f"*/{JOURNAL}"))
    events_by_run = ((path.parent.name, read_events(path)) for path in journals)
    return tuple(
        summarize_run(run, run_events, is_going_on=run == holder) for run, run_events in events_by_run if run_events
    )


def read_events(journal: Path) -> list[dict[str, Any]]:
    """The events of a journal; a line that a killed run wrote only in part is skipped."""
    parsed = []
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            parsed.append(json.loads(line))
        except ValueError:
            continue
    return parsed


def summarize_run(run: str, run_events: Sequence[Mapping[str, Any]], *, is_going_on: bool = False) -> Summary:
    """Make the summary of one run from its events, of which there is at least one."""
    first, last = datetime.fromisoformat(run_events[0]["time"]), datetime.fromisoformat(run_events[-1]["time"])
    return Summary(
        run=run,
        when=f"{first:%Y-%m-%d %H:%M:%S}",
        command=next((str(event["command"]) for event in run_events if event["event"] == "run-began"), ""),
        outcome=_find_outcome(run_events, is_going_on=is_going_on),
        changes=sum(event["event"] == "change" for event in run_events),
        seconds=(last - first).total_seconds(),
        had_acts=any(event["event"] == "act-began" for event in run_events),
    )


def _find_outcome(run_events: Sequence[Mapping[str, Any]], *, is_going_on: bool) -> str:
    for event in reversed(run_events):
        if event["event"] == "run-failed":
            return f"failed: {event['error']}"
        if event["event"] == "run-ended":
            failed_checks = sum(
                check["event"] == "check" and check["outcome"] in {"failed", "error"} for check in run_events
            )
            return (
                f"{wording.count_noun(failed_checks, 'check')} failed"
                if failed_checks
                else _describe_success(run_events)
            )
    return "going on" if is_going_on else "stopped"


def _describe_success(run_events: Sequence[Mapping[str, Any]]) -> str:
    """The outcome of a run without an error: its drift or pending changes, else 'done'."""
    drift = next((event for event in run_events if event["event"] == "drift"), None)
    if drift is not None:
        return wording.count_drifted(len(drift["lines"]), len(drift.get("unseen", ())))
    is_plan = any(event["event"] == "run-began" and event["command"] == "plan" for event in run_events)
    pending = sum(event["event"] == "change" for event in run_events) if is_plan else 0
    return f"{wording.count_noun(pending, 'change')} pending" if pending else "done"


def find(folder: Path, prefix: str | None) -> Path:
    """The journal of the run whose id begins with `prefix`; without a prefix, of the last run that had acts.

    UsageError if there is not exactly one.
    """
    if prefix:
        fitting = sorted(path.parent.name for path in folder.glob(f"{glob.escape(prefix)}*/{JOURNAL}"))
    else:
        fitting = [it.run for it in list_runs(folder) if it.had_acts][-1:]
    if len(fitting) == 1:
        return folder / fitting[0] / JOURNAL
    message = f"{len(fitting)} runs begin with '{prefix}'" if fitting else "there is no such run in this checkout"
    raise UsageError(f"looking for the run {prefix or 'that was last'}", message, "'history' lists the runs.")


def format_run(run_events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A run as lines of text: its acts with their changes and notices, and its outcome."""
    for event in run_events:
        match event["event"]:
            case "run-began":
                yield f"{event['command']} {event['environment']}, run {event['run']}, begun {event['time']}"
            case "commit":
                yield f"commit {event['commit']}"
            case "act-began":
                yield f"{event['act']:<7} {event['title']}"
            case "act-ended":
                outcome = wording.count_noun(event["changes"], "change") if event["changes"] else "no change"
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
                yield from (f"      ! not looked at: {it}" for it in event["unseen"])
            case "check" if event["outcome"] != "passed":
                yield f"      {event['outcome']} {event['group']}: {event['name']}"
            case "run-failed":
                yield f"failed {event['error']}: {event['doing']}"
                yield from (f"  {line}" for line in str(event["found"]).splitlines())
                yield f"try {event['remedy']}"
    yield f"outcome: {_find_outcome(run_events, is_going_on=False)}"
