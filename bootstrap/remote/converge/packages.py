"""Debian packages: one apt transaction for all that are missing, through held locks, flaky mirrors and interrupted runs."""

from __future__ import annotations

import fcntl
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource, last_lines

_LOCK_WAIT = 600.0  # seconds; an unattended upgrade of a whole machine takes minutes
_PAUSES = (2.0, 5.0, 15.0)  # seconds between the attempts at an installation
_HELD = ("Could not get lock", "Unable to lock", "is locked by another process")  # apt's and dpkg's words
_LOCKS = (
    *("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"),
    *("/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"),
)
# Comes from no archive, so apt refuses every installation while it is half-installed. Its own unit installs it again.
_AGENT, _AGENT_UNIT = "amazon-ssm-agent", "session-agent.service"
_BROKEN = frozenset({"half-installed", "unpacked", "half-configured"})
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
    statuses = _read_statuses(context, resource["names"])
    missing = [name for name in resource["names"] if statuses.get(name) != "installed"]
    interrupted = _find_interrupted(context, statuses)
    if not missing and not interrupted:
        return None
    return Finding("add", ", ".join([*interrupted, *missing]), lambda: _install(context, missing))


def _read_statuses(context: Context, names: Sequence[str] = ()) -> dict[str, str]:
    """dpkg's status of these packages and of the agent; it exits with 1 if it does not know one, which is no failure."""
    names = (*names, _AGENT)
    answer = context.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], check=False)
    words = (line.split() for line in answer.stdout.splitlines())
    return {it[0]: it[1] for it in words if len(it) == 2}


def _find_interrupted(context: Context, statuses: Mapping[str, str]) -> list[str]:
    """Traces of a killed installation: dpkg's unread journal, our policy file, which keeps services stopped, half an agent."""
    traces = [f"half-installed {_AGENT}"] if statuses.get(_AGENT) in _BROKEN else []
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
        is_broken = _read_statuses(context).get(_AGENT) in _BROKEN
        context.run(
            ["dpkg", "--configure", "-a"], check=not names and not is_broken, timeout=900, environment=NONINTERACTIVE
        )
        if is_broken and _read_statuses(context).get(_AGENT) in _BROKEN:
            _remove_agent(context)
        if names:
            _install_with_retries(context, names)
    finally:
        if is_ours:
            policy.unlink(missing_ok=True)


def _remove_agent(context: Context) -> None:
    """Remove the half-installed agent, which nothing can configure; its unit begins from the start."""
    command = ["dpkg", "--remove", "--force-remove-reinstreq", _AGENT]
    context.run(command, timeout=900, environment=NONINTERACTIVE)
    context.run(["systemctl", "restart", "--no-block", _AGENT_UNIT], check=False)


def _install_with_retries(context: Context, names: Sequence[str]) -> None:
    """Install; after each failure, update the lists and pause longer. A name that new lists lack fails at once."""
    is_fresh = not _are_stale(context)
    for pause in (*_PAUSES, None):
        if not is_fresh:
            _update(context)
        answer = _run_apt(context, ["install", *names], timeout=1800)
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
    _run_apt(context, ["update"], timeout=600)


def _run_apt(context: Context, words: Sequence[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run apt-get; while another process holds a lock, wait and run it again: of four locks, apt-get itself waits for one."""
    deadline = time.monotonic() + _LOCK_WAIT
    while True:
        answer = context.run([*_APT, *words], check=False, timeout=timeout, environment=NONINTERACTIVE)
        is_held = answer.returncode != 0 and any(it in answer.stdout + answer.stderr for it in _HELD)
        if not is_held or time.monotonic() > deadline:
            return answer
        time.sleep(1)
        wait_for_locks(context)


def _are_stale(context: Context) -> bool:
    lists = [path.stat().st_mtime for path in context.path("/var/lib/apt/lists").glob("*_Packages*")]
    stamp = context.path("/var/lib/apt/lists/partial")
    newest = max([*lists, stamp.stat().st_mtime if lists and stamp.exists() else 0.0])
    return time.time() - newest > _STALE


def wait_for_locks(context: Context) -> None:
    """Wait until nobody holds the locks of dpkg and apt: `dpkg --configure` and `apt-get update` fail at once otherwise."""
    deadline = time.monotonic() + _LOCK_WAIT
    for name in _LOCKS:
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
