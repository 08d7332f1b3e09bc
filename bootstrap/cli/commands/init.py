"""`init`: makes a project of one's own, apart from the toolkit."""

from __future__ import annotations

import argparse
from pathlib import Path

from bootstrap.cli.command import Command


def init(options: argparse.Namespace) -> int:
    """Make the project; UsageError if the folder cannot be used, or the toolkit here has no version."""
    from bootstrap.projects import creation, folders, pin
    from bootstrap.runs import terminal

    folder = Path(options.folder)
    pinned = pin.choose(folders.ROOT, options.toolkit)
    for name in creation.create(folder, pinned, with_lock=options.lock):
        terminal.write(f"wrote {folder / name}\n")
    for notice in pinned.notices:
        terminal.complain(f"! {notice}\n")
    terminal.write(f"the toolkit: {pinned.url}, {pinned.version}\nnext: cd {folder}   ./bootstrap.py launch\n")
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder of the project, which is made")
    parser.add_argument(
        "--toolkit",
        metavar="URL",
        default="",
        help="where the project clones the toolkit from: a git URL or a path (default: where this one was cloned from)",
    )
    parser.add_argument(
        "--lock", action="store_true", help="with a lock of its own: jenkins.lock.yaml and jenkins.needs.yaml"
    )


COMMANDS = (
    Command(
        "init",
        183,
        "make a project: a repository of your own environments, jobs and settings",
        init,
        (
            ("init ../ci", "a project that uses this version of the toolkit"),
            ("init ../ci --lock", "with a copy of the lock, to choose plugins"),
        ),
        _add_arguments,
    ),
)
