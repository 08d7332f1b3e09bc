"""`drift`: what is not as the code says and was not put there by it."""

from __future__ import annotations

import argparse

from bootstrap.cli.command import Command


def drift(options: argparse.Namespace) -> int:
    """A table of what drifted, each finding with its remedy; the exit code is 2 when something drifted."""
    from bootstrap import wording
    from bootstrap.cli import console
    from bootstrap.cli.opening import DONE, FAILED, PENDING, open_environment
    from bootstrap.runs import terminal
    from bootstrap.views import drift as view

    with open_environment(options) as (opened, run):
        found = view.look(opened, run)
        run.event("drift", lines=[vars(line) for line in found.lines], unseen=found.unseen)
        if found.lines and not options.json:
            terminal.write("\n")
            rows = ((line.where, line.name, line.found, line.remedy) for line in found.lines)
            console.table(("where", "what", "found", "remedy"), rows)
            for line in found.lines:
                run.diff(line.diff)
        unseen = f"; {wording.counted(len(found.unseen), 'place')} could not be checked" if found.unseen else ""
        run.say(f"\n{wording.drifted(len(found.lines))}{unseen}")
        if found.lines:
            return PENDING
        return FAILED if found.unseen else DONE


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
