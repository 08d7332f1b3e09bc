"""The sub-command `doctor`: the lines of a preflight as a table, and the launcher's policy as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from bootstrap import context, wording
from bootstrap.cli import console
from bootstrap.context import Context
from bootstrap.doctor import examine, launcher, policy
from bootstrap.doctor.findings import Health
from bootstrap.environment import settings


def doctor(options: argparse.Namespace) -> int:
    """Look at everything; 1 where a launch would fail."""
    found = list(examine(context.paths(options.environment)))
    if options.json:
        for each in found:
            sys.stdout.write(json.dumps(asdict(each), ensure_ascii=False) + "\n")
    else:
        rows = [(it.name, str(it.health), f"{it.found}\n  try {it.remedy}" if it.remedy else it.found) for it in found]
        console.table(("what", "health", "found"), rows)
        sys.stdout.write(f"\n{_summary([it.health for it in found])}\n")
    return 1 if any(it.health is Health.BAD for it in found) else 0


def _summary(found: Sequence[Health]) -> str:
    """What the lines come to, for who reads only the last."""
    stops, warnings = found.count(Health.BAD), found.count(Health.WARNING)
    told = f"{wording.counted(stops, 'line')} would stop a launch" if stops else "nothing would stop a launch"
    return f"{told}; {wording.counted(warnings, 'warning')}" if warnings else told


def policies(options: argparse.Namespace) -> int:
    """The policy that the identity which launches needs; more than one where IAM would not take it whole."""
    path = context.paths(options.environment)
    with Context(path, settings.load(path)) as opened:
        made = policy.split(launcher.policy(opened))
    json.dump(made[0] if len(made) == 1 else made, sys.stdout, indent=2)
    sys.stdout.write("\n")
    if len(made) > 1:
        sys.stderr.write(
            f"{len(made)} policies, for IAM takes {policy.LARGEST} characters in one: attach all of them\n"
        )
    return 0
