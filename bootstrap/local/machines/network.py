"""The podman network of a subnet: it has the subnet's CIDR, its first address as gateway, and NAT to the outside."""

from __future__ import annotations

import ipaddress
import json

from bootstrap.local.machines import network_remains
from bootstrap.local.machines.names import STATE_LABEL, Names
from bootstrap.local.machines.podman import Podman, run


def ensure_network(engine: Podman, names: Names, subnet_id: str, cidr: str) -> str:
    """The name of the subnet's network; made if there is none. LocalCloudFailed if another network uses the CIDR."""
    name = names.name_object(subnet_id)
    if not _exists(engine, names, name):
        engine.run(
            "network",
            "create",
            f"--subnet={cidr}",
            f"--gateway={compute_gateway(cidr)}",
            *(f"--label={label}" for label in names.labels),
            name,
            doing=f"making the network of {subnet_id} ({cidr})",
            remedy="If this machine already uses the range, choose another network.cidr in the environment file.",
        )
    return name


def delete_network(engine: Podman, names: Names, subnet_id: str) -> None:
    """Remove the subnet's network, if there is one; LocalCloudFailed if machines are in it."""
    name = names.name_object(subnet_id)
    if _exists(engine, names, name):
        doing = f"removing the network of {subnet_id}"
        template = "{{.NetworkInterface}} {{range .Subnets}}{{.Subnet}}{{end}}"
        interface, cidr = engine.run("network", "inspect", "--format", template, name, doing=doing).split()
        if not engine.run("ps", "--all", "--quiet", f"--filter=network={name}", doing=doing).strip():
            # Before the network itself: a command that is killed in between does both again.
            network_remains.remove(interface, cidr)
        engine.run("network", "rm", name, doing=doing)


def _exists(engine: Podman, names: Names, name: str) -> bool:
    if not engine.has("network", name):
        return False
    template = f'{{{{index .Labels "{STATE_LABEL}"}}}}'
    names.require_own(
        name, engine.run("network", "inspect", "--format", template, name, doing=f"looking at {name}").strip()
    )
    return True


def compute_gateway(cidr: str) -> str:
    """The first host address of a subnet; EC2 reserves it for the router, too."""
    return str(ipaddress.ip_network(cidr)[1])


def compute_bridge_address(gateway: str) -> str:
    """The MAC address of the bridge with this gateway address: a locally administered one, the same each time."""
    return ":".join(f"{byte:02x}" for byte in (0x0A, 0x58, *ipaddress.IPv4Address(gateway).packed))


def keep_bridge_address(gateway: str) -> None:
    """Give the bridge with this gateway address a MAC address that stays. LocalCloudFailed if it cannot be set.

    A bridge without one takes the lowest of its machines' links, so it changes when that machine ends. The other machines then
    send to an address that is gone: for 20 seconds and more (measured) they reach neither the local cloud nor another subnet.
    netavark sets an address since 1.9 (https://github.com/containers/netavark/pull/833); Debian 12 has 1.4.
    The kernel tells the machines of the change here.
    """
    doing = f"giving the bridge of {gateway} an address that stays"
    listed = json.loads(run(["ip", "-json", "-4", "address", "show", "to", f"{gateway}/32"], doing=doing) or "[]")
    for interface in (link["ifname"] for link in listed if "ifname" in link):
        run(["sysctl", "--quiet", "--write", f"net.ipv4.conf.{interface}.arp_notify=1"], doing=doing)
        run(["ip", "link", "set", interface, "address", compute_bridge_address(gateway)], doing=doing)
