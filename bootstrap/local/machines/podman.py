"""The one door to podman: an argument list goes in, standard output comes out, a failure becomes `LocalCloudFailed`.

Standard error is not parsed (podman warns there about things that do no harm) but for the one failure that passes by itself;
its last lines are only shown when the command failed. Nothing else in this package starts a process, except the image's maker,
which needs mmdebstrap and apt's configuration, and the trial of user namespaces.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Sequence
from typing import Any

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
    """Run one program and return what it printed; `doing` names the purpose in the error. `timeout` is in seconds."""
    done = _finished(command, doing, remedy, stdin, timeout)
    if done.returncode != 0:
        seen = tail(done.stderr or done.stdout)
        raise LocalCloudFailed(doing, f"'{shlex.join(command)}' exited with {done.returncode}\n{seen}", remedy)
    return done.stdout.decode(errors="replace")


def succeeds(command: Sequence[str], *, timeout: float = DEFAULT_SECONDS) -> bool:
    """Whether a program that answers by its exit code says yes."""
    return _finished(command, f"running {command[0]}", "Run the command by hand.", b"", timeout).returncode == 0


def _finished(
    command: Sequence[str], doing: str, remedy: str, stdin: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(list(command), input=stdin, capture_output=True, timeout=timeout)
    except FileNotFoundError:
        install = f"Install it: apt-get install {command[0]}"
        raise Missing(doing, f"'{command[0]}' is not installed", install) from None
    except subprocess.TimeoutExpired as late:
        seen = tail((late.stderr or b"") + (late.stdout or b""))
        found = f"'{shlex.join(command)}' took longer than {timeout:.0f} s\n{seen}"
        raise LocalCloudFailed(doing, found, remedy) from None


def tail(output: bytes | str, lines: int = SHOWN_LINES) -> str:
    """The last lines of an output, for an error's text."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return "\n".join(text.replace("\r", "").strip().splitlines()[-lines:])


class Podman:
    """Podman with the global options that this machine needs (the runtime, where the default one cannot work)."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self._command = ("podman", *options)

    def run(self, *arguments: str, doing: str, timeout: float = DEFAULT_SECONDS, remedy: str = "") -> str:
        """`podman ARGUMENTS`; its standard output."""
        hint = remedy or "Run the command by hand, or look at 'podman ps -a'."
        return run((*self._command, *arguments), doing=doing, timeout=timeout, remedy=hint)

    def run_when_free(self, *arguments: str, doing: str) -> str:
        """The same for what may be done twice and takes mounts away: again while one of them is busy.

        While other containers come and go, podman may fail to take away the /dev/shm of one with a user namespace (4 of 48
        removals, four at a time, with podman 4.3; none of 48 without a user namespace). A second call succeeds.
        """
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self.run(*arguments, doing=doing)
            except LocalCloudFailed as failure:
                if _BUSY not in failure.found or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)

    def json(self, *arguments: str, doing: str) -> Any:
        """`podman ARGUMENTS` whose standard output is JSON; podman prints nothing, or null, for an empty list."""
        return json.loads(self.run(*arguments, doing=doing).strip() or "null")

    def try_run(self, *arguments: str) -> bool:
        """`podman ARGUMENTS` that podman may well refuse; whether it did it."""
        return succeeds((*self._command, *arguments))

    def has(self, kind: str, name: str) -> bool:
        """Whether podman knows the container, network or image of that name."""
        return succeeds((*self._command, kind, "exists", name))


def podman_info() -> dict[str, Any]:
    """What podman says about this machine: cgroups, runtimes, security modules."""
    answer: dict[str, Any] = Podman().json("info", "--format", "json", doing="asking podman about this machine")
    return answer
