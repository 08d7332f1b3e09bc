"""What a command is: its name, what it does, its flags, its examples, and the function that carries it out.

A command's module is imported for every `--help`, so it imports what it needs inside of its functions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

AddArguments = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]


def _add_nothing(_: argparse.ArgumentParser) -> None:
    """A command without flags of its own."""


@dataclass(frozen=True)
class Command:
    """One sub-command.

    `position` orders the commands in the help. `examples` are what is typed behind './bootstrap.py', and what it does.
    `passes_on` says that what follows the command on the command line belongs to another program.
    """

    name: str
    position: int
    summary: str
    run: Run
    examples: tuple[tuple[str, str], ...]
    add_arguments: AddArguments = _add_nothing
    passes_on: bool = False


def parse_line_count(text: str) -> int:
    """A number of lines, at least one; argparse.ArgumentTypeError otherwise."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid number of lines: '{text}'") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def parse_port(text: str) -> int:
    """A port of TCP; argparse.ArgumentTypeError otherwise."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port, 1 to 65535")
    return int(text)


def add_exit_zero(parser: argparse.ArgumentParser) -> None:
    """The flag with which a script tells pending changes from wrong usage."""
    parser.add_argument(
        "--exit-zero",
        action="store_true",
        help="with a plan: exit with 0 when changes are pending, too, so that 2 always means wrong usage",
    )


def add_now(parser: argparse.ArgumentParser) -> None:
    """The flag of what may restart Jenkins."""
    parser.add_argument(
        "--now", action="store_true", help="do not wait for running builds: the restart of Jenkins interrupts them"
    )


def add_plan_or_apply(parser: argparse.ArgumentParser) -> None:
    """The action of a command that carries out one act."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("plan", "apply"),
        default="apply",
        help="plan: show the changes; apply: make them (default: apply)",
    )
    add_exit_zero(parser)


def format_examples(examples: tuple[tuple[str, str], ...]) -> str:
    """The end of a command's help."""
    width = max(len(typed) for typed, _ in examples)
    return "\n".join(["examples:", *(f"  ./bootstrap.py {typed:<{width}}  {does}" for typed, does in examples)])
