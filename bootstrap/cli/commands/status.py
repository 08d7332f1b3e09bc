"""`status`: show what exists and whether it runs."""

from __future__ import annotations

import argparse

from bootstrap.cli.command import Command


def status(options: argparse.Namespace) -> int:
    """A table of stacks, machine, rules, Jenkins and mail; the exit code is 1 when something is down."""
    from bootstrap.cli import console
    from bootstrap.cli.environment_opening import DONE, FAILED, open_environment
    from bootstrap.views import status as view

    with open_environment(options) as (opened, run):
        state = view.read_status(opened)
        if options.json:
            run.event("status", rows=[list(row) for row in state.rows])
        else:
            console.print_table(("what", "which", "state"), state.rows)
        return DONE if state.is_up else FAILED


COMMANDS = (
    Command(
        "status",
        40,
        "show what exists and whether it runs",
        status,
        (
            ("status", "stacks, machine, rules, Jenkins, mail"),
            ("status --json", "the same as JSON"),
        ),
    ),
)
