"""The shell where the tool runs on the machine itself, as Jenkins' own jobs do: the same promises, without SSH."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bootstrap.errors import CommandFailed
from bootstrap.remote import commands
from bootstrap.values import Result

TIMED_OUT = 124  # the exit code that timeout(1) gives


class LocalShell:
    """Fulfils `values.Shell` with child processes of this one."""

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        sudo: bool = False,
        check: bool = True,
        timeout: float | None = None,
    ) -> Result:
        """Run one command; CommandFailed on a non-zero exit (unless told not to check) and always when time runs out."""
        full = commands.with_sudo(command) if sudo and os.geteuid() != 0 else tuple(command)
        started = time.monotonic()
        try:
            done = subprocess.run(full, input=stdin, capture_output=True, timeout=timeout)
            code, output, problems = done.returncode, done.stdout, done.stderr
        except FileNotFoundError as error:
            code, output, problems = 127, b"", str(error).encode()
        except subprocess.TimeoutExpired as error:
            code, output, problems = TIMED_OUT, error.stdout or b"", f"no end after {timeout} s".encode()
            check = True
        texts = (output.decode(errors="replace"), problems.decode(errors="replace"))
        result = Result(commands.shown(command), code, *texts, time.monotonic() - started)
        if check and code != 0:
            raise CommandFailed("running a command on this machine", result, "Run it by hand to see more.")
        return result

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        """Write a file atomically, with its mode from the start."""
        data = content if isinstance(content, bytes) else content.read_bytes()
        self.run(commands.put(path, mode, len(data)), stdin=data, sudo=sudo)

    def forward(self, port: int) -> AbstractContextManager[int]:
        """The port itself: the machine's loopback is this one's."""

        @contextmanager
        def same() -> Iterator[int]:
            yield port

        return same()

    def close(self) -> None:
        """Nothing is kept open."""
