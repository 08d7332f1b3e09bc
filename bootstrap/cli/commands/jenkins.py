"""`jenkins lock`: resolves the requested plugins to exact versions, checksums, and what each plugin requires."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command, add_exit_zero

if TYPE_CHECKING:
    from bootstrap.context import Context
    from bootstrap.jenkins.distribution.relock import Request


def jenkins(options: argparse.Namespace) -> int:
    """Show what changes in the lock, then write it; with --check, the exit code is 2 when something would change."""
    from bootstrap import wording
    from bootstrap.cli.environment_opening import DONE, choose_plan_exit_code, open_environment
    from bootstrap.jenkins.distribution import lock_files, relock
    from bootstrap.preconditions import jenkins_files

    with open_environment(options, check=_check, changes=not options.check, reaches_cloud=False) as (context, run):
        with run.act("lock", f"{context.lock.path.name} by the update center"):
            table = jenkins_files.read_needs(context)
            if not options.check:
                lock_files.require_writable([context.lock.path, table.path])
            outcome = relock.make(
                context.lock, table, context.settings.jenkins, jenkins_files.DOWNLOADS, _read_request(options), run
            )
            for change in outcome.changes:
                run.change(change)
            for notice in outcome.notices:
                run.notice(notice)
            if not options.check and outcome.changes:
                lock_files.write(outcome.documents, outcome.originals)
        if options.check:
            pending = wording.count_noun(len(outcome.changes), "change")
            run.say(f"\n{pending} pending" if outcome.changes else "\nnothing to do")
            return choose_plan_exit_code(outcome.changes, options)
        if outcome.changes:
            written = " and ".join(path.name for path in outcome.documents)
            run.say(f"\nwrote {written}: review and commit them\nnext: {context.tool} plan   {context.tool} launch")
    return DONE


def _read_request(options: argparse.Namespace) -> Request:
    """The request of the command line; UsageError for what is no name or no version."""
    from bootstrap.errors import UsageError
    from bootstrap.jenkins.distribution.core_choice import LATEST_LTS
    from bootstrap.jenkins.distribution.lock import is_plugin_name
    from bootstrap.jenkins.distribution.relock import Request
    from bootstrap.jenkins.distribution.versions import is_version

    add: dict[str, str | None] = {}
    for asked in options.add:
        name, separator, version = asked.partition(":")
        if not is_plugin_name(name) or (separator and not is_version(version)):
            fault = f"'{asked}' is neither the name of a plugin nor NAME:VERSION"
            raise UsageError("reading the command line", fault, "Write for example: --add locale")
        if name in add and add[name] != (version or None):
            first, second = (f"version {each}" if each else "the newest version" for each in (add[name], version))
            fault = f"'{name}' is to be added twice: in {first}, and in {second}"
            raise UsageError("reading the command line", fault, "Write one of them.")
        add[name] = version or None
    # One list for each --upgrade; an empty one means all plugins.
    upgrade = tuple(name for names in options.upgrade for name in names)
    core = options.core or ""
    if options.core is not None and core != LATEST_LTS and not (core[:1].isdigit() and is_version(core)):
        fault = f"'{core}' is neither a version nor {LATEST_LTS}"
        raise UsageError("reading the command line", fault, "Write for example: --core 2.568.2")
    return Request(add, tuple(options.remove), upgrade, upgrades_all=[] in options.upgrade, core=core)


def _check(options: argparse.Namespace, context: Context) -> None:
    """Refuse a broken lock or table, and flags that do not fit, before a source is asked."""
    from bootstrap.errors import UsageError
    from bootstrap.jenkins.distribution import needs
    from bootstrap.preconditions import jenkins_files
    from bootstrap.projects import folders

    if options.exit_zero and not options.check:
        raise UsageError("reading the command line", "--exit-zero is for --check", "Write: jenkins lock --check")
    _read_request(options)
    if context.lock.is_toolkits and not options.check:
        files = f"{context.lock.path} {context.lock.path.with_name(needs.NAME)}"
        found = "this project has no lock of its own, and the toolkit's stays as its version has it"
        raise UsageError("changing the lock", found, f"Copy it first: cp {files} {folders.PROJECT}")
    jenkins_files.read_needs(context)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("lock",), help="lock: fill jenkins.lock.yaml and jenkins.needs.yaml by what is requested"
    )
    parser.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="NAME[:VERSION]",
        help="request this plugin, in the newest version for the locked core or in this version",
    )
    parser.add_argument("--remove", action="append", default=[], metavar="NAME", help="request this plugin no longer")
    parser.add_argument(
        "--upgrade",
        action="append",
        nargs="*",
        default=[],
        metavar="NAME",
        help="take the newest versions for the locked core: of these plugins, or of all",
    )
    parser.add_argument(
        "--core",
        metavar="VERSION|latest-lts",
        help="lock this version of Jenkins itself, or the newest LTS that the update center offers",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 2 when changes are pending")
    add_exit_zero(parser)


COMMANDS = (
    Command(
        "jenkins",
        125,
        "the lock of Jenkins: versions and checksums of the requested plugins, and what each plugin requires",
        jenkins,
        (
            ("jenkins lock", "add what is missing: plugins that others require, and checksums"),
            ("jenkins lock --add locale", "request a plugin"),
            ("jenkins lock --upgrade git", "take the newest version of a plugin for the locked core"),
            (
                "jenkins lock --core latest-lts",
                "lock the newest LTS of Jenkins; plugins that need another core are refused",
            ),
            ("jenkins lock --upgrade --check", "show all upgrades that there are; change nothing"),
        ),
        _add_arguments,
    ),
)
