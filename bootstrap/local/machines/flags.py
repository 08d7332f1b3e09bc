"""Which options podman needs for a machine on this host: a pure decision from `podman info` and the process' own limits.

A machine is a container with systemd as process 1, its own network stack and the right to mount (SYS_ADMIN), which
systemd needs for the sandboxes of hardened units. It runs in a user namespace: root in it is nobody here, and its
capabilities count only for what the namespace owns. It is not privileged: no devices, no host kernel settings.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.local.machines.ids import WIDTH

PID_MAX = Path("/proc/sys/kernel/pid_max")
UNLIMITED = -1
USUAL_OPEN_FILES = 1024  # a Debian machine's soft limit
CAPABILITIES = (
    "NET_ADMIN",  # nftables
    "SYS_ADMIN",  # the sandboxes of systemd's units
    "AUDIT_WRITE",  # pam, in sshd and sudo
    "NET_RAW",  # ping
    "SYS_PTRACE",  # ss -p, and debuggers, for root inside
    "IPC_LOCK",  # LoadCredential= keeps secrets out of swap
)


@dataclass(frozen=True)
class Limits:
    """Hard limits on open files and processes, -1 for none as podman spells it, and the kernel's number of process ids."""

    nofile: int
    nproc: int
    pid_max: int


def own_limits() -> Limits:
    """The limits of this process: a container may have these, but without CAP_SYS_RESOURCE none above."""
    return Limits(
        nofile=_spelt(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        nproc=_spelt(resource.getrlimit(resource.RLIMIT_NPROC)[1]),
        pid_max=int(PID_MAX.read_text()),
    )


def _spelt(hard: int) -> int:
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def keeps_cgroups(info: Mapping[str, Any]) -> bool:
    """Whether the runtimes leave a container's cgroups to this machine's root: where they are version 1 or hybrid."""
    return bool(info["host"].get("cgroupVersion") == "v1")


def runtime_options(info: Mapping[str, Any], runtime: Path | None = None) -> tuple[str, ...]:
    """Podman's global options: runc where cgroups are version 1 or hybrid, which crun refuses; else podman's own choice.

    `runtime` takes the place of runc for containers with a user namespace.
    """
    if keeps_cgroups(info) and (runtime or info["host"].get("ociRuntime", {}).get("name") != "runc"):
        return ("--runtime", str(runtime or "runc"))
    return ()


def machine_options(info: Mapping[str, Any], limits: Limits, first_id: int) -> tuple[str, ...]:
    """The options of `podman run` that do not depend on which machine it is; `first_id` is root in it, as this side sees it."""
    security = info["host"].get("security", {})
    options = [
        "--detach",
        "--tty",  # so that systemd and cloud-init have a console, and the console a log
        "--systemd=always",
        "--env=TERM=dumb",  # no colours on the console
        "--http-proxy=false",
        "--dns-search=.",
        "--no-hosts",  # the operator's /etc/hosts is not the machine's; cloud-init writes it
        "--log-driver=k8s-file",
        "--stop-timeout=60",
        # Subnets are IPv4 only; the kernel would give link-local addresses, and ways past groups and ACLs with them.
        "--sysctl=net.ipv6.conf.default.disable_ipv6=1",  # eth0 comes after this
        f"--uidmap=0:{first_id}:{WIDTH}",
        f"--gidmap=0:{first_id}:{WIDTH}",
        *(f"--cap-add={name}" for name in CAPABILITIES),
        f"--ulimit=nofile={_at_most(USUAL_OPEN_FILES, limits.nofile)}:{limits.nofile}",
        # Podman lowers its own limit to the number of process ids there are, and cannot give more than it has.
        f"--ulimit=nproc={(processes := _at_most(limits.pid_max, limits.nproc))}:{processes}",
    ]
    # Both security modules' container profiles forbid mounting, in a user namespace, too ("deny mount" of AppArmor's), and
    # systemd cannot do without: the user namespace is the bound. The profile of system calls stays podman's own.
    if security.get("apparmorEnabled"):
        options.append("--security-opt=apparmor=unconfined")
    if security.get("selinuxEnabled"):
        options.append("--security-opt=label=disable")
    return tuple(options)


def _at_most(wanted: int, hard: int) -> int:
    """What is wanted, or the hard limit where that is lower."""
    return wanted if hard == UNLIMITED else min(wanted, hard)
