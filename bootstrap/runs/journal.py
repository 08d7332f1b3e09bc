"""One run of the toolkit: its journal, and its lines on the console.

A run appends one JSON object a line to `.bootstrap/<environment>/runs/<run>/journal.jsonl`. Each line is flushed to disk, so
that the journal of a killed run shows how far it came. The console shows the same events: one line for each act with its
elapsed time, and one line for each change. With `--json` the events themselves go to standard output.
"""

from __future__ import annotations

import datetime
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from bootstrap import wording
from bootstrap.runs import state_folder, terminal
from bootstrap.values import Change, ChangeKind

_SIGNS = {ChangeKind.ADD: ("+", "green"), ChangeKind.ALTER: ("~", "yellow"), ChangeKind.REPLACE: ("±", "magenta")}
_DIFF = {"+": "green", "-": "red"}
_REMOVED = ("-", "red")


def make_run_id(now: datetime.datetime | None = None) -> str:
    """The id of a run: UTC to the second, and four random hexadecimal digits. Ids sort by time."""
    moment = now or datetime.datetime.now(datetime.UTC)
    return f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


class Journal:
    """The record of one run: one JSON object a line; each is on disk before the next step begins."""

    def __init__(self, folder: Path) -> None:
        state_folder.make(folder)
        self.path = folder / "journal.jsonl"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, event: dict[str, Any]) -> None:
        """Append one event and flush it to disk."""
        os.write(self._file, f"{terminal.format_json(event)}\n".encode())
        os.fsync(self._file)


class Run:
    """One execution of a command: implements `values.Reporter`, writes the journal, and prints to the console."""

    def __init__(
        self,
        run_id: str,
        journal: Journal,
        *,
        as_json: bool = False,
        is_verbose: bool = False,
        out: TextIO | None = None,
    ) -> None:
        self.run_id = run_id
        self.journal = journal
        self.changes: list[Change] = []
        self.notices: list[str] = []
        self._as_json = as_json
        self._is_verbose = is_verbose
        self._console = terminal.make_console(out)
        self._act = ""
        self._start = time.monotonic()
        self._act_start = self._start

    @property
    def folder(self) -> Path:
        """The folder with the journal, the results and the report of this run."""
        return self.journal.path.parent

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._start

    def event(self, event: str, /, **data: Any) -> None:
        """Record one event; with --json it is also printed."""
        record = {"time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"), "run": self.run_id}
        record |= {"event": event, "act": self._act} | data
        self.journal.write(record)
        if self._as_json:
            terminal.write_json(record)
            sys.stdout.flush()

    @contextmanager
    def act(self, name: str, title: str, *, ending: str = "") -> Iterator[None]:
        """Report one act: a line before it, and a line after it with the number of changes and the elapsed time.

        `ending` is the text for an act without changes; by default 'nothing to do'.
        """
        self._act, self._act_start = name, time.monotonic()
        before = len(self.changes)
        self.event("act-began", title=title)
        self._say(Text.assemble((f"{name:<7}", "bold"), " ", title))
        try:
            yield
        except BaseException as error:
            self.event("act-failed", seconds=self._measure_elapsed(), error=type(error).__name__)
            self._say(Text.assemble("        ", ("failed", "bold red"), f" after {self._measure_elapsed():.1f} s"))
            raise
        else:
            changed = len(self.changes) - before
            self.event("act-ended", seconds=self._measure_elapsed(), changes=changed)
            outcome = wording.count_noun(changed, "change") if changed else ending or "nothing to do"
            self._say(Text.assemble("        ", (outcome, "green"), f" in {self._measure_elapsed():.1f} s"))
        finally:
            self._act = ""

    def change(self, change: Change) -> None:
        """Report one change; it is printed with its sign."""
        self.changes.append(change)
        diff = {"diff": change.diff} if change.diff else {}
        self.event("change", kind=str(change.kind), name=change.name, detail=change.detail, **diff)
        sign, colour = _SIGNS.get(change.kind, _REMOVED)
        detail = f"  {change.detail}" if change.detail else ""
        self._say(Text.assemble("      ", (sign, colour), f" {change.name}", (detail, "dim")))
        self.diff(change.diff)

    def progress(self, text: str) -> None:
        """Report progress: shown on a terminal or with -v, otherwise only recorded."""
        self.event("progress", text=text)
        if self._is_verbose or self._console.is_terminal:
            self._say(Text(f"        {self._measure_elapsed():6.1f} s  {text}", style="dim"))

    def transfer(self, text: str) -> None:
        """Report how far a long transfer is: recorded as progress, and always shown."""
        self.event("progress", text=text)
        self._say(Text(f"        {self._measure_elapsed():6.1f} s  {text}", style="dim"))

    @property
    def terminal(self) -> Console | None:
        """The console, if it is a terminal on which something can move; None with --json."""
        return self._console if self._console.is_terminal and not self._as_json else None

    def detail(self, text: str) -> None:
        """Print a line, only with -v. It is not recorded, because the journal has its content already."""
        if self._is_verbose:
            self._say(Text(f"        {text}", style="dim"))

    def diff(self, text: str) -> None:
        """Print the lines of a unified diff, only with -v."""
        if self._is_verbose:
            for line in text.splitlines():
                self._say(Text(f"          {line}", style=_DIFF.get(line[:1], "dim")))

    def notice(self, text: str) -> None:
        """Report something that a person must know; always shown, and repeated in the report."""
        self.notices.append(text)
        self.event("notice", text=text)
        self._say(Text.assemble("      ", ("!", "bold yellow"), f" {text}"))

    def say(self, text: str = "") -> None:
        """Print a line of text; nothing with --json."""
        self._say(Text(text))

    def _measure_elapsed(self) -> float:
        return round(time.monotonic() - self._act_start, 3)

    def _say(self, text: Text) -> None:
        if not self._as_json:
            self._console.print(text)


def start(folder: Path, *, as_json: bool = False, is_verbose: bool = False) -> Run:
    """Begin a run under `folder` (an environment's `runs`)."""
    run_id = make_run_id()
    return Run(run_id, Journal(folder / run_id), as_json=as_json, is_verbose=is_verbose)
