"""The podman network of a subnet: it has the subnet's CIDR, its first address as gateway, and NAT to the outside."""

from __future__ import annotations

import ipaddress

from bootstrap.local.machines import network_remains
from bootstrap.local.machines.names import STATE_LABEL, Names
from bootstrap.local.machines.podman import Podman


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
