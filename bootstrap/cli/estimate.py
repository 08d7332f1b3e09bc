"""The costs that `plan` and `network plan` end with."""

from __future__ import annotations

from bootstrap.context import ROOT, Context
from bootstrap.planning import costs
from bootstrap.runs.journal import Run


def report_costs(opened: Context, run: Run) -> None:
    """What the environment's options cost a month on AWS, also when they are only tried on this machine."""
    table = ROOT / "prices.yaml"
    estimate = costs.estimate(opened.settings, table)
    standing = costs.estimate(costs.read_standing_settings(opened.settings, opened.stacks), table, tuple(opened.stacks))
    run.event(
        "costs",
        monthly=str(estimate.total),
        standing=str(standing.total),
        currency=estimate.currency,
        noted_on=estimate.noted_on,
        unpriced=estimate.unpriced,
    )
    run.say(f"\n{estimate}")
    if opened.stacks and (difference := costs.describe_difference(estimate, standing)):
        run.say(difference)
