"""The report of a run: one HTML page, made from its journal, with outcome, times of the acts, changes and checks.

The page loads nothing from elsewhere: it has no script and no font, and contains the picture of the network. It follows the
light or dark mode of the browser. In print, everything is unfolded. What the journal does not have is left out; the report of a
killed run shows how far it came.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template

from bootstrap import wording

_PAGE = Path(__file__).with_name("report.html.j2")
_BAD = frozenset({"failed", "error"})
# Seconds between two marks of the axis.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MARKS = 8  # the largest number of marks on the axis


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
    """The content of the page, collected from the events of the journal; times are seconds since the run began."""

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
    unseen: list[str] = field(default_factory=list)  # what 'drift' could not look at
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
        """The checks that failed or had an error."""
        return [check for check in self.checks if check["outcome"] in _BAD]

    @property
    def check_groups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The checks by group, in the order of the suite."""
        return [(name, list(checks)) for name, checks in itertools.groupby(self.checks, lambda check: check["group"])]

    @property
    def change_groups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The changes by act, in their order."""
        return [
            (name, list(changes)) for name, changes in itertools.groupby(self.changes, lambda change: change["act"])
        ]

    @property
    def summary(self) -> str:
        """How many checks passed, failed and were skipped."""
        return wording.count_outcomes([check["outcome"] for check in self.checks])

    @property
    def outcome(self) -> tuple[str, str]:
        """The outcome of the run: the CSS class, and the text."""
        if self.failure is not None:
            return "bad", "failed"
        if self.failed_checks:
            return "bad", f"{wording.count_noun(len(self.failed_checks), 'check')} failed"
        if not self.is_over:
            return "open", "stopped, or still running"
        if self.drifted is not None:
            told = wording.count_drifted(len(self.drifted), len(self.unseen))
            return "bad" if self.unseen and not self.drifted else "open" if self.drifted else "good", told
        if self.command == "plan" and self.changes:
            return "open", f"{wording.count_noun(len(self.changes), 'change')} pending"
        return "good", "verified" if self.checks else "done"

    @property
    def marks(self) -> list[tuple[float, str]]:
        """The marks of the time axis: position in percent, and text."""
        whole = self.seconds or 1.0
        step = next((it for it in _STEPS if whole / it <= _MARKS), _STEPS[-1])
        return [(100 * it * step / whole, _format_seconds(it * step)) for it in range(int(whole / step) + 1)]


def write(journal: Path) -> Path:
    """Write the report of a journal into the same folder; returns the path of the page."""
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    page = journal.with_name("report.html")
    page.write_text(render(lines, journal.parent), encoding="utf-8")
    page.chmod(0o600)
    return page


def render(events: Sequence[dict[str, Any]], folder: Path | None = None) -> str:
    """The page for the events of a run; `folder` has the picture that they name."""
    return _compile(_PAGE).render(it=_gather(events, folder))


@cache
def _compile(page: Path) -> Template:
    drawing = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    drawing.filters["seconds"] = _format_seconds
    drawing.filters["diffed"] = _classify_diff_lines
    drawing.filters["counted"] = wording.count_noun
    return drawing.from_string(page.read_text(encoding="utf-8"))


def _format_seconds(value: float) -> str:
    """A duration as text: 0.4 s, 12 s, 2 min 5 s."""
    if value < 0.1:
        return "0 s" if value == 0 else "< 0.1 s"
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{value:.0f} s" if value >= 10 or value == int(value) else f"{value:.1f} s"


def _classify_diff_lines(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a unified diff, each with its CSS class."""
    for line in text.splitlines():
        yield {"+": "add", "-": "remove", "@": "dim"}.get(line[:1], ""), line


def _gather(events: Sequence[dict[str, Any]], folder: Path | None) -> _Run:
    page_data = _Run()
    begun = None
    for event in events:
        moment = datetime.fromisoformat(event["time"])
        begun = begun or moment
        page_data.began = page_data.began or f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        page_data.seconds = (moment - begun).total_seconds()
        _take(page_data, event)
    if page_data.picture:
        drawn = folder / page_data.picture if folder else None
        page_data.picture = drawn.read_text(encoding="utf-8") if drawn is not None and drawn.is_file() else ""
    for act in page_data.acts:
        if not act.is_over:  # the last act of a killed run: its end is the time of the last event
            act.seconds, act.failed = page_data.seconds - act.start, not page_data.is_over
    return page_data


def _take(page_data: _Run, event: dict[str, Any]) -> None:
    match event["event"]:
        case "run-began":
            page_data.run, page_data.command, page_data.environment = (
                event["run"],
                event["command"],
                event["environment"],
            )
        case "commit":
            page_data.commit = event["commit"]
        case "act-began":
            page_data.acts.append(_Act(event["act"], event.get("title", ""), page_data.seconds))
        case "act-ended" | "act-failed":
            act = page_data.acts[-1]
            act.seconds, act.changes, act.is_over = event["seconds"], event.get("changes", 0), True
            act.failed = event["event"] == "act-failed"
        case "change":
            page_data.changes.append(event)
        case "notice":
            page_data.notices.append(event["text"])
        case "check":
            page_data.checks.append(event)
        case "evidence":
            page_data.evidence.append(_format_evidence(event))
        case _:
            _take_facts(page_data, event)


def _take_facts(page_data: _Run, event: dict[str, Any]) -> None:
    match event["event"]:
        case "drift":
            page_data.drifted = event["lines"]
            page_data.unseen = list(event.get("unseen", ()))
        case "versions":
            page_data.versions |= {name: str(version) for name, version in event["of"].items() if version}
        case "resources":
            page_data.resources += event["of"]
        case "costs":
            page_data.costs = (
                f"about {event['monthly']} {event['currency']} a month on AWS, by prices noted on {event['noted_on']}"
            )
        case "picture":
            page_data.picture = event["path"]
        case "no-picture":
            page_data.no_picture = event["reason"]
        case "launched":
            page_data.url = event["url"]
        case "run-failed":
            page_data.failure, page_data.is_over = event, True
        case "run-ended":
            page_data.is_over = True


def _format_evidence(event: dict[str, Any]) -> tuple[str, str]:
    """Title and text of a piece of evidence."""
    title = next((str(event[key]) for key in ("title", "name", "kind", "what") if event.get(key)), "evidence")
    text = next((event[key] for key in ("text", "lines", "detail", "found") if event.get(key)), "")
    return title, "\n".join(map(str, text)) if isinstance(text, list) else str(text)
