"""The options of podman for a machine, computed from `podman info` and the limits of this process.

A machine is a container with systemd as process 1, its own network stack and the permission to mount (SYS_ADMIN), which systemd
needs for the sandboxes of hardened units. It runs in a user namespace: root in it has no permissions on this machine, and its
capabilities are valid only for what the namespace owns. It is not privileged: it has no devices and no kernel settings of the
host.

A machine whose user builds containers gets more: see `list_nesting_options`. All other machines stay as they are.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.local.machines.ids import WIDTH

PID_MAX = Path("/proc/sys/kernel/pid_max")
CONTAINER_STORAGE = "/var/lib/build-containers"
"""Where a build's containers are stored in a machine; the user data of the agents' template has the same path."""

UNLIMITED = -1
USUAL_OPEN_FILES = 1024  # the soft limit on a Debian machine
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
    """Hard limits on open files and processes (-1 is no limit, as podman writes it), and the kernel's number of process ids."""

    nofile: int
    nproc: int
    pid_max: int


def read_own_limits() -> Limits:
    """The limits of this process. Without CAP_SYS_RESOURCE, a container cannot have higher ones."""
    return Limits(
        nofile=_convert_limit(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        nproc=_convert_limit(resource.getrlimit(resource.RLIMIT_NPROC)[1]),
        pid_max=int(PID_MAX.read_text()),
    )


def _convert_limit(hard: int) -> int:
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def keeps_cgroups(info: Mapping[str, Any]) -> bool:
    """Whether a container's cgroups belong to root of this machine: with cgroup version 1 or hybrid."""
    return bool(info["host"].get("cgroupVersion") == "v1")


def list_runtime_options(info: Mapping[str, Any], runtime: Path | None = None) -> tuple[str, ...]:
    """Podman's global options: the runtime runc with cgroup version 1 or hybrid, which crun refuses; otherwise none.

    `runtime` replaces runc for containers with a user namespace.
    """
    if keeps_cgroups(info) and (runtime or info["host"].get("ociRuntime", {}).get("name") != "runc"):
        return ("--runtime", str(runtime or "runc"))
    return ()


def list_machine_options(info: Mapping[str, Any], limits: Limits, first_id: int, width: int = WIDTH) -> tuple[str, ...]:
    """The options of `podman run` that are the same for all machines.

    `first_id` is the id of their root on this machine, `width` the number of their ids.
    """
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
        # Subnets are IPv4 only; with the kernel's link-local IPv6 addresses, traffic would bypass groups and ACLs.
        "--sysctl=net.ipv6.conf.default.disable_ipv6=1",  # the default applies to eth0, which is made later
        f"--uidmap=0:{first_id}:{width}",
        f"--gidmap=0:{first_id}:{width}",
        *(f"--cap-add={name}" for name in CAPABILITIES),
        f"--ulimit=nofile={_limit(USUAL_OPEN_FILES, limits.nofile)}:{limits.nofile}",
        # Podman lowers its own limit to the kernel's number of process ids, and a container cannot have more.
        f"--ulimit=nproc={(processes := _limit(limits.pid_max, limits.nproc))}:{processes}",
    ]
    # The container profiles of both security modules forbid mounting, also in a user namespace ("deny mount" of AppArmor), but
    # systemd must mount. So the user namespace is the only limit here. Podman's own seccomp profile stays active.
    if security.get("apparmorEnabled"):
        options.append("--security-opt=apparmor=unconfined")
    if security.get("selinuxEnabled"):
        options.append("--security-opt=label=disable")
    return tuple(options)


def list_nesting_options(tun: Path) -> tuple[str, ...]:
    """The further options of a machine whose user runs containers without being root; `tun` is a node of /dev/net/tun.

    The kernel mounts a new /proc in a user namespace only if no file of the present one is covered, so podman's masks of /proc
    go. Root in the machine could take them away in any case, because it may unmount; what they cover belongs to root of this
    machine. A network of pasta needs /dev/net/tun. The kernel refuses an overlay on the overlay that is the root of the
    machine, so the storage is a volume, which podman removes with the container.
    """
    return (
        "--security-opt=unmask=/proc/*",
        f"--volume={tun}:/dev/net/tun:dev",
        f"--volume={CONTAINER_STORAGE}",
    )


def _limit(value: int, hard: int) -> int:
    """The value, or the hard limit if that is lower."""
    return value if hard == UNLIMITED else min(value, hard)
