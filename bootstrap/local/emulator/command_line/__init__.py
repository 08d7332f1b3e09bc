"""The command line of Jenkins over HTTP: its protocol, the arguments of commands, and the commands that the emulator has.

It decides what a command reads, prints and ends with. It knows no HTTP: `web` carries its frames. A command that Jenkins has
and the emulator lacks is refused in the emulator's name (`data/commands.yaml`), one that Jenkins does not have is unknown.
Imported by: web.
"""

from . import configuration_commands, item_commands, run_commands, server_commands

__all__ = ["configuration_commands", "item_commands", "run_commands", "server_commands"]
