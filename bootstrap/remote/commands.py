"""Command lines that more than one kind of shell needs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

_SHOWN_LENGTH = 160  # characters of a command in messages; a program given with -c would fill the screen
_PUT = (
    'set -e; umask 077; t=$(mktemp "$1.XXXXXX"); trap \'rm -f "$t"\' EXIT; chmod "$2" "$t"; cat >"$t"; '
    'test "$(stat -c %s "$t")" = "$3"; mv -fT "$t" "$1"; trap - EXIT'
)


def put(path: str, mode: int, size: int) -> tuple[str, ...]:
    """Write standard input to `path`: beside it first, with its mode before its content, and only if all `size` bytes came."""
    return ("sh", "-c", _PUT, "put", path, f"{mode:04o}", str(size))


def add_sudo(command: Sequence[str]) -> tuple[str, ...]:
    """The command as root, refused at once where that would need a password."""
    return ("sudo", "-n", "--", *command)


def shorten_command(command: Sequence[str]) -> str:
    """The command as one short line for messages."""
    line = " ".join(shlex.join(command).split())
    return line if len(line) <= _SHOWN_LENGTH else f"{line[:_SHOWN_LENGTH]}..."


def quote_command(command: Sequence[str]) -> str:
    """The command as one line for a shell; the only place where quoting happens."""
    return shlex.join(command)


class Lines:
    """Output that is kept whole, and told line by line while it comes; a last line without its end is not told."""

    def __init__(self, hear: Callable[[str], None] | None) -> None:
        self.output = bytearray()
        self._hear = hear
        self._told = 0

    def __iadd__(self, data: bytes) -> Lines:
        self.output += data
        while self._hear and (end := self.output.find(b"\n", self._told)) >= 0:
            line = self.output[self._told : end].decode(errors="replace")
            self._told = end + 1
            self._hear(line)
        return self
