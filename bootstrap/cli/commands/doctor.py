"""`doctor`: what would stop a launch, as a table, and the IAM policies of launcher and operator as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.context import Context
    from bootstrap.doctor.findings import Health


def doctor(options: argparse.Namespace) -> int:
    """Look at everything that a launch needs; the exit code is 1 when a launch would fail."""
    from bootstrap import context
    from bootstrap.cli import console
    from bootstrap.doctor import examine
    from bootstrap.doctor.findings import Health
    from bootstrap.errors import UsageError
    from bootstrap.runs import terminal

    if options.existing and not options.policy:
        remedy = "Write: doctor --policy --existing"
        raise UsageError("reading the command line", "--existing belongs to --policy", remedy)
    if options.policy:
        return _print_policies(options)
    findings = list(examine(context.find_named_file(options.environment)))
    if options.json:
        for finding in findings:
            terminal.write_json(asdict(finding))
    else:
        rows = [
            (each.name, str(each.health), f"{each.found}\n  try {each.remedy}" if each.remedy else each.found)
            for each in findings
        ]
        console.print_table(("what", "health", "found"), rows)
        terminal.write(f"\n{_summarize([each.health for each in findings])}\n")
    return 1 if any(each.health is Health.BAD for each in findings) else 0


def _summarize(healths: Sequence[Health]) -> str:
    """What the lines come to, for who reads only the last."""
    from bootstrap import wording
    from bootstrap.doctor.findings import Health

    stops, warnings = healths.count(Health.BAD), healths.count(Health.WARNING)
    summary = f"{wording.count_noun(stops, 'line')} would stop a launch" if stops else "nothing would stop a launch"
    return f"{summary}; {wording.count_noun(warnings, 'warning')}" if warnings else summary


def _print_policies(options: argparse.Namespace) -> int:
    """The policies of the launcher and of the operator, each as a list, because IAM may not take one whole."""
    from bootstrap import context
    from bootstrap.environment import settings
    from bootstrap.preconditions import launcher_policy, policy_parts
    from bootstrap.runs import terminal

    path = context.find_named_file(options.environment)
    with context.Context(path, settings.load(path)) as opened:
        policies = {
            "launcher": policy_parts.split(launcher_policy.make_policy(opened)),
            "operator": policy_parts.split(_make_operator_policy(opened, asks=options.existing)),
        }
    terminal.write_json(policies, indent=2)
    for who, documents in policies.items():
        if len(documents) > 1:
            terminal.complain(
                f"{who}: {len(documents)} policies, because IAM takes {policy_parts.LARGEST} characters in one: "
                "attach all of them\n"
            )
    return 0


def _make_operator_policy(opened: Context, *, asks: bool) -> dict[str, Any]:
    """The operator's policy; if it `asks` AWS, for the key pairs that exist. The launcher's is not: it may make others."""
    from bootstrap.preconditions import launcher_policy, people_policy

    document = launcher_policy.make_operator_policy(opened)
    if not asks:
        return document
    opened.outputs("data")  # StackMissing where nothing was launched: the policy would read no key
    return {**document, "Statement": people_policy.limit_keys(document["Statement"], opened.stacks)}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    text = "print the IAM policies that the launcher and the operator need, as JSON"
    parser.add_argument("--policy", action="store_true", help=text)
    text = "with --policy: ask AWS for the environment's key pairs, and let the operator read their private keys alone"
    parser.add_argument("--existing", action="store_true", help=text)


COMMANDS = (
    Command(
        "doctor",
        120,
        "check what would stop a launch, before anything is changed; exits with 1 when something would",
        doctor,
        (
            ("doctor", "each finding with its remedy"),
            ("-e aws doctor --policy", "the IAM policies for who launches, and for who operates"),
            ("-e aws doctor --policy --existing", "the same, the operator's for the key pairs that exist"),
        ),
        _add_arguments,
    ),
)
