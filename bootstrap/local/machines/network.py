"""The podman network that stands for a subnet: its CIDR, its first address as gateway, NAT to the outside."""

from __future__ import annotations

import ipaddress

from bootstrap.local.machines.names import STATE_LABEL, Names
from bootstrap.local.machines.podman import Podman


def ensure_network(door: Podman, names: Names, subnet_id: str, cidr: str) -> str:
    """The name of the subnet's network, made if there is none. Podman refuses a CIDR that another network already uses."""
    name = names.object(subnet_id)
    if not _exists(door, names, name):
        door.run(
            "network",
            "create",
            f"--subnet={cidr}",
            f"--gateway={gateway(cidr)}",
            *(f"--label={label}" for label in names.labels),
            name,
            doing=f"making the network of {subnet_id} ({cidr})",
            remedy="If the range is in use here, choose another network.cidr in the environment file.",
        )
    return name


def delete_network(door: Podman, names: Names, subnet_id: str) -> None:
    """Remove the subnet's network; one that is not there is fine, one with machines in it is an error."""
    name = names.object(subnet_id)
    if _exists(door, names, name):
        door.run("network", "rm", name, doing=f"removing the network of {subnet_id}")


def _exists(door: Podman, names: Names, name: str) -> bool:
    if not door.has("network", name):
        return False
    template = f'{{{{index .Labels "{STATE_LABEL}"}}}}'
    names.require_own(
        name, door.run("network", "inspect", "--format", template, name, doing=f"looking at {name}").strip()
    )
    return True


def gateway(cidr: str) -> str:
    """A subnet's first host address, which EC2 too keeps for the router."""
    return str(ipaddress.ip_network(cidr)[1])
