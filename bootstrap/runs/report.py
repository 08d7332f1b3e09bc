"""A run as one self-contained page, drawn from its journal: how it ended, when each act ran, what changed, what was proved.

The page needs nothing from elsewhere: no script, no font; the network's picture is a part of it. It follows the reader's light
or dark, and prints whole: what is folded on the screen is open on paper. What a journal does not tell is left out; a journal
that a killed run left is drawn as far as it came.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment

from bootstrap import wording

_PAGE = Path(__file__).with_name("report.html.j2")
_BAD = frozenset({"failed", "error"})
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds between two marks
_MARKS = 8  # at most that many on the axis


@dataclass
class _Act:
    name: str
    title: str
    start: float
    seconds: float = 0.0
    changes: int = 0
    failed: bool = False
    is_over: bool = False


@dataclass
class _Run:
    """What the page shows, gathered from the journal's events in their order; times in seconds since the run began."""

    run: str = ""
    command: str = ""
    environment: str = ""
    began: str = ""
    commit: str = ""
    url: str = ""
    seconds: float = 0.0
    is_over: bool = False
    acts: list[_Act] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    drifted: list[dict[str, Any]] | None = None
    notices: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[tuple[str, str]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)
    costs: str = ""
    picture: str = ""
    no_picture: str = ""
    failure: dict[str, Any] | None = None

    @property
    def failed_checks(self) -> list[dict[str, Any]]:
        """The checks that do not hold."""
        return [check for check in self.checks if check["outcome"] in _BAD]

    @property
    def check_groups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The checks by what they look at, in the suite's order."""
        return [(name, list(checks)) for name, checks in itertools.groupby(self.checks, lambda check: check["group"])]

    @property
    def change_groups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The changes by their act, in their order."""
        return [
            (name, list(changes)) for name, changes in itertools.groupby(self.changes, lambda change: change["act"])
        ]

    @property
    def summary(self) -> str:
        """How many checks passed, failed and were skipped."""
        return wording.count_outcomes([check["outcome"] for check in self.checks])

    @property
    def outcome(self) -> tuple[str, str]:
        """How it ended, as a class of the page and in words."""
        if self.failure is not None:
            return "bad", "failed"
        if self.failed_checks:
            return "bad", f"{wording.counted(len(self.failed_checks), 'check')} failed"
        if not self.is_over:
            return "open", "stopped, or still running"
        if self.drifted is not None:
            return "open" if self.drifted else "good", wording.drifted(len(self.drifted))
        if self.command == "plan" and self.changes:
            return "open", f"{wording.counted(len(self.changes), 'change')} pending"
        return "good", "verified" if self.checks else "done"

    @property
    def marks(self) -> list[tuple[float, str]]:
        """The axis under the acts: where each mark stands, in percent, and what it says."""
        whole = self.seconds or 1.0
        step = next((it for it in _STEPS if whole / it <= _MARKS), _STEPS[-1])
        return [(100 * it * step / whole, _seconds(it * step)) for it in range(int(whole / step) + 1)]


def write(journal: Path) -> Path:
    """Draw the run of that journal beside it; returns the page's path."""
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    page = journal.with_name("report.html")
    page.write_text(render(lines, journal.parent), encoding="utf-8")
    page.chmod(0o600)
    return page


def render(events: Sequence[dict[str, Any]], folder: Path | None = None) -> str:
    """The page of a run's events; the pictures that they name lie in that folder."""
    drawing = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    drawing.filters["seconds"] = _seconds
    drawing.filters["diffed"] = _diffed
    drawing.filters["counted"] = wording.counted
    return drawing.from_string(_PAGE.read_text(encoding="utf-8")).render(it=_gather(events, folder))


def _seconds(value: float) -> str:
    """A time for a reader: 0.4 s, 12 s, 2 min 5 s."""
    if value < 0.1:
        return "0 s" if value == 0 else "< 0.1 s"
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{value:.0f} s" if value >= 10 or value == int(value) else f"{value:.1f} s"


def _diffed(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a unified diff, each with the class that colours it."""
    for line in text.splitlines():
        yield {"+": "add", "-": "remove", "@": "dim"}.get(line[:1], ""), line


def _gather(events: Sequence[dict[str, Any]], folder: Path | None) -> _Run:
    found = _Run()
    begun = None
    for event in events:
        moment = datetime.fromisoformat(event["time"])
        begun = begun or moment
        found.began = found.began or f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        found.seconds = (moment - begun).total_seconds()
        _take(found, event)
    if found.picture:
        drawn = folder / found.picture if folder else None
        found.picture = drawn.read_text(encoding="utf-8") if drawn is not None and drawn.is_file() else ""
    for act in found.acts:
        if not act.is_over:  # a killed run's last act: as long as anything was heard of it
            act.seconds, act.failed = found.seconds - act.start, not found.is_over
    return found


def _take(found: _Run, event: dict[str, Any]) -> None:
    match event["event"]:
        case "run-began":
            found.run, found.command, found.environment = event["run"], event["command"], event["environment"]
        case "commit":
            found.commit = event["commit"]
        case "act-began":
            found.acts.append(_Act(event["act"], event.get("title", ""), found.seconds))
        case "act-ended" | "act-failed":
            act = found.acts[-1]
            act.seconds, act.changes, act.is_over = event["seconds"], event.get("changes", 0), True
            act.failed = event["event"] == "act-failed"
        case "change":
            found.changes.append(event)
        case "notice":
            found.notices.append(event["text"])
        case "check":
            found.checks.append(event)
        case "evidence":
            found.evidence.append(_evidence(event))
        case _:
            _take_facts(found, event)


def _take_facts(found: _Run, event: dict[str, Any]) -> None:
    match event["event"]:
        case "drift":
            found.drifted = event["lines"]
        case "versions":
            found.versions |= {name: str(version) for name, version in event["of"].items() if version}
        case "resources":
            found.resources += event["of"]
        case "costs":
            found.costs = (
                f"about {event['monthly']} {event['currency']} a month on AWS, by prices noted on {event['noted_on']}"
            )
        case "picture":
            found.picture = event["path"]
        case "no-picture":
            found.no_picture = event["reason"]
        case "launched":
            found.url = event["url"]
        case "run-failed":
            found.failure, found.is_over = event, True
        case "run-ended":
            found.is_over = True


def _evidence(event: dict[str, Any]) -> tuple[str, str]:
    """What a piece of evidence is called, and its text: whatever else the event tells, in its order."""
    title = next((str(event[key]) for key in ("title", "name", "kind", "what") if event.get(key)), "evidence")
    text = next((event[key] for key in ("text", "lines", "detail", "found") if event.get(key)), "")
    return title, "\n".join(map(str, text)) if isinstance(text, list) else str(text)
