"""testinfra over a shell of the toolkit: one verified connection, or the machine's own shell when the suite runs there."""

from __future__ import annotations

import contextlib
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult

from bootstrap.errors import ConnectionBroken
from bootstrap.remote.questions import make_command
from bootstrap.values import Result, Shell


class ShellBackend(BaseBackend):  # type: ignore[misc]
    """A backend whose commands go through `values.Shell`; a command that fails is a result, not an exception."""

    NAME = "shell"

    def __init__(self, shell: Shell, address: str) -> None:
        super().__init__(address)
        self._shell = shell
        self._encoding = "utf-8"  # else the base class asks the machine for it

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run one command line of testinfra's, its arguments quoted by testinfra itself."""
        line = self.get_command(command, *args)
        result = self._look(line)
        return self.result(result.exit_code, self.encode(line), result.stdout, result.stderr)

    def _look(self, line: str) -> Result:
        """What a command says. One under which the connection broke is asked again, once: a check only looks."""
        with contextlib.suppress(ConnectionBroken):
            return self._shell.run(make_command(line), check=False)
        return self._shell.run(make_command(line), check=False)
