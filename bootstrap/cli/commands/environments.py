"""`environments`: the environments of this checkout, and those that exist without a file."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.views.environments import Orphan


def environments(options: argparse.Namespace) -> int:
    """List them."""
    from bootstrap.cli import console
    from bootstrap.runs import terminal
    from bootstrap.views import environments as view

    overview = view.find_environments()
    if options.json:
        for row in overview.rows:
            terminal.write_json({"name": row.name, "file": row.file or None, "where": row.where, "state": row.state})
    else:
        rows = [(row.name, row.file or "none", row.where, row.state) for row in overview.rows]
        console.print_table(("environment", "file", "where", "state"), rows)
        for text in overview.unasked:
            terminal.write(f"\nno answer about its environments: {text}\n")
        for orphan in overview.orphans:
            terminal.write(_explain(orphan))
    return 0


def _explain(orphan: Orphan) -> str:
    """How an environment without a file is adopted, or destroyed."""
    from bootstrap.views import environments as view

    # Anybody who may tag resources chose the names, and a person copies these lines into a shell.
    name, file = shlex.quote(orphan.stem), shlex.quote(f"environments/{orphan.stem}.yaml")
    lines = [f"\n'{orphan.name}' exists, and no file in environments/ describes it."]
    former = view.find_former_file(orphan.name)
    if former is not None:
        lines.append(f"  to adopt it, get its file back: git show {shlex.quote(':'.join(former))} > {file}")
    else:
        lines.append(f"  to adopt it, write {file} with the values that it was launched with")
    lines.append(f"  then look first: ./bootstrap.py -e {name} plan")
    lines.append(f"  to destroy it, write this into {file}:")
    lines += [f"    {line}" for line in orphan.format_file().splitlines()]
    lines.append(f"  then: ./bootstrap.py -e {name} destroy")
    return "\n".join(lines) + "\n"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list",), default="list", help="list: all of them (default)")


COMMANDS = (
    Command(
        "environments",
        45,
        "list the environments of this checkout, and those that exist without a file",
        environments,
        (
            ("environments list", "on this machine and in the account; nothing is changed"),
            ("environments list --json", "the same as JSON"),
        ),
        _add_arguments,
    ),
)
