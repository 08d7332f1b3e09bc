"""Makes the kernel pass traffic between two machines of one subnet, which a bridge forwards, through the packet filter.

The module br_netfilter does this (kernel documentation, networking/ip-sysctl, "bridge-nf-call-iptables"). It may not be loaded,
or it may be switched off. Both are corrected if this process has the permission.
"""

from __future__ import annotations

from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.local.machines.podman import does_succeed

SETTING = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def are_filtered(setting: Path = SETTING) -> bool:
    """Whether security groups are enforced between machines of one subnet."""
    try:
        return setting.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def filter_them(setting: Path = SETTING) -> str:
    """Switch it on if it is off; returns '' if it is on, else the reason why it cannot be."""
    if are_filtered(setting):
        return ""
    if not setting.exists() and not _load_module():
        return "the kernel has no br_netfilter, and 'modprobe br_netfilter' did not load it"
    try:
        setting.write_text("1\n", encoding="ascii")
    except OSError as error:
        return f"{setting} cannot be set to 1: {error.strerror}"
    return ""


def _load_module() -> bool:
    try:
        return does_succeed(["modprobe", "br_netfilter"])
    except BootstrapError:  # there is no modprobe, for example in a container
        return False
