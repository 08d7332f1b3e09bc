"""The services that AWS provides at link-local addresses: the DNS resolver, the time, and the instance metadata.

Routes, ACLs and security groups do not apply to them (Amazon VPC User Guide, 'Security groups' and 'Network ACLs'; the
addresses: 'DNS attributes', and the EC2 User Guide on metadata and on time).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.network.model import Address, Network, Protocol, Subnet


@dataclass(frozen=True)
class Service:
    """One service, and the protocols and ports that it answers."""

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


def find_service(network: Network, subnet: Subnet, address: Address) -> Service | None:
    """The service at an address, for a machine in `subnet`; None if there is none.

    The resolver also has its VPC's third address.
    """
    vpc = network.vpcs.get(subnet.vpc_id)
    first = next((block for block in vpc.blocks if block.version == 4), None) if vpc is not None else None
    if first is not None and address == first.network_address + 2:
        return _RESOLVER
    return _EVERYWHERE.get(address)
