"""Runs podman: takes a list of arguments, returns standard output, and raises `LocalCloudFailed` if the command fails.

Standard error is not parsed, because podman prints harmless warnings there; the exception is one failure that passes by itself.
Its last lines are shown only if the command failed. Other modules of this package start no processes, except `image`
(mmdebstrap and apt's configuration) and `namespaces` (a trial of user namespaces).
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from bootstrap import wording
from bootstrap.errors import LocalCloudFailed, Missing

SHOWN_LINES = 12
DEFAULT_SECONDS = 120.0
_BUSY, _BUSY_SECONDS, _PAUSE = "device or resource busy", 30.0, 0.3


def run(
    command: Sequence[str],
    *,
    doing: str,
    remedy: str = "Run the command by hand to see more.",
    stdin: bytes = b"",
    timeout: float = DEFAULT_SECONDS,
) -> str:
    """Run one program and return its standard output; `doing` is the purpose, for the error. `timeout` is in seconds.

    Missing if the program is not installed; LocalCloudFailed if it fails or takes longer than `timeout`.
    """
    completed = _run_process(command, doing, remedy, stdin, timeout)
    if completed.returncode != 0:
        output = cut_tail(completed.stderr or completed.stdout)
        raise LocalCloudFailed(doing, f"'{shlex.join(command)}' exited with {completed.returncode}\n{output}", remedy)
    return completed.stdout.decode(errors="replace")


def does_succeed(command: Sequence[str], *, timeout: float = DEFAULT_SECONDS) -> bool:
    """Whether a program ends with exit code 0; Missing if it is not installed."""
    return _run_process(command, f"running {command[0]}", "Run the command by hand.", b"", timeout).returncode == 0


def _run_process(
    command: Sequence[str], doing: str, remedy: str, stdin: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(list(command), input=stdin, capture_output=True, timeout=timeout)
    except (FileNotFoundError, PermissionError):  # the latter where PATH has a folder that this user may not read
        install = wording.advise_installation(command[0])
        raise Missing(doing, f"'{command[0]}' is not installed", install) from None
    except subprocess.TimeoutExpired as expired:
        output = cut_tail((expired.stderr or b"") + (expired.stdout or b""))
        message = f"'{shlex.join(command)}' took longer than {timeout:.0f} s\n{output}"
        raise LocalCloudFailed(doing, message, remedy) from None


def cut_tail(output: bytes | str, lines: int = SHOWN_LINES) -> str:
    """The last lines of an output, for the text of an error."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return "\n".join(text.replace("\r", "").strip().splitlines()[-lines:])


class Podman:
    """Podman with the global options that this machine needs (the runtime, where the default one cannot work)."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self._command = ("podman", *options)

    def run(self, *arguments: str, doing: str, timeout: float = DEFAULT_SECONDS, remedy: str = "") -> str:
        """Run `podman ARGUMENTS` and return its standard output; LocalCloudFailed if it fails."""
        hint = remedy or "Run the command by hand, or look at 'podman ps -a'."
        return run((*self._command, *arguments), doing=doing, timeout=timeout, remedy=hint)

    def run_when_free(self, *arguments: str, doing: str) -> str:
        """As `run`, for commands that unmount and can be repeated: tries again while a mount is busy, at most 30 seconds.

        While other containers are made and removed, podman can fail to unmount the /dev/shm of a container with a user
        namespace (4 of 48 removals, four at a time, with podman 4.3; none of 48 without a user namespace). A second call
        succeeds.
        """
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self.run(*arguments, doing=doing)
            except LocalCloudFailed as failure:
                if _BUSY not in failure.found or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)

    def read_json(self, *arguments: str, doing: str) -> Any:
        """Run `podman ARGUMENTS` and parse its output as JSON; None if it is empty, as podman prints an empty list."""
        return json.loads(self.run(*arguments, doing=doing).strip() or "null")

    def try_run(self, *arguments: str) -> bool:
        """Run `podman ARGUMENTS`; False if it fails."""
        return does_succeed((*self._command, *arguments))

    def has(self, kind: str, name: str) -> bool:
        """Whether podman has a container, network or image of that name; `kind` is one of these words."""
        return does_succeed((*self._command, kind, "exists", name))


def read_podman_info() -> dict[str, Any]:
    """The output of `podman info` about this machine: cgroups, runtimes, security modules."""
    answer: dict[str, Any] = Podman().read_json("info", "--format", "json", doing="asking podman about this machine")
    return answer
