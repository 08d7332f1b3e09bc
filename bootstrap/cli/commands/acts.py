"""`host`, `casc` and `jobs`: one act alone, planned or applied."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command, add_now, add_plan_or_apply

if TYPE_CHECKING:
    from bootstrap.context import Context
    from bootstrap.runs.journal import Run


def host(options: argparse.Namespace) -> int:
    """The machine alone."""
    from bootstrap import launch as play
    from bootstrap.cli.environment_opening import DONE, choose_plan_exit_code, open_environment
    from bootstrap.planning import look

    with open_environment(options, check=_check_host, prepare=_prepare_host, changes=options.action == "apply") as (
        opened,
        run,
    ):
        if options.action == "plan":
            return choose_plan_exit_code(look.plan_host(opened, run), options)
        play.provision(opened, run, waits=not options.now)
    return DONE


def casc(options: argparse.Namespace) -> int:
    """Jenkins' configuration alone."""
    from bootstrap import launch as play
    from bootstrap.cli.environment_opening import DONE, choose_plan_exit_code, open_environment
    from bootstrap.planning import look

    with open_environment(options, check=_check_casc, changes=options.action == "apply") as (opened, run):
        if options.action == "plan":
            return choose_plan_exit_code(look.plan_casc(opened, run), options)
        play.configure(opened, run, opened.controller)
    return DONE


def jobs(options: argparse.Namespace) -> int:
    """Jenkins' jobs alone."""
    from bootstrap import launch as play
    from bootstrap.cli.environment_opening import DONE, choose_plan_exit_code, open_environment
    from bootstrap.planning import look

    with open_environment(options, check=_check_jobs, changes=options.action == "apply") as (opened, run):
        if options.action == "plan":
            return choose_plan_exit_code(look.plan_jobs(opened, run), options)
        play.publish(opened, run, options.again)
    return DONE


def _check_host(options: argparse.Namespace, context: Context) -> None:
    from bootstrap.cli.checks import check_exit_zero
    from bootstrap.preconditions import jenkins_files

    check_exit_zero(options)
    jenkins_files.check_lock(context)


def _prepare_host(_: argparse.Namespace, context: Context, run: Run) -> None:
    from bootstrap.preconditions import jenkins_files

    jenkins_files.report_unjudged(context, run)


def _check_casc(options: argparse.Namespace, context: Context) -> None:
    from bootstrap.cli.checks import check_exit_zero

    check_exit_zero(options)
    _ = context.casc_files


def _check_jobs(options: argparse.Namespace, context: Context) -> None:
    from bootstrap.cli.checks import check_exit_zero
    from bootstrap.errors import UsageError

    check_exit_zero(options)
    unknown = sorted(set(options.again) - context.jobset.jobs.keys())
    if unknown:
        found = f"the code has no job '{unknown[0]}'; there are: {', '.join(context.jobset.jobs)}"
        raise UsageError("publishing jobs again", found, "Name it in full: folder/job.")


def _add_host_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_or_apply(parser)
    add_now(parser)


def _add_jobs_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_or_apply(parser)
    parser.add_argument(
        "--again", action="append", default=[], metavar="JOB", help="publish this job even if it is unchanged"
    )


COMMANDS = (
    Command(
        "host",
        90,
        "the machine alone",
        host,
        (
            ("host plan", "show what differs on the machine"),
            ("host apply", "converge the machine; a restart of Jenkins waits for running builds"),
            ("host apply --now", "the same without waiting for builds"),
        ),
        _add_host_arguments,
    ),
    Command(
        "casc",
        100,
        "Jenkins' configuration alone",
        casc,
        (
            ("casc plan -v", "show which settings differ, line by line"),
            ("casc apply", "let Jenkins check the settings, then apply them"),
        ),
        add_plan_or_apply,
    ),
    Command(
        "jobs",
        110,
        "Jenkins' jobs alone",
        jobs,
        (
            ("jobs plan -v", "show which jobs differ, line by line"),
            ("jobs apply --again canary", "publish that job even if it is unchanged"),
        ),
        _add_jobs_arguments,
    ),
)
