"""`verify`: the acceptance suite against the running server."""

from __future__ import annotations

import argparse

from bootstrap.cli.command import Command


def verify(options: argparse.Namespace) -> int:
    """Run the acceptance suite; the exit code is 1 when a check failed."""
    from bootstrap import launch as play
    from bootstrap.cli.environment_opening import judge, open_environment
    from bootstrap.views import network_diagram

    with open_environment(options) as (opened, run):
        verdict = play.prove(opened, run, options.only)
        network_diagram.report_diagram(opened, run)
        return judge(verdict, options)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only checks whose name contains NAME"
    )


COMMANDS = (
    Command(
        "verify",
        30,
        "run the acceptance suite against the controller; exits with 1 when a check fails",
        verify,
        (
            ("verify", "the whole acceptance suite"),
            ("verify --only certificate", "only checks whose name contains 'certificate'"),
        ),
        _add_arguments,
    ),
)
