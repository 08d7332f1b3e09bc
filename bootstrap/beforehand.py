"""What a command takes from people, refused before anything is touched: no lock is taken, no cloud reached or started.

The files that the command would come to read (templates, settings of Jenkins, jobs, the lock file, prices) and the parts of
its command line that only the environment can judge. Everything else that can be refused early, argparse refuses.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from bootstrap import costs, jenkins_files, launch, saved_plan
from bootstrap.context import ROOT, Context
from bootstrap.errors import EnvironmentProtected, UsageError
from bootstrap.run import Run


def check(options: argparse.Namespace, context: Context) -> None:
    """Refuse what `options.command` would stumble over later; the errors name file, line and column where there is one."""
    match options.command:
        case "launch":
            launch.check(context)
            _planned(options, context)
        case "plan":
            _writable(options.out, "the plan")
            costs.read(ROOT / "prices.yaml")
            launch.check(context)
        case "network":
            _network(options, context)
        case "host" | "casc" | "jobs":
            _looks(options)
            _act(options, context)
        case "build":
            _parameters(options)
        case "destroy":
            _destroy(options, context)


def supply(options: argparse.Namespace, context: Context, run: Run) -> None:
    """Jenkins' own files, before a cloud is reached: a launch has them all here by then, a plan knows that they are there.

    A launch of a saved plan looks first, as that plan did; it loads them once it is known that the plan still holds.
    """
    if options.command in {"launch", "plan"}:
        jenkins_files.prepare(context, run, loads=options.command == "launch" and not options.plan)


def _planned(options: argparse.Namespace, context: Context) -> None:
    if not options.plan:
        return
    path = Path(options.plan)
    planned = saved_plan.read(path).environment
    if planned != context.settings.name:
        found = f"{path} is a plan for '{planned}', not for '{context.settings.name}'"
        raise UsageError("reading the command line", found, f"Name its environment: --environment {planned}.")


def _network(options: argparse.Namespace, context: Context) -> None:
    _looks(options)
    _planned(options, context)
    if options.action == "plan":
        _writable(options.out, "the plan")
        costs.read(ROOT / "prices.yaml")
    if options.action in {"plan", "apply"}:
        launch.check_templates(context, context.wanted)
    if options.action == "destroy":
        _protected(options, context)
    if options.action == "diagram" and options.what:
        _writable(options.what[0], "the picture")


def _act(options: argparse.Namespace, context: Context) -> None:
    if options.command == "host":
        jenkins_files.check_lock(context)
    elif options.command == "casc":
        _ = context.casc_files
    else:
        unknown = sorted(set(options.again) - context.jobset.jobs.keys())
        if unknown:
            found = f"the code has no job '{unknown[0]}'; there are: {', '.join(context.jobset.jobs)}"
            raise UsageError("sending jobs again", found, "Name it in full: folder/job.")


def _looks(options: argparse.Namespace) -> None:
    """--exit-zero is about a plan alone."""
    if options.exit_zero and options.action != "plan":
        found = f"--exit-zero is for a plan, and this is '{options.command} {options.action}'"
        raise UsageError("reading the command line", found, f"Write: {options.command} plan --exit-zero")


def _parameters(options: argparse.Namespace) -> None:
    wrong = [text for text in options.parameter if not re.match(r"[^=\s]+=", text)]
    if wrong:
        raise UsageError("reading the build parameters", f"'{wrong[0]}' is not NAME=VALUE", "Write -p NAME=VALUE.")


def _destroy(options: argparse.Namespace, context: Context) -> None:
    _protected(options, context)
    name = context.settings.name
    if options.delete_data is not None and options.delete_data != name:
        found = f"'{options.delete_data}' is not the environment's name"
        raise UsageError("deleting the data", found, f"Write --delete-data {name} to agree.")


def _protected(options: argparse.Namespace, context: Context) -> None:
    if context.settings.protect and not options.unprotect:
        found = f"{context.environment_file.name} says 'protect: true'"
        raise EnvironmentProtected(
            f"destroying '{context.settings.name}'", found, "Whoever means it adds --unprotect. Nothing was changed."
        )


def _writable(named: str | None, what: str) -> None:
    """A file that a command writes at its end must have a folder, and must not be one."""
    if named is None:
        return
    path = Path(named)
    found = (
        "it is a folder" if path.is_dir() else f"there is no folder {path.parent}" if not path.parent.is_dir() else ""
    )
    if found:
        raise UsageError(f"keeping {what} as {path}", found, "Name a file in a folder that is there.")
