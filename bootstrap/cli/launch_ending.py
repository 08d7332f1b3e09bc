"""The five acts of a launch, and the lines with which it ends."""

from __future__ import annotations

import argparse

from bootstrap import launch as play
from bootstrap import wording
from bootstrap.cli.environment_opening import DONE, judge
from bootstrap.context import Context
from bootstrap.projects import upgrade
from bootstrap.runs.journal import Run
from bootstrap.values import Verdict
from bootstrap.views import network_diagram


def carry_out(opened: Context, run: Run, options: argparse.Namespace) -> int:
    """Launch; the exit code is 1 when a check failed."""
    verdict = play.launch(opened, run, with_verify=not options.skip_verify, waits=not options.now)
    upgrade.record(opened.state)
    network_diagram.report_diagram(opened, run)
    if verdict is not None and not verdict.is_green:
        return judge(verdict, options)
    _report_end(opened, run, verdict)
    return DONE


def _report_end(opened: Context, run: Run, verdict: Verdict | None) -> None:
    """The last lines of a launch: where Jenkins is, and what to run next."""
    controller = opened.controller
    run.event("launched", url=controller.url, version=controller.version, emulated=controller.is_emulated)
    tool = opened.tool
    what = (
        f"the emulator of Jenkins {controller.version}" if controller.is_emulated else f"Jenkins {controller.version}"
    )
    count = len(run.changes)
    changed = wording.count_noun(count, "change") if count else "nothing had to change"
    at = "" if opened.machine.address in controller.url else f" ({opened.machine.address})"
    run.say(f"\n{controller.url}{at}  {what}, {changed}, {run.seconds:.1f} s")
    if verdict is not None:
        is_whole = all(check.outcome == "passed" for check in verdict.checks)
        run.say(verdict.summary + ("" if is_whole else f": '{tool} verify' shows why"))
    run.say(f"next: {tool} password   {tool} status   {tool} verify   {tool} destroy")
