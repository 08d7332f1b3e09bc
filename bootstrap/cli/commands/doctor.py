"""`doctor`: what would stop a launch, as a table, and the launcher's IAM policy as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.doctor.findings import Health


def doctor(options: argparse.Namespace) -> int:
    """Look at everything that a launch needs; the exit code is 1 when a launch would fail."""
    from bootstrap import context
    from bootstrap.cli import console
    from bootstrap.doctor import examine
    from bootstrap.doctor.findings import Health
    from bootstrap.runs import terminal

    if options.policy:
        return _print_policies(options)
    findings = list(examine(context.paths(options.environment)))
    if options.json:
        for finding in findings:
            terminal.write_json(asdict(finding))
    else:
        rows = [
            (each.name, str(each.health), f"{each.found}\n  try {each.remedy}" if each.remedy else each.found)
            for each in findings
        ]
        console.table(("what", "health", "found"), rows)
        terminal.write(f"\n{_summarize([each.health for each in findings])}\n")
    return 1 if any(each.health is Health.BAD for each in findings) else 0


def _summarize(healths: Sequence[Health]) -> str:
    """What the lines come to, for who reads only the last."""
    from bootstrap import wording
    from bootstrap.doctor.findings import Health

    stops, warnings = healths.count(Health.BAD), healths.count(Health.WARNING)
    summary = f"{wording.counted(stops, 'line')} would stop a launch" if stops else "nothing would stop a launch"
    return f"{summary}; {wording.counted(warnings, 'warning')}" if warnings else summary


def _print_policies(options: argparse.Namespace) -> int:
    """The policy that the launching identity needs; more than one when IAM would not take it whole."""
    from bootstrap import context
    from bootstrap.doctor import launcher, policy
    from bootstrap.environment import settings
    from bootstrap.runs import terminal

    path = context.paths(options.environment)
    with context.Context(path, settings.load(path)) as opened:
        policies = policy.split(launcher.policy(opened))
    terminal.write_json(policies[0] if len(policies) == 1 else policies, indent=2)
    if len(policies) > 1:
        terminal.complain(
            f"{len(policies)} policies, because IAM takes {policy.LARGEST} characters in one: attach all of them\n"
        )
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy", action="store_true", help="print the IAM policy that the launcher needs, as JSON")


COMMANDS = (
    Command(
        "doctor",
        120,
        "check what would stop a launch, before anything is changed; exits with 1 when something would",
        doctor,
        (
            ("doctor", "each finding with its remedy"),
            ("-e aws doctor --policy", "the IAM policy for the user or role that launches"),
        ),
        _add_arguments,
    ),
)
