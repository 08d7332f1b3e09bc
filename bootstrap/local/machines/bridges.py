"""Whether the kernel shows the packet filter what passes between two machines of one subnet, which its bridge carries.

That is br_netfilter's part (kernel documentation, networking/ip-sysctl, "bridge-nf-call-iptables"): the module may not be
loaded, or be told to look away. Both are put right where this process may.
"""

from __future__ import annotations

from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.local.machines.podman import succeeds

SETTING = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def are_filtered(setting: Path = SETTING) -> bool:
    """Whether groups hold within a subnet."""
    try:
        return setting.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def filter_them(setting: Path = SETTING) -> str:
    """Make it so; '' where it is, else why it cannot be."""
    if are_filtered(setting):
        return ""
    if not setting.exists() and not _load():
        return "the kernel has no br_netfilter, and 'modprobe br_netfilter' did not load it"
    try:
        setting.write_text("1\n", encoding="ascii")
    except OSError as error:
        return f"{setting} cannot be set to 1: {error.strerror}"
    return ""


def _load() -> bool:
    try:
        return succeeds(["modprobe", "br_netfilter"])
    except BootstrapError:  # no modprobe at all, as in containers, whose host decides about its modules
        return False
