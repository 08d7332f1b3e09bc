"""`build`: starts a job and follows its console."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.context import Context


def build(options: argparse.Namespace) -> int:
    """Start the job and print its console; the exit code is 1 unless the build ends as SUCCESS."""
    from bootstrap.cli.environment_opening import DONE, FAILED, open_environment
    from bootstrap.jenkins.controller import builds
    from bootstrap.runs import terminal

    with open_environment(options, check=_check) as (opened, run):
        parameters = dict(text.split("=", 1) for text in options.parameter)
        result = builds.follow(opened.jenkins, options.name, parameters, terminal.write, url=opened.url)
        run.event("built", job=options.name, result=result)
        return DONE if result == "SUCCESS" else FAILED


def _check(options: argparse.Namespace, _: Context) -> None:
    from bootstrap.errors import UsageError

    wrong = [text for text in options.parameter if not re.match(r"[^=\s]+=", text)]
    if wrong:
        raise UsageError("reading the build parameters", f"'{wrong[0]}' is not NAME=VALUE", "Write -p NAME=VALUE.")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the job's full name")
    parser.add_argument(
        "--parameter", "-p", action="append", default=[], metavar="NAME=VALUE", help="a build parameter"
    )


COMMANDS = (
    Command(
        "build",
        140,
        "start a job and follow its console",
        build,
        (
            ("build verify", "start it and follow its console"),
            ("build canary -p WORD=hello", "with a parameter"),
        ),
        _add_arguments,
    ),
)
