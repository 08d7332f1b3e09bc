"""`account`: what an AWS account has only once, such as its trail and its password policy."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command, add_exit_zero

if TYPE_CHECKING:
    from bootstrap.context import Context

_ACTIONS = ("plan", "apply", "verify", "status", "discover", "adopt", "release", "destroy", "policy")


def account(options: argparse.Namespace) -> int:
    """Carry out one action on the account."""
    from bootstrap.cli.checks import check_exit_zero

    check_exit_zero(options)
    _check_only(options)
    match options.action:
        case "plan":
            return _plan(options)
        case "apply":
            return _apply(options)
        case "verify":
            return _verify(options)
        case "adopt" | "release":
            return _hand_over(options)
        case "destroy":
            return _destroy(options)
        case "policy":
            return _print_policy(options)
        case _:
            return _show(options)


def _plan(options: argparse.Namespace) -> int:
    from bootstrap import wording
    from bootstrap.acts import account as act
    from bootstrap.cli.account_opening import open_account
    from bootstrap.cli.environment_opening import choose_plan_exit_code
    from bootstrap.context import ROOT
    from bootstrap.planning import account_costs

    with open_account(options, check=_check, plans=True) as (opened, run):
        with run.act(act.ACT, f"the account '{opened.settings.name}'"):
            changes = act.plan(opened, run)
            for change in changes:
                run.change(change)
        estimate = account_costs.estimate(opened.settings, opened.region, ROOT / "prices.yaml")
        run.event("costs", monthly=str(estimate.total), currency=estimate.currency, noted_on=estimate.noted_on)
        if estimate.items:
            run.say(f"\n{estimate}")
        run.say(f"\n{wording.count_noun(len(changes), 'change')} pending" if changes else "\nnothing to do")
        return choose_plan_exit_code(changes, options)


def _apply(options: argparse.Namespace) -> int:
    from bootstrap.acts import account as act
    from bootstrap.cli.account_opening import open_account
    from bootstrap.cli.environment_opening import DONE

    with open_account(options, check=_check, brings_up=True, changes=True) as (opened, run):
        with run.act(act.ACT, f"the account '{opened.settings.name}'"):
            kept = act.apply(opened, run)
        for resource in kept:
            run.say(f"kept: {resource}")
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from bootstrap.cli import console
    from bootstrap.cli.account_opening import open_account
    from bootstrap.cli.environment_opening import DONE, FAILED
    from bootstrap.values import Verdict
    from bootstrap.views import account as view

    with open_account(options) as (opened, run):
        verdict = Verdict(view.verify(opened), run.folder / "verify.xml")
        for check in verdict.checks:
            run.event("check", name=check.name, outcome=check.outcome, detail=check.detail, group=check.group)
        if not options.json:
            console.print_verdict(verdict)
        run.say(f"\n{verdict.summary}")
        return DONE if verdict.is_green else FAILED


def _show(options: argparse.Namespace) -> int:
    from bootstrap.cli import console
    from bootstrap.cli.account_opening import open_account
    from bootstrap.cli.environment_opening import DONE
    from bootstrap.views import account as view

    with open_account(options) as (opened, run):
        shown = view.read_view(opened, with_all=options.action == "discover")
        if options.json:
            run.event("account", rows=[list(row) for row in shown.rows])
        else:
            console.print_table(("what", "state", "found"), shown.rows)
    return DONE


def _hand_over(options: argparse.Namespace) -> int:
    from bootstrap.acts import account as act
    from bootstrap.acts.account_standing import NAMES
    from bootstrap.cli.account_opening import open_account
    from bootstrap.cli.environment_opening import DONE, FAILED, is_agreed

    with open_account(options, changes=True) as (opened, run):
        which = options.only or "all settings"
        if not is_agreed(options, f"{options.action.capitalize()} {which} of the account '{opened.settings.name}'?"):
            return FAILED
        with run.act(act.ACT, f"{options.action} {which}"):
            if options.action == "adopt":
                act.adopt(opened, options.only, run)
            else:
                act.release(opened, (options.only,) if options.only else NAMES, run)
    return DONE


def _destroy(options: argparse.Namespace) -> int:
    from bootstrap.acts import account as act
    from bootstrap.acts.account_standing import NAMES
    from bootstrap.cli.account_opening import open_account
    from bootstrap.cli.environment_opening import DONE, FAILED, is_agreed

    with open_account(options, changes=True) as (opened, run):
        name = opened.settings.name
        if not is_agreed(options, f"Give up the account '{name}': restore its settings and stop its trail?"):
            return FAILED
        with run.act(act.ACT, f"the account '{name}'"):
            kept = act.destroy(opened, NAMES, run)
        for resource in kept:
            run.say(f"kept: {resource}")
        run.say(f"the account '{name}' is given up" if run.changes else f"nothing to destroy in the account '{name}'")
    return DONE


def _print_policy(options: argparse.Namespace) -> int:
    """The policy of who changes the account, as a list, because IAM may not take it whole; no cloud is asked."""
    from bootstrap import context
    from bootstrap.context import find_named_file
    from bootstrap.environment import account_file, settings
    from bootstrap.preconditions import account_policy, policy_parts
    from bootstrap.runs import terminal

    path = find_named_file(options.account, "account")
    environment_file = account_file.find_environment_file(path, account_file.load(path))
    with context.Context(environment_file, settings.load(environment_file)) as opened:
        terminal.write_json(policy_parts.split(account_policy.make_policy(opened)), indent=2)
    return 0


def _check_only(options: argparse.Namespace) -> None:
    from bootstrap.acts.account_standing import NAMES, TRAIL
    from bootstrap.errors import UsageError

    doing = "reading the command line"
    if options.only is None:
        if options.action == "adopt":
            raise UsageError(doing, "adopt needs --only NAME", f"Name one of: {', '.join(NAMES)}.")
        return
    if options.action not in {"adopt", "release"}:
        raise UsageError(doing, f"--only belongs to adopt and release, not to {options.action}", "Leave it out.")
    if options.only not in NAMES:
        raise UsageError(doing, f"'{options.only}' is nothing that an account has", f"There are: {', '.join(NAMES)}.")
    if options.action == "release" and options.only == TRAIL:
        remedy = "Take 'trail' out of the account file and apply it, or run 'account destroy'."
        raise UsageError(doing, "a trail has no value to go back to", remedy)


def _check(options: argparse.Namespace, context: Context) -> None:
    from bootstrap.acts import stack
    from bootstrap.cli.checks import check_prices
    from bootstrap.projects import folders

    if options.action == "plan":
        check_prices()
    stack.lint(folders.find("cloudformation/account/account.yaml"), context.settings.region)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=_ACTIONS,
        help="plan: show the changes; apply: make them; status, discover, verify: look; adopt: take over a setting of somebody "
        "else; release: restore what was before; destroy: release all, and give the account up; "
        "policy: print the IAM policy for this",
    )
    parser.add_argument(
        "account", nargs="?", default="local", metavar="NAME", help="a name under accounts/, or a file (default: local)"
    )
    parser.add_argument("--only", metavar="SETTING", help="adopt or release this one alone")
    add_exit_zero(parser)


COMMANDS = (
    Command(
        "account",
        82,
        "what an AWS account has only once: its trail, its password policy, its defaults",
        account,
        (
            ("account plan", "show what would change, and what it costs"),
            ("account apply aws", "bring the account to accounts/aws.yaml"),
            ("account discover aws", "everything that the account has, and whose it is"),
            ("account adopt aws --only password-policy", "take over what somebody else set"),
            ("account release aws", "restore the settings that were there before"),
        ),
        _add_arguments,
    ),
)
