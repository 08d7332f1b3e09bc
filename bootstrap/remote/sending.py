"""Sends a large file to the machine in pieces: a killed command continues where the last piece ended.

The part is beside the target. When it is whole and its SHA-256 is right, it gets the name of the target.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bootstrap.errors import CommandFailed, ConvergeFailed
from bootstrap.values import Shell

PIECE = 4 << 20
"""Bytes of one piece. A smaller file is sent at once, because each piece costs a round trip."""

_MOVED, _WRONG = 3, 4
_SIZE = 'umask 077; touch "$1" && stat -c %s "$1"'
_APPEND = f'test "$(stat -c %s "$1")" = "$2" || exit {_MOVED}; cat >>"$1" && stat -c %s "$1"'
_FINISH = f'test "$(sha256sum <"$1" | cut -c 1-64)" = "$2" || {{ rm -f "$1"; exit {_WRONG}; }}; mv -fT "$1" "$3"'


def send(shell: Shell, file: Path, sha256: str, target: str, tell: Callable[[int], None]) -> None:
    """Bring a file to `target` on the machine, with mode 0600; `tell` gets the number of bytes that are there.

    ConvergeFailed if what arrived has another checksum, twice; the errors of the shell pass.
    """
    part = f"{target}.part"
    for _ in range(2):
        _complete(shell, file, part, tell)
        finish = shell.run(["sh", "-c", _FINISH, "finish", part, sha256, target], sudo=True, check=False)
        if finish.exit_code == 0:
            return
        if finish.exit_code != _WRONG:
            raise CommandFailed(f"storing {file.name} on the machine", finish, "Launch again; it continues from there.")
    raise ConvergeFailed(
        f"sending {file.name} to the machine",
        f"what arrived does not have the SHA-256 {sha256}",
        "Launch again. If the error stays, the file on this machine was changed: remove .bootstrap/downloads.",
    )


def _complete(shell: Shell, file: Path, part: str, tell: Callable[[int], None]) -> None:
    """Append what the part lacks. A part that is larger than the file is of another one."""
    size = file.stat().st_size
    there = int(shell.run(["sh", "-c", _SIZE, "size", part], sudo=True).stdout)
    if there > size:
        shell.run(["rm", "-f", part], sudo=True)
        there = int(shell.run(["sh", "-c", _SIZE, "size", part], sudo=True).stdout)
    with file.open("rb") as content:
        while there < size:
            tell(there)
            content.seek(there)
            command = ["sh", "-c", _APPEND, "append", part, str(there)]
            appended = shell.run(command, stdin=content.read(PIECE), sudo=True, check=False)
            if appended.exit_code == _MOVED:  # a command that was killed still wrote its last piece
                there = int(shell.run(["sh", "-c", _SIZE, "size", part], sudo=True).stdout)
                continue
            if appended.exit_code != 0:
                raise CommandFailed(f"sending {file.name}", appended, "Launch again; it continues from there.")
            there = int(appended.stdout)
    tell(size)
