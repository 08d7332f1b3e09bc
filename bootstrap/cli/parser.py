"""The command line: one sub-command for each capability; sole owner of the arguments, the console and the exit codes.

Exit codes: 0 done, 1 failed (also a verify with a failed check), 2 usage or a broken environment file, and from `plan` 2 for
'changes pending', unless `--exit-zero` tells the two apart. What a command needs is imported when it is carried out, so that
`--help` costs nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from bootstrap.cli.command import format_examples
from bootstrap.cli.commands import find_commands

_TAKE_A_NAME = (["-e"], ["--environment"], ["--project"])  # which may be a command's
EXAMPLES = (
    ("launch", "a verified Jenkins on this machine"),
    ("-e aws launch", "the same on AWS, from environments/aws.yaml"),
    ("password", "the administrator's password"),
    ("verify", "run the acceptance suite against the controller"),
    ("destroy", "take it down; the data stays"),
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Launches and verifies a Jenkins that is defined as code.",
        epilog=format_examples(EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument(
        "--environment",
        "-e",
        default=os.environ.get("BOOTSTRAP_ENVIRONMENT", "local"),
        metavar="NAME",
        help="the environment: a name under environments/, or a file (local)",
    )
    # The entry point has taken it away by then: the start script of the project starts the pinned version.
    whole.add_argument(
        "--project",
        metavar="DIR",
        help="the project to use, instead of the folder where this is called (docs/projects.md)",
    )
    _add_common_flags(whole, False)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in find_commands().values():
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=format_examples(command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        if not command.passes_on:
            _add_common_flags(sub, argparse.SUPPRESS)
    return whole


def _add_common_flags(target: argparse.ArgumentParser, default: object) -> None:
    """The flags that may stand before the command and behind it; behind it, one that is left out overrides nothing."""
    shown: dict[str, Any] = {"action": "store_true", "default": default}
    target.add_argument("--json", help="events and results as JSON lines on standard output", **shown)
    target.add_argument("--yes", "-y", help="answer yes to all questions", **shown)
    target.add_argument("--verbose", "-v", help="show progress details", **shown)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one command line."""
    options = build_parser().parse_args(_separate_toxs_arguments(arguments))
    if options.command == "test":
        options.tox = options.tox[options.tox[:1] == ["--"] :]
    return options


def _separate_toxs_arguments(arguments: Sequence[str]) -> list[str]:
    """What follows 'test' is tox's, options too: a '--' before it keeps argparse from taking them for its own."""
    given = list(arguments)
    commands = find_commands()
    place = next(
        (at for at, word in enumerate(given) if word in commands and given[at - 1 : at] not in _TAKE_A_NAME), -1
    )
    if place >= 0 and given[place] == "test" and given[place + 1 : place + 2] not in (["-h"], ["--help"], ["--"]):
        given.insert(place + 1, "--")
    return given


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. An expected failure is printed as one block, anything else is a bug and shows."""
    options = parse(arguments)
    from bootstrap.cli import console
    from bootstrap.errors import BootstrapError
    from bootstrap.runs import terminal

    try:
        return find_commands()[options.command].run(options)
    except BootstrapError as error:
        console.print_failure(error)
        return error.exit_code
    except KeyboardInterrupt:
        terminal.complain("\ninterrupted; run the same command again to continue\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
