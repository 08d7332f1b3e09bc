"""`network`: the network's stacks alone, who reaches whom in it, and its picture."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command, add_exit_zero

if TYPE_CHECKING:
    from bootstrap.context import Context

_ACTIONS = ("plan", "apply", "verify", "destroy", "explain", "diagram", "vpn-configuration")


def network(options: argparse.Namespace) -> int:
    """Carry out one action on the network."""
    from bootstrap.cli.environment_opening import open_environment
    from bootstrap.views import network_state

    network_state.check(options)
    if options.action in network_state.ACTIONS:
        with open_environment(options, check=_check) as (opened, run):
            return network_state.show(options, opened, run)
    if options.action == "destroy":
        return _destroy(options)
    return _plan(options) if options.action == "plan" else _apply(options)


def _plan(options: argparse.Namespace) -> int:
    from bootstrap import wording
    from bootstrap.cli.environment_opening import choose_plan_exit_code, open_environment
    from bootstrap.cli.estimate import report_costs
    from bootstrap.planning import saved

    with open_environment(options, check=_check, plans=True) as (opened, run):
        plan = saved.plan_network(opened, run)
        if options.out:
            saved.write(plan, Path(options.out))
        report_costs(opened, run)
        run.say(f"\n{wording.count_noun(len(plan.changes), 'change')} pending" if plan.changes else "\nnothing to do")
        return choose_plan_exit_code(plan.changes, options)


def _apply(options: argparse.Namespace) -> int:
    from bootstrap import launch as play
    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.planning import saved
    from bootstrap.preconditions import stack_inputs
    from bootstrap.views import network_diagram

    planned = saved.read(Path(options.plan)) if options.plan else None
    with open_environment(options, check=_check, brings_up=True, changes=True) as (opened, run):
        if planned is not None:
            saved.check(opened, run, planned, saved.plan_network)
        play.launch_stacks(opened, run, stack_inputs.list_network_stacks(opened))
        network_diagram.report_diagram(opened, run)
    return DONE


def _destroy(options: argparse.Namespace) -> int:
    from bootstrap.cli.environment_opening import DONE, FAILED, is_agreed, open_environment
    from bootstrap.preconditions import network_removal

    with open_environment(options, check=_check, changes=True) as (opened, run):
        if not is_agreed(options, f"Destroy the network of '{opened.settings.name}'?"):
            return FAILED
        network_removal.destroy(opened, run)
        run.say(f"the network of '{opened.settings.name}' is destroyed")
    return DONE


def _check(options: argparse.Namespace, context: Context) -> None:
    from bootstrap import launch as play
    from bootstrap.cli.checks import (
        check_exit_zero,
        check_prices,
        check_protection,
        check_saved_plan,
        check_writable,
    )
    from bootstrap.environment import settings

    check_exit_zero(options)
    check_saved_plan(options, context)
    if options.action == "plan":
        check_writable(options.out, "the plan")
        check_prices()
    if options.action in {"plan", "apply"}:
        settings.check_ways(context.environment_file, context.settings)
        play.check_templates(context, context.wanted)
    if options.approved:
        from bootstrap.cloud import promotion

        promotion.check_session(os.environ)
    if options.action == "destroy":
        check_protection(options, context)
    if options.action == "diagram" and options.what:
        check_writable(options.what[0], "the picture")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=_ACTIONS,
        default="apply",
        help="plan: show the changes; apply: make them; destroy: delete the network; the others are read-only (default: apply)",
    )
    add_exit_zero(parser)
    parser.add_argument(
        "what",
        nargs="*",
        metavar="WHAT",
        help="explain SOURCE DESTINATION PORT (a role, operators, internet, an id or a block; 443, 53/udp); "
        "diagram [FILE]; vpn-configuration [FILE]",
    )
    parser.add_argument("--out", metavar="FILE", help="keep the plan, for 'network apply --plan FILE'")
    parser.add_argument(
        "--plan", metavar="FILE", help="apply exactly this saved plan, or nothing if anything changed since"
    )
    parser.add_argument(
        "--approved",
        action="store_true",
        help="apply only with the session that 'approve' handed over; for the job 'network'",
    )
    parser.add_argument(
        "--unprotect", action="store_true", help="destroy, too, when the environment file says 'protect: true'"
    )


COMMANDS = (
    Command(
        "network",
        80,
        "the network's stacks, its reachability, its intentions, and its diagram",
        network,
        (
            ("network plan", "show what would change, what it interrupts and costs"),
            ("network apply", "the network's stacks alone"),
            ("network verify", "check every intention on the existing network"),
            ("network explain operators controller 443", "show each hop, and where the path ends"),
            ("network diagram network.svg", "draw the existing network"),
            ("-e production network plan --out change.plan", "plan another network; 'network apply --plan' applies it"),
        ),
        _add_arguments,
    ),
)
