"""The shell for a toolkit that runs on the machine itself, as in Jenkins' own jobs: the same promises, without SSH."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from bootstrap.errors import CommandFailed
from bootstrap.remote import commands
from bootstrap.values import Result

TIMED_OUT = 124  # the exit code that timeout(1) gives
_CHUNK = 1 << 16  # bytes


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
        hear: Callable[[str], None] | None = None,
    ) -> Result:
        """Run one command; CommandFailed on a non-zero exit (unless told not to check) and always when time runs out."""
        full = commands.add_sudo(command) if sudo and os.geteuid() != 0 else tuple(command)
        started = time.monotonic()
        try:
            code, output, problems = _converse(full, stdin, timeout, commands.Lines(hear))
        except (
            FileNotFoundError,
            PermissionError,
        ) as error:  # the latter: a folder in PATH that this user may not read
            code, output, problems = 127, b"", str(error).encode()
        except subprocess.TimeoutExpired as error:
            code, output, problems = TIMED_OUT, error.stdout or b"", f"no result after {timeout} s".encode()
            check = True
        texts = (output.decode(errors="replace"), problems.decode(errors="replace"))
        result = Result(commands.shorten_command(command), code, *texts, time.monotonic() - started)
        if check and code != 0:
            raise CommandFailed("running a command on this machine", result, "Run it by hand to see more.")
        return result

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        """Write a file atomically, with its mode from the start."""
        data = content if isinstance(content, bytes) else content.read_bytes()
        self.run(commands.put(path, mode, len(data)), stdin=data, sudo=sudo)

    def forward(self, port: int, *, local_port: int = 0) -> AbstractContextManager[int]:
        """The port itself: the machine's loopback is this one's."""

        @contextmanager
        def same() -> Iterator[int]:
            yield port

        return same()

    def close(self) -> None:
        """Nothing is kept open."""


def _converse(
    command: Sequence[str], stdin: bytes, timeout: float | None, lines: commands.Lines
) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a child process; TimeoutExpired, with the output so far, after it was killed."""
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile() as problems,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=problems) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            child.kill()

        timer = threading.Timer(timeout or 0, give_up)
        feeder = threading.Thread(target=_feed, args=(child.stdin, stdin), daemon=True)
        feeder.start()
        if timeout is not None:
            timer.start()
        while data := os.read(child.stdout.fileno(), _CHUNK):
            lines += data
        code = child.wait()
        timer.cancel()
        feeder.join()
        if is_late.is_set():
            raise subprocess.TimeoutExpired(list(command), timeout or 0, bytes(lines.output))
        problems.seek(0)
        return code, bytes(lines.output), problems.read()


def _feed(stream: IO[bytes], data: bytes) -> None:
    """Send the input; a command that ends without reading it all is no error."""
    with contextlib.suppress(OSError):
        stream.write(data)
    with contextlib.suppress(OSError):
        stream.close()
