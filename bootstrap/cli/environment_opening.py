"""Opening an environment for a command: its settings, its lock, the local cloud, and the journal of the run."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import context
from bootstrap.cli import console
from bootstrap.cloud import refusals
from bootstrap.context import PROJECT, Context
from bootstrap.environment import lock as environment_lock
from bootstrap.environment import models, settings
from bootstrap.errors import BootstrapError, UsageError
from bootstrap.runs import report, terminal
from bootstrap.runs.journal import Run, start
from bootstrap.runs.state_folder import make_private, require_access
from bootstrap.values import Change, Verdict

if TYPE_CHECKING:
    from bootstrap.local.cloud import LocalCloud

DONE, FAILED, PENDING = 0, 1, 2
"""The exit codes; argparse exits with 2 for wrong usage, too."""

Check = Callable[[argparse.Namespace, Context], None]
Prepare = Callable[[argparse.Namespace, Context, Run], None]


def accept(_: argparse.Namespace, __: Context) -> None:
    """The check of a command that reads nothing but its environment file."""


def prepare_nothing(_: argparse.Namespace, __: Context, ___: Run) -> None:
    """The preparation of a command that needs nothing more before a cloud is reached."""


@contextlib.contextmanager
def open_environment(
    options: argparse.Namespace,
    *,
    check: Check = accept,
    prepare: Prepare = prepare_nothing,
    brings_up: bool = False,
    plans: bool = False,
    changes: bool = False,
    reaches_cloud: bool = True,
) -> Iterator[tuple[Context, Run]]:
    """Open the environment that the options name, for one run of a command.

    `check` refuses what people wrote and the command would fail on later, before anything is touched: no lock is taken
    and no cloud is reached. A command that `changes` something holds the environment's lock from then on. Under it, so that two
    launches never load into one file, `prepare` gets what must be here before a cloud is reached. The local cloud is started
    where `brings_up` says so. A command that `plans` gets one without machines for as long as it runs, where nothing was
    launched; every other command needs the one of a launch. With `reaches_cloud` false no cloud is reached at all.
    """
    path = context.find_named_file(options.environment)
    chosen = settings.load(path)
    require_access(PROJECT / ".bootstrap", chosen.name)
    make_private(PROJECT / ".bootstrap")
    run = start(PROJECT / ".bootstrap" / chosen.name / "runs", as_json=options.json, is_verbose=options.verbose)
    run.event("run-began", command=options.command, environment=chosen.name)
    try:
        with contextlib.ExitStack() as exits:
            unopened = exits.enter_context(Context(path, chosen))
            check(options, unopened)
            if changes:
                lock = environment_lock.hold_lock(run.folder.parents[1], options.command, run, run.run_id)
                exits.enter_context(lock)
            prepare(options, unopened, run)
            if not reaches_cloud:
                yield unopened, run
                run.event("run-ended", seconds=round(run.seconds, 3), changes=len(run.changes))
                return
            exits.enter_context(refusals.convert_errors(f"carrying out '{options.command}' for '{chosen.name}'"))
            cloud = _start_cloud(options, chosen, run, exits, brings_up=brings_up, plans=plans)
            opened = exits.enter_context(_open_context(path, chosen, cloud))
            opened.take_over(unopened)
            yield opened, run
        run.event("run-ended", seconds=round(run.seconds, 3), changes=len(run.changes))
    except BootstrapError as error:
        with contextlib.suppress(OSError):  # a full disk, for example: the failure itself must be told
            run.event(
                "run-failed", error=type(error).__name__, doing=error.doing, found=error.found, remedy=error.remedy
            )
        raise
    finally:
        _write_report(run)


def _write_report(run: Run) -> None:
    """Write the run's page. If it cannot be written, a notice says so, and the outcome of the run stays."""
    try:
        report.write(run.journal.path)
    except Exception as error:
        # Whatever the page fails at (its template, a line of the journal, a full disk) matters less than the run's outcome.
        with contextlib.suppress(OSError):
            run.notice(f"the report of this run cannot be written: {type(error).__name__}: {error}")


def _start_cloud(
    options: argparse.Namespace,
    chosen: models.Settings,
    run: Run,
    held: contextlib.ExitStack,
    *,
    brings_up: bool,
    plans: bool,
) -> LocalCloud | None:
    """The local cloud of the environment, which answers from now on; None where the cloud is AWS, or named by a variable."""
    if chosen.cloud != "local" and "AWS_ENDPOINT_URL" not in os.environ:
        return None  # on AWS nothing of the local cloud is loaded
    from bootstrap.local import cloud as local

    if local.is_elsewhere(chosen.name, PROJECT / ".bootstrap") or chosen.cloud != "local":
        return None

    cloud = local.LocalCloud(chosen, PROJECT / ".bootstrap" / chosen.name / "cloud")
    if brings_up:
        with run.act("cloud", "the local cloud", ending="ready"):
            cloud.bring_up(run, is_agreed=options.yes, ask=console.ask)
    elif plans and cloud.port is None:
        run.notice(
            "nothing was launched yet: a local cloud without machines makes the plan; a launch starts the local cloud"
        )
        cloud = held.enter_context(local.open_for_plan(chosen, cloud.state, run))
    else:
        cloud.attach(run)
    return cloud


def _open_context(path: Path, chosen: models.Settings, cloud: LocalCloud | None) -> Context:
    if cloud is None:
        return Context(path, chosen, os.environ.get("AWS_ENDPOINT_URL"))
    # Child processes (the acceptance suite) open the same environment by this variable, as the machine does.
    os.environ["AWS_ENDPOINT_URL"] = cloud.endpoint
    return Context(path, chosen, cloud.endpoint, cloud.make_machine_environment, cloud.state)


def choose_plan_exit_code(changes: Sequence[Change], options: argparse.Namespace) -> int:
    """2 when changes are pending, unless `--exit-zero` was given."""
    return PENDING if changes and not options.exit_zero else DONE


def judge(verdict: Verdict, options: argparse.Namespace) -> int:
    """Print a verdict; the exit code is 1 when a check failed."""
    if not options.json:  # with it, the run has told each check as an event already
        console.print_verdict(verdict)
        terminal.write(f"\nJUnit: {verdict.junit}\n")
    return DONE if verdict.is_green else FAILED


def is_agreed(options: argparse.Namespace, question: str) -> bool:
    """Whether a person at the terminal says yes, or the command line has --yes; UsageError where nobody can be asked."""
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            f"asking '{question}'", "there is no terminal, so nobody can answer", "Write --yes. Nothing was changed."
        )
    return console.ask(question)
