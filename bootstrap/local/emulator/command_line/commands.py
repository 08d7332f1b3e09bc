"""The registry of commands, how one runs, and how its faults become exit codes (hudson.cli.CLICommand)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml

from ..controller import Controller
from ..failures import NAME, ConfigurationRefused, Forbidden, ForbiddenAll, Refused
from ..journal import log_uncaught
from ..model.items import Item
from ..model.security import Identity
from .arguments import (
    Argument,
    BadArguments,
    Given,
    NoSuchThing,
    Option,
    find_nearest,
    parse,
    render_line,
    render_usage,
)
from .terminal import Terminal

_PATH = Path(__file__).parents[1] / "data" / "commands.yaml"
FAULT, BAD_ARGUMENTS, NO_SUCH_THING, BAD_STATE, ABORTED, DENIED = 1, 2, 3, 4, 5, 6


Wanted = TypeVar("Wanted", bound=Item)


class Failed(Exception):
    """A command ends with `code` and a message after `ERROR: `."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Context:
    """What a running command works with: the server, its caller, its terminal and what the caller gave."""

    controller: Controller
    identity: Identity
    terminal: Terminal
    given: Given = field(default_factory=Given)

    @property
    def name(self) -> str:
        """The first argument; empty if there is none."""
        return self.given.arguments[0] if self.given.arguments else ""

    def allows(self, permission: str) -> bool:
        """Whether the caller has a permission."""
        return self.controller.home.authorization.allows(self.identity, permission)

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the caller has the permission."""
        self.controller.home.authorization.require(self.identity, permission)

    def find_item(self, name: str, kind: type[Wanted]) -> Wanted:
        """Find an item that the caller may read; raises NoSuchThing with the nearest name."""
        found = self.controller.home.tree.find(name)
        item = None if found is not None and found.parent is None else found  # '/' is Jenkins itself, and no item
        if isinstance(item, kind) and self.allows("Job/Read"):
            return item
        if item is not None and not self.allows("Job/Read") and self.allows("Job/Discover"):
            raise Failed(DENIED, f"Please login to access job {item.full_name}")
        every = self.controller.home.tree.root.walk() if self.allows("Job/Read") else ()
        nearest = find_nearest(name, [each.full_name for each in every if isinstance(each, kind)])
        raise NoSuchThing(f"No such job '{name}'" + (f"; perhaps you meant '{nearest}'?" if nearest else ""))


Run = Callable[[Context], Awaitable[int | None]]


@dataclass(frozen=True)
class Command:
    """A command: what it takes and does. `is_open`: it asks for no permission to read before it runs."""

    name: str
    description: str
    run: Run
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    is_open: bool = False

    def render_usage(self) -> str:
        """The usage, as `help NAME` and a wrong call print it."""
        line = f"java -jar jenkins-cli.jar {self.name}{render_line(self.arguments, self.options)}\n"
        return f"{line}{self.description}\n{render_usage(self.arguments, self.options)}"


COMMANDS: dict[str, Command] = {}


def register_command(
    name: str, description: str, *takes: Argument | Option, is_open: bool = False
) -> Callable[[Run], Run]:
    """Register a command."""
    arguments = tuple(each for each in takes if isinstance(each, Argument))
    options = tuple(each for each in takes if isinstance(each, Option))

    def register(run: Run) -> Run:
        COMMANDS[name] = Command(name, description, run, arguments, options, is_open)
        return run

    return register


@cache
def list_unmodelled() -> dict[str, tuple[str, ...]]:
    """The commands that the emulator lacks, by the plugin that has them; those of Jenkins itself under `core`."""
    loaded: dict[str, list[str]] = yaml.safe_load(_PATH.read_text(encoding="utf-8"))
    return {plugin: tuple(names) for plugin, names in loaded.items()}


def is_unmodelled(name: str, plugins: Sequence[str]) -> bool:
    """Whether a Jenkins with these plugins has the command, and the emulator lacks it."""
    return any(name in names for plugin, names in list_unmodelled().items() if plugin == "core" or plugin in plugins)


async def execute(words: Sequence[str], controller: Controller, identity: Identity, terminal: Terminal) -> int:
    """Run a command by its words, the first of which is its name; its exit code."""
    if not words:
        await terminal.complain("Connection closed before arguments received\n")
        return BAD_ARGUMENTS
    name, *rest = words
    if name not in COMMANDS:
        if not is_unmodelled(name, list(controller.home.options.plugins)):
            await terminal.complain(f"No such command {name}\n")
            return BAD_ARGUMENTS
        await terminal.complain(f"\nERROR: {NAME} does not model the command {name}; Jenkins has it\n")
        return ABORTED
    return await _run(COMMANDS[name], rest, Context(controller, identity, terminal))


async def _run(chosen: Command, words: Sequence[str], context: Context) -> int:
    try:
        if not chosen.is_open:
            context.require("Overall/Read")
        context.given = parse(words, chosen.arguments, chosen.options)
        return await chosen.run(context) or 0
    except BadArguments as fault:
        await _report(context, str(fault), chosen.render_usage())
        return BAD_ARGUMENTS
    except Failed as fault:
        await _report(context, str(fault))
        return fault.code
    except NoSuchThing as fault:
        await _report(context, str(fault))
        return NO_SUCH_THING
    except (Forbidden, ForbiddenAll) as refusal:
        await _report(context, refusal.message)
        return DENIED
    except Refused as refusal:
        if NAME in refusal.message:
            await _report(context, refusal.message)
            return ABORTED
        return await _report_exception(context, chosen, _name_exception(refusal))
    except ConfigurationRefused as refusal:
        return await _report_exception(context, chosen, f"{refusal.issues[0].kind}: {refusal.issues[0].said}")
    except ConnectionError:
        raise
    except Exception as fault:
        identifier = log_uncaught(fault)
        return await _report_exception(context, chosen, f"a fault of {NAME}; its log has more under {identifier}")


def _name_exception(refusal: Refused) -> str:
    """The exception of a refusal: bad input is Jenkins' Failure, other refusals name their exception themselves."""
    return f"hudson.model.Failure: {refusal.message}" if refusal.is_failure else refusal.message


async def _report(context: Context, message: str, usage: str = "") -> None:
    await context.terminal.complain(f"\nERROR: {message}\n{usage}")


async def _report_exception(context: Context, chosen: Command, exception: str) -> int:
    """Report an exception that Jenkins does not expect: it prints the stack, of which the emulator has only the first line."""
    words = f"Unexpected exception occurred while performing {chosen.name} command."
    await _report(context, words, f"{exception}\n")
    return FAULT
