"""Planned interfaces for roles that no interface has yet: intentions can be judged before the machines exist.

Each gets the place that the stacks will give it: the first subnet of its tier and the security group of its role; in the public
tier also a public address. Its name ends with '(planned)'. A verdict about it holds for the first machine of that role.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bootstrap.network.model import Address, Block, Interface, Network, Subnet
from bootstrap.network.path_ends import ROLES

_PUBLIC = "PublicSubnetIds"
# By role, the output of the network stack that has the subnets of its tier; for the bastion its default tier.
TIERS: Mapping[str, str] = {
    "edge": _PUBLIC,
    "controller": "PrivateSubnetIds",
    "agents": "PrivateSubnetIds",
    "bastion": "PrivateSubnetIds",
    "data": "DataSubnetIds",
    "endpoints": "PrivateSubnetIds",
}
_MARK = " (planned)"
_PLANNED = "planned"  # takes the place of the public address, which is not known yet


def add_planned_interfaces(network: Network, outputs: Mapping[str, str], public: Collection[str] = ()) -> Network:
    """The network with a planned interface for each role that no interface of its own VPC has.

    `outputs` are those of the network stack. Roles in `public` are placed in the public tier.
    """
    own = [it for it in network.interfaces.values() if network.find_vpc_of(it.subnet_id) == network.vpc_id]
    present = {role for it in own for role in it.roles}
    planned: dict[str, Interface] = {}
    taken_addresses = set(network.by_address)
    for role in ROLES:
        tier = _PUBLIC if role in public else TIERS[role]
        subnet = network.subnets.get(outputs.get(tier, "").partition(",")[0])
        group = network.groups.get(outputs.get(f"{role.title()}SecurityGroupId", ""))
        if role not in present and subnet is not None and group is not None:
            addresses = tuple(_list_free_addresses(subnet, taken_addresses))
            taken_addresses.update(addresses)
            name, reached = f"{role}{_MARK}", _PLANNED if tier == _PUBLIC else ""
            planned[name] = Interface(name, subnet.id, addresses, (group.id,), reached, roles=(role,), name=name)
    return replace(network, interfaces={**network.interfaces, **planned})


def is_planned(end: str) -> bool:
    """Whether the name of an end is that of a planned interface."""
    return _MARK in end


def _list_free_addresses(subnet: Subnet, taken_addresses: set[Address]) -> Iterator[Address]:
    """One free address of each family; AWS reserves the first four addresses and the last one of a subnet."""
    for block in subnet.blocks:
        first = int(block.network_address) + 4
        last = min(int(block.broadcast_address) - 1, first + len(taken_addresses) + 1)
        yield next(
            it for it in (_get_address(block, number) for number in range(first, last + 1)) if it not in taken_addresses
        )


def _get_address(block: Block, number: int) -> Address:
    return ipaddress.IPv4Address(number) if block.version == 4 else ipaddress.IPv6Address(number)
