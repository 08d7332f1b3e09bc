"""Removes what podman can leave of a network without machines: the bridge, the namespaces of its machines, and its NAT rules.

Podman 4.3 takes them away with a network's last container. When the removal of a container fails halfway and is repeated (a
busy mount, a kill), it does not: the addresses stay in use, and the next launch with the same block is refused.
"""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.podman import run

_INTERFACES = Path("/sys/class/net")
_NAMESPACES = Path("/run/netns")
_RULE = re.compile(r"-A (?P<rule>POSTROUTING -s (?P<block>\S+) .*-j (?P<chain>NETAVARK-\w+))")
_REMEDY = "Remove it by hand: ip link, ip netns, iptables -t nat."


def remove(interface: str, cidr: str) -> None:
    """Remove what is left of the network with this bridge and block, in which no machine is; LocalCloudFailed if that fails."""
    if not (_INTERFACES / interface).exists():
        return
    doing = f"removing what podman left of the network {cidr}"
    block = ipaddress.ip_network(cidr)
    for path in sorted(_NAMESPACES.glob("netns-*")):
        if any(ipaddress.ip_address(address) in block for address in _list_addresses(path.name)):
            run(["ip", "netns", "delete", path.name], doing=doing, remedy=_REMEDY)
    run(["ip", "link", "delete", interface], doing=doing, remedy=_REMEDY)
    listed_rules = run(["iptables", "-t", "nat", "-S", "POSTROUTING"], doing=doing, remedy=_REMEDY)
    for match in _RULE.finditer(listed_rules):
        if match["block"] == cidr:
            run(["iptables", "-t", "nat", "-D", *match["rule"].split()], doing=doing, remedy=_REMEDY)
            for action in ("-F", "-X"):
                run(["iptables", "-t", "nat", action, match["chain"]], doing=doing, remedy=_REMEDY)


def _list_addresses(namespace: str) -> list[str]:
    """The IPv4 addresses in a namespace; none where podman is just making or removing it, which 'ip' refuses to enter."""
    try:
        listed = json.loads(run(["ip", "-n", namespace, "-json", "-4", "address"], doing="reading addresses") or "[]")
    except LocalCloudFailed:
        return []
    return [each["local"] for link in listed for each in link.get("addr_info", ())]
