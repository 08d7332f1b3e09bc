"""Checks whether this machine has user namespaces. With them, root in a machine of the local cloud is not root on this machine.

Without a user namespace, root in a machine with the permission to mount could run any program on this machine, by the
`release_agent` of a cgroup or by a core pattern. So no machine is started then.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import Missing
from bootstrap.local.machines import ids

PROC = Path("/proc")
TRIAL = ("unshare", "--user", "true")
_SECONDS = 20
MEANING = "root in a machine would be root on this machine, so no machine is started"


@dataclass(frozen=True)
class Obstacle:
    """The reason why machines cannot have a user namespace, and the remedy."""

    found: str
    remedy: str


def find_obstacle(proc: Path = PROC, trial: tuple[str, ...] = TRIAL) -> Obstacle | None:
    """The reason why this machine cannot have user namespaces for machines; None if it can."""
    if not (proc / "self/ns/user").exists():
        return Obstacle("the kernel has no user namespaces (CONFIG_USER_NS)", "Use a kernel with them.")
    limit = _read_number(proc / "sys/user/max_user_namespaces")
    if limit is not None and limit < 1:
        remedy = "Run: sysctl -w user.max_user_namespaces=15000, and set it in /etc/sysctl.d for the next start, too."
        return Obstacle("user namespaces are switched off: user.max_user_namespaces is 0", remedy)
    if not _has_ids((proc / "self/uid_map").read_text()) or not _has_ids((proc / "self/gid_map").read_text()):
        found = (
            f"this process is in a user namespace itself, which does not have the ids from {ids.FIRST} to {ids.LAST}"
        )
        return Obstacle(found, "Run it outside of that container, or in a virtual machine.")
    try:
        completed = subprocess.run(trial, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Obstacle(f"'{' '.join(trial)}' does not run: {error}", "Install util-linux.")
    if completed.returncode:
        remedy = "Look at what forbids it: the container or the security module that this process runs under."
        return Obstacle(f"'{' '.join(trial)}' failed: {completed.stderr.strip()}", remedy)
    return None


def ensure(proc: Path = PROC, trial: tuple[str, ...] = TRIAL) -> None:
    """Missing if machines cannot have a user namespace."""
    obstacle = find_obstacle(proc, trial)
    if obstacle is not None:
        raise Missing("preparing a user namespace for the machines", f"{obstacle.found}: {MEANING}", obstacle.remedy)


def _read_number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _has_ids(mapping: str) -> bool:
    """Whether one line of a uid_map (user_namespaces(7)) contains all ranges for machines."""
    rows = [[int(word) for word in line.split()] for line in mapping.splitlines()]
    return any(first <= ids.FIRST and first + count >= ids.LAST + ids.WIDTH for first, _, count in rows)
