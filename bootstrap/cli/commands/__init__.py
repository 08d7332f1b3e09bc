"""The commands, one module for each family. A new command is one new file here: it is found by itself.

Each module declares `COMMANDS`, a tuple of `Command`: names, flags and examples stand beside the functions that carry the
commands out. Modules of this package do not import each other.
Imported by: cli.parser.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bootstrap.cli.command import Command


@cache
def find_commands() -> dict[str, Command]:
    """Every command by its name, in the order of the help."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    commands = [command for module in modules for command in module.COMMANDS]
    return {command.name: command for command in sorted(commands, key=lambda command: command.position)}
