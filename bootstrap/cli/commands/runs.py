"""`history` and `report`: the runs of this checkout. They ask no cloud unless a resource is named."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from dataclasses import asdict
from pathlib import Path

from bootstrap.cli.command import Command, parse_line_count

_HEADINGS = ("when (UTC)", "command", "outcome", "changes", "seconds", "run")


def history(options: argparse.Namespace) -> int:
    """The environment's last runs, oldest first."""
    from bootstrap.cli import console
    from bootstrap.environment import lock
    from bootstrap.runs import history as runs
    from bootstrap.runs import terminal

    state = _find_state(options)
    holder = lock.read_holder(state)
    listed = runs.list_runs(state / "runs", holder.run if holder else None)
    listed = tuple(each for each in listed if options.all or each.had_acts)[-options.lines :]
    if options.json:
        for each in listed:
            terminal.write_json(asdict(each))
        return 0
    rows = [(it.when, it.command, it.outcome, str(it.changes), f"{it.seconds:.1f}", it.run) for it in listed]
    console.print_table(_HEADINGS, rows)
    return 0


def report(options: argparse.Namespace) -> int:
    """The page of a run, named by its beginning or by a resource that it changed; the last run with acts by default."""
    from bootstrap.cli.environment_opening import open_environment
    from bootstrap.cloud import tags
    from bootstrap.runs import history as runs
    from bootstrap.runs import report as pages
    from bootstrap.runs import terminal

    if options.run and (":" in options.run or _is_resource_id(options.run)):
        with open_environment(options) as (opened, _):
            options.run = tags.run_of(opened.world.aws, opened.settings, options.run)
    if options.resources:
        return _list_resources(options)
    journal = _find_journal(options)
    page = pages.write(journal)
    if options.json:
        for event in runs.read_events(journal):
            terminal.write_json(event)
    elif options.text:
        for line in runs.format_run(runs.read_events(journal)):
            _print(line)
    else:
        _print(str(page))
        if sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(page.as_uri())
    return 0


def _list_resources(options: argparse.Namespace) -> int:
    """What carries the run's tag in the cloud."""
    from bootstrap.cli import console
    from bootstrap.cli.environment_opening import open_environment
    from bootstrap.cloud import tags
    from bootstrap.runs import terminal

    journal = _find_journal(options)
    with open_environment(options) as (opened, _):
        resources = tags.list_resources(opened.world.aws, opened.settings, journal.parent.name)
    if options.json:
        for each in resources:
            terminal.write_json({"arn": each.arn, "tags": dict(each.tags)})
    elif not resources:
        _print(f"no resource carries the tag of the run {journal.parent.name}")
    else:
        rows = [(each.kind, each.identity, each.tags.get("Commit", "")[:12]) for each in resources]
        console.print_table(("what", "which", "commit"), rows)
    return 0


def _find_journal(options: argparse.Namespace) -> Path:
    from bootstrap.errors import UsageError
    from bootstrap.runs import history as runs

    try:
        return runs.find(_find_state(options) / "runs", options.run)
    except UsageError as error:
        error.remedy += " A run of a job on the machine is in that build's artifacts."
        raise


def _is_resource_id(text: str) -> bool:
    """Whether a text is a resource's id and no run's: a run's name begins with its date."""
    return not text[:1].isdigit()


def _find_state(options: argparse.Namespace) -> Path:
    from bootstrap import context
    from bootstrap.environment import settings
    from bootstrap.runs import state_folder

    chosen = settings.load(context.find_named_file(options.environment))
    state_folder.require_access(context.PROJECT / ".bootstrap", chosen.name)
    return context.PROJECT / ".bootstrap" / chosen.name


def _print(line: str) -> None:
    from bootstrap.runs import terminal

    terminal.write(f"{line}\n")


def _add_history_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=parse_line_count, default=20, help="number of runs (default: 20)")
    parser.add_argument("--all", action="store_true", help="include read-only runs: status, password ...")


def _add_report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="a run, the beginning of its name, or a resource's id or ARN; without it, the last run",
    )
    parser.add_argument("--text", action="store_true", help="print the run as plain text, not the path of its report")
    parser.add_argument("--resources", action="store_true", help="the resources that carry the run's tag")


COMMANDS = (
    Command(
        "history",
        160,
        "list the runs of this checkout with their outcome",
        history,
        (
            ("history --lines 5", "the last five runs"),
            ("history --all", "include read-only runs"),
        ),
        _add_history_arguments,
    ),
    Command(
        "report",
        170,
        "the report of a run, also found by a resource that the run changed",
        report,
        (
            ("report", "the report of the last run"),
            ("report 20260131T101500Z-4f2a --text", "a run, in this terminal"),
            ("report i-0abc1234", "the run that last changed a resource"),
        ),
        _add_report_arguments,
    ),
)
