"""What the commands print for a person: tables, the failure block, a question on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from bootstrap.errors import BootstrapError
from bootstrap.runs import terminal
from bootstrap.values import Verdict

_WIDE = 400  # characters
_OUTCOMES = {"passed": "green", "failed": "bold red", "error": "bold red", "skipped": "yellow"}


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table on standard output."""
    drawn = Table(*headings, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    # Into a pipe or a file, nothing is folded: a line stays a row.
    terminal.make_console(width=None if sys.stdout.isatty() else _WIDE, folds=True).print(drawn)


def print_verdict(result: Verdict) -> None:
    """The checks, a line each; after them the failed ones with what was found instead."""
    console = terminal.make_console()
    width = max((len(check.group) for check in result.checks), default=0)
    for check in result.checks:
        outcome = (f"{check.outcome:<7}", _OUTCOMES.get(check.outcome, ""))
        is_told = check.outcome in {"skipped", "passed"} and check.detail
        why = f" ({check.detail.partition(chr(10))[0]})" if is_told else ""
        console.print(Text.assemble(outcome, " ", (f"{check.group:<{width}}", "dim"), f"  {check.name}{why}"))
    for check in result.failed:
        console.print(Text.assemble((f"\n{check.group}: {check.name}", "bold red")))
        console.print(Text("\n".join(f"    {line}" for line in check.detail.strip().splitlines()[:15])))


def print_failure(error: BootstrapError) -> None:
    """An expected failure, on standard error: what was being done, what came back, what to try."""
    console = terminal.make_console(sys.stderr)
    console.print(Text.assemble(("failed ", "bold red"), (f"{type(error).__name__}: ", "red"), error.doing))
    for line in error.found.splitlines() or ["no output"]:
        console.print(Text(f"  {line}"))
    console.print(Text.assemble(("try ", "bold"), error.remedy))


def ask(question: str) -> bool:
    """A yes-or-no question on the terminal; anything but a yes is a no."""
    terminal.complain(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
