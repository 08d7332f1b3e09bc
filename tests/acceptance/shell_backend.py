"""testinfra over a shell of the toolkit: one verified connection, or the machine's own shell when the suite runs there."""

from __future__ import annotations

from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult

from bootstrap.values import Shell


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
        result = self._shell.run(["sh", "-c", line], check=False)
        return self.result(result.exit_code, self.encode(line), result.stdout, result.stderr)
