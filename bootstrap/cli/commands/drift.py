"""`drift`: what is not as the code says and was not put there by it."""

from __future__ import annotations

import argparse

from bootstrap.cli.command import Command


def drift(options: argparse.Namespace) -> int:
    """A table of what drifted, each finding with its remedy; the exit code is 2 when something drifted.

    It is 1 when nothing drifted as far as could be seen, but not everything could be looked at.
    """
    from bootstrap import wording
    from bootstrap.cli import console
    from bootstrap.cli.environment_opening import DONE, FAILED, PENDING, open_environment
    from bootstrap.runs import terminal
    from bootstrap.views import drift as view

    with open_environment(options) as (opened, run):
        look = view.find_drift(opened, run)
        unseen = [f"{line.name}: {line.found.removeprefix('not looked at: ')}" for line in look.unseen]
        run.event("drift", lines=[vars(line) for line in look.lines], unseen=unseen)
        if (look.lines or look.unseen) and not options.json:
            terminal.write("\n")
            rows = ((line.where, line.name, line.found, line.remedy) for line in (*look.lines, *look.unseen))
            console.print_table(("where", "what", "found", "remedy"), rows)
            for line in look.lines:
                run.diff(line.diff)
        run.say(f"\n{wording.count_drifted(len(look.lines), len(look.unseen))}")
        if look.lines:
            return PENDING
        return FAILED if look.unseen else DONE


COMMANDS = (
    Command(
        "drift",
        130,
        "list differences that the code did not make; exits with 2 if there are any",
        drift,
        (
            ("drift", "each difference with its remedy"),
            ("drift -v", "the same, with the settings' lines that a reload overwrites"),
        ),
    ),
)
