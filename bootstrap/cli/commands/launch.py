"""`launch` and `plan`: the whole play, carried out or only shown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command, add_exit_zero, add_now

if TYPE_CHECKING:
    from bootstrap.context import Context
    from bootstrap.runs.journal import Run


def launch(options: argparse.Namespace) -> int:
    """All five acts; the exit code is 1 when a check failed."""
    from bootstrap.cli.environment_opening import open_environment
    from bootstrap.cli.launch_ending import carry_out
    from bootstrap.planning import saved

    planned = saved.read(Path(options.plan)) if options.plan else None
    with open_environment(options, check=_check_launch, prepare=_prepare, brings_up=True, changes=True) as (
        opened,
        run,
    ):
        if planned is not None:
            saved.check(opened, run, planned)
        return carry_out(opened, run, options)


def plan(options: argparse.Namespace) -> int:
    """What a launch would change; the exit code is 2 when it would change something."""
    from bootstrap import wording
    from bootstrap.cli.environment_opening import choose_plan_exit_code, open_environment
    from bootstrap.cli.estimate import report_costs
    from bootstrap.planning import look, saved
    from bootstrap.projects import upgrade

    with open_environment(options, check=_check_plan, prepare=_prepare, plans=True) as (opened, run):
        upgrade.report_upgrade(opened.state, run)
        if options.out:
            kept = saved.make(opened, run)
            saved.write(kept, Path(options.out))
            changes = kept.changes
        else:
            changes = look.plan(opened, run)
        report_costs(opened, run)
        run.say(f"\n{wording.count_noun(len(changes), 'change')} pending" if changes else "\nnothing to do")
        return choose_plan_exit_code(changes, options)


def _prepare(options: argparse.Namespace, context: Context, run: Run) -> None:
    """Jenkins' own files, before a cloud is reached: a launch has them all by then, a plan knows that they can be had.

    A launch of a saved plan looks first, as that plan did; it loads them once it is known that the plan still holds.
    """
    from bootstrap.preconditions import jenkins_files

    jenkins_files.prepare(context, run, loads=options.command == "launch" and not options.plan)


def _check_launch(options: argparse.Namespace, context: Context) -> None:
    from bootstrap import launch as play
    from bootstrap.cli.checks import check_saved_plan

    play.check(context)
    check_saved_plan(options, context)


def _check_plan(options: argparse.Namespace, context: Context) -> None:
    from bootstrap import launch as play
    from bootstrap.cli.checks import check_prices, check_writable

    check_writable(options.out, "the plan")
    check_prices()
    play.check(context)


def _add_launch_arguments(parser: argparse.ArgumentParser) -> None:
    add_now(parser)
    parser.add_argument("--skip-verify", action="store_true", help="skip the act verify")
    parser.add_argument(
        "--plan", metavar="FILE", help="apply exactly this saved plan, or nothing if anything changed since"
    )


def _add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    add_exit_zero(parser)
    parser.add_argument("--out", metavar="FILE", help="keep the plan, for 'launch --plan FILE'")


COMMANDS = (
    Command(
        "launch",
        10,
        "create or update the environment, then verify it",
        launch,
        (
            ("launch", "create the environment, or change what differs from the code"),
            ("--yes launch", "the same without questions, for scripts"),
            ("launch --plan change.plan", "apply exactly what 'plan --out' showed, or nothing"),
        ),
        _add_launch_arguments,
    ),
    Command(
        "plan",
        20,
        "show what a launch would change; exits with 2 when changes are pending",
        plan,
        (
            ("plan -v", "show every difference, line by line"),
            ("plan --out change.plan", "keep it, for 'launch --plan change.plan'"),
            ("plan --json --exit-zero", "for scripts: exits with 0 when a plan could be made"),
        ),
        _add_plan_arguments,
    ),
)
