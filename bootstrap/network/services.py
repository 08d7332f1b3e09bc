"""What AWS itself answers on every machine's own link: names, the time, and what the machine is.

Neither routes nor NACLs nor security groups are asked about these, so none of them opens or closes anything there (Amazon VPC
User Guide, 'Security groups' and 'Network ACLs'; the addresses: 'DNS attributes', and EC2's on metadata and on time).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.network.model import Address, Network, Protocol, Subnet


@dataclass(frozen=True)
class Service:
    """One of them, and the ports that it answers on."""

    name: str
    ports: frozenset[tuple[Protocol, int]]


_RESOLVER = Service("the VPC's resolver", frozenset({("udp", 53), ("tcp", 53)}))
_METADATA = Service("the instance metadata service", frozenset({("tcp", 80)}))
_TIME = Service("the time service", frozenset({("udp", 123)}))
_EVERYWHERE: Mapping[Address, Service] = {
    ipaddress.ip_address(f"{prefix}{last}"): service
    for prefix in ("169.254.169.", "fd00:ec2::")
    for last, service in (("253", _RESOLVER), ("254", _METADATA), ("123", _TIME))
}


def at(network: Network, here: Subnet, address: Address) -> Service | None:
    """The service at an address as a machine in `here` sees it; the resolver is also the third address of its VPC."""
    vpc = network.vpcs.get(here.vpc_id)
    first = next((block for block in vpc.blocks if block.version == 4), None) if vpc is not None else None
    if first is not None and address == first.network_address + 2:
        return _RESOLVER
    return _EVERYWHERE.get(address)
