"""Debian packages: one apt transaction for all that are missing, through held locks, flaky mirrors and interrupted runs."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Sequence
from pathlib import Path

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource, last_lines

_LOCK_WAIT = 600.0  # seconds; an unattended upgrade of a whole machine takes minutes
_PAUSES = (2.0, 5.0, 15.0)  # seconds between the attempts at an installation
_STALE = 86400.0  # seconds after which package lists are updated before they are used
_POLICY = "/usr/sbin/policy-rc.d"
_POLICY_TEXT = (
    "#!/bin/sh\n"
    "# Placed by bootstrap for the time of one installation: no service starts before it is configured.\n"
    "exit 101\n"
)
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive", "APT_LISTCHANGES_FRONTEND": "none", "NEEDRESTART_SUSPEND": "1"}
_APT = [
    "apt-get",
    "-q",
    "-y",
    "--no-install-recommends",
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    f"DPkg::Lock::Timeout={_LOCK_WAIT:.0f}",
    "-o",
    "Acquire::Retries=3",
]


def packages(context: Context, resource: Resource) -> Finding | None:
    """All of `names` installed; their services stay stopped until a resource of kind `unit` starts them."""
    missing = _missing(context, resource["names"])
    interrupted = _interrupted(context)
    if not missing and not interrupted:
        return None
    return Finding("add", ", ".join([*interrupted, *missing]), lambda: _install(context, missing))


def _missing(context: Context, names: Sequence[str]) -> list[str]:
    """The names that are not fully installed; dpkg-query exits with 1 if it does not know one, which is no failure."""
    answer = context.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], check=False)
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def _interrupted(context: Context) -> list[str]:
    """Traces of a killed installation: dpkg's unread journal, or our policy file, which keeps services stopped."""
    traces = []
    journal = context.path("/var/lib/dpkg/updates")
    if journal.is_dir() and any(journal.iterdir()):
        traces.append("interrupted dpkg")
    policy = context.path(_POLICY)
    if policy.is_file() and policy.read_text(errors="replace") == _POLICY_TEXT:
        traces.append("held-back services")
    return traces


def _install(context: Context, names: Sequence[str]) -> None:
    wait_for_locks(context)
    policy = context.path(_POLICY)
    is_ours = not policy.exists() or policy.read_text(errors="replace") == _POLICY_TEXT
    if is_ours:
        policy.write_text(_POLICY_TEXT)
        policy.chmod(0o755)
    try:
        # It fails for half-unpacked packages, which the installation then unpacks again.
        context.run(["dpkg", "--configure", "-a"], check=not names, timeout=900, environment=NONINTERACTIVE)
        if names:
            _install_with_retries(context, names)
    finally:
        if is_ours:
            policy.unlink(missing_ok=True)


def _install_with_retries(context: Context, names: Sequence[str]) -> None:
    """Install; after each failure, update the lists and pause longer. A name that new lists lack fails at once."""
    is_fresh = not _are_stale(context)
    for pause in (*_PAUSES, None):
        if not is_fresh:
            _update(context)
        answer = context.run([*_APT, "install", *names], check=False, timeout=1800, environment=NONINTERACTIVE)
        if answer.returncode == 0:
            return
        output = f"{answer.stdout}\n{answer.stderr}"
        is_unknown = "Unable to locate package" in output or "has no installation candidate" in output
        if pause is None or (is_unknown and not is_fresh):
            shown = f"apt-get install {' '.join(names)}"
            raise Failed("packages cannot be installed", shown, answer.returncode, last_lines(output))
        if not is_fresh:
            time.sleep(pause)
        context.run(["dpkg", "--configure", "-a"], check=False, timeout=900, environment=NONINTERACTIVE)
        is_fresh = False


def _update(context: Context) -> None:
    """Update the lists; apt-get ignores an unreachable source, and the installation fails if that matters."""
    context.run([*_APT, "update"], check=False, timeout=600, environment=NONINTERACTIVE)


def _are_stale(context: Context) -> bool:
    lists = [path.stat().st_mtime for path in context.path("/var/lib/apt/lists").glob("*_Packages*")]
    stamp = context.path("/var/lib/apt/lists/partial")
    newest = max([*lists, stamp.stat().st_mtime if lists and stamp.exists() else 0.0])
    return time.time() - newest > _STALE


def wait_for_locks(context: Context) -> None:
    """Wait until nobody holds dpkg's locks: `dpkg --configure` itself fails at once where apt-get would wait."""
    deadline = time.monotonic() + _LOCK_WAIT
    for name in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"):
        path = context.path(name)
        while path.exists() and _is_locked(path):
            if time.monotonic() > deadline:
                raise Failed(f"another process held {name} for {_LOCK_WAIT:.0f} s")
            time.sleep(1)


def _is_locked(path: Path) -> bool:
    with path.open("r+b") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.lockf(stream, fcntl.LOCK_UN)
        return False
