"""A run as one self-contained page, drawn from its journal: acts to scale, changes, notices, checks, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment

_PAGE = Path(__file__).with_name("report.html.j2")


@dataclass
class _Act:
    name: str
    start: float
    seconds: float = 0.0
    changes: int = 0
    failed: bool = False


@dataclass
class _Run:
    """What the page shows, gathered from the journal's events in their order."""

    run: str = ""
    command: str = ""
    environment: str = ""
    commit: str = ""
    seconds: float = 0.0
    acts: list[_Act] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    failure: dict[str, Any] | None = None


def write(journal: Path) -> Path:
    """Draw the run of that journal beside it; returns the page's path."""
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    page = journal.with_name("report.html")
    page.write_text(render(lines), encoding="utf-8")
    page.chmod(0o600)
    return page


def render(events: Sequence[dict[str, Any]]) -> str:
    """The page of a run's events."""
    found = _gather(events)
    return Environment(autoescape=True).from_string(_PAGE.read_text(encoding="utf-8")).render(vars(found))


def _gather(events: Sequence[dict[str, Any]]) -> _Run:
    found = _Run()
    begun = None
    for event in events:
        moment = datetime.fromisoformat(event["time"])
        begun = begun or moment
        found.seconds = (moment - begun).total_seconds()
        _take(found, event)
    return found


def _take(found: _Run, event: dict[str, Any]) -> None:
    match event["event"]:
        case "run-began":
            found.run, found.command, found.environment = event["run"], event["command"], event["environment"]
        case "commit":
            found.commit = event["commit"]
        case "act-began":
            found.acts.append(_Act(event["act"], found.seconds))
        case "act-ended" | "act-failed":
            act = found.acts[-1]
            act.seconds, act.changes = event["seconds"], event.get("changes", 0)
            act.failed = event["event"] == "act-failed"
        case "change":
            found.changes.append(event)
        case "notice":
            found.notices.append(event["text"])
        case "check":
            found.checks.append(event)
        case "run-failed":
            found.failure = event
