"""What several commands refuse before anything is touched: files that cannot be written, plans of another environment."""

from __future__ import annotations

import argparse
from pathlib import Path

from bootstrap.context import ROOT, Context
from bootstrap.environment import user_files
from bootstrap.errors import EnvironmentProtected, UsageError
from bootstrap.planning import costs, saved


def check_saved_plan(options: argparse.Namespace, context: Context) -> None:
    """Refuse a saved plan that is broken, or was made for another environment."""
    if not options.plan:
        return
    path = Path(options.plan)
    planned = saved.read(path).environment
    if planned != context.settings.name:
        found = f"{path} is a plan for '{planned}', not for '{context.settings.name}'"
        raise UsageError("reading the command line", found, f"Name its environment: --environment {planned}.")


def check_prices() -> None:
    """Refuse a broken price list: a plan ends with the costs."""
    costs.read(ROOT / "prices.yaml")


def check_exit_zero(options: argparse.Namespace) -> None:
    """--exit-zero goes with a plan alone."""
    if options.exit_zero and options.action != "plan":
        found = f"--exit-zero is for a plan, and this is '{options.command} {options.action}'"
        raise UsageError("reading the command line", found, f"Write: {options.command} plan --exit-zero")


def check_protection(options: argparse.Namespace, context: Context) -> None:
    """Refuse to destroy a protected environment without --unprotect."""
    if context.settings.protect and not options.unprotect:
        found = f"{context.environment_file.name} says 'protect: true'"
        raise EnvironmentProtected(
            f"destroying '{context.settings.name}'", found, "Add --unprotect to destroy it. Nothing was changed."
        )


def check_writable(named: str | None, what: str) -> None:
    """Refuse a file that cannot be written: a command writes it only at its end."""
    if named is None:
        return
    path = Path(named)
    fault = (
        "it is a folder" if path.is_dir() else f"there is no folder {path.parent}" if not path.parent.is_dir() else ""
    )
    if fault:
        raise UsageError(f"keeping {what} as {path}", fault, "Name a file in a folder that exists.")
    if obstacle := user_files.find_obstacle(path):
        raise UsageError(f"keeping {what} as {path}", obstacle, user_files.advise(path))
