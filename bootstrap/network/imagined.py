"""Interfaces for the roles that nobody has yet, so that what is intended with them is judged before a machine stands there.

Each is put where the stacks will put it: into the first subnet of its tier, with its role's security group; what stands in the
public tier has a public address. What is told of it holds for the first machine that comes; it carries the word 'planned' in
its name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bootstrap.network.model import Address, Block, Interface, Network, Subnet
from bootstrap.network.places import ROLES

_PUBLIC = "PublicSubnetIds"
# The role's output of the network's stack that names its tier's subnets; of the bastion, where it is by default.
TIERS: Mapping[str, str] = {
    "edge": _PUBLIC,
    "controller": "PrivateSubnetIds",
    "agents": "PrivateSubnetIds",
    "bastion": "PrivateSubnetIds",
    "data": "DataSubnetIds",
    "endpoints": "PrivateSubnetIds",
}
_MARK = " (planned)"
_PLANNED = "planned"  # in the place of the public address that nobody can know yet


def with_everybody(network: Network, outputs: Mapping[str, str], public: Collection[str] = ()) -> Network:
    """The network with an interface for each role that no interface of its own VPC has; those in `public` stand there."""
    own = [it for it in network.interfaces.values() if network.vpc_of(it.subnet_id) == network.vpc_id]
    present = {role for it in own for role in it.roles}
    made: dict[str, Interface] = {}
    taken = set(network.by_address)
    for role in ROLES:
        tier = _PUBLIC if role in public else TIERS[role]
        subnet = network.subnets.get(outputs.get(tier, "").partition(",")[0])
        group = network.groups.get(outputs.get(f"{role.title()}SecurityGroupId", ""))
        if role not in present and subnet is not None and group is not None:
            addresses = tuple(_free(subnet, taken))
            taken.update(addresses)
            name, reached = f"{role}{_MARK}", _PLANNED if tier == _PUBLIC else ""
            made[name] = Interface(name, subnet.id, addresses, (group.id,), reached, roles=(role,), name=name)
    return replace(network, interfaces={**network.interfaces, **made})


def is_planned(end: str) -> bool:
    """Whether the end of a path, as it is told, is somebody who is not there yet."""
    return _MARK in end


def _free(subnet: Subnet, taken: set[Address]) -> Iterator[Address]:
    """An address of each family that nobody has; the first four and the last of a subnet are AWS' own."""
    for block in subnet.blocks:
        first = int(block.network_address) + 4
        last = min(int(block.broadcast_address) - 1, first + len(taken) + 1)
        yield next(it for it in (_at(block, number) for number in range(first, last + 1)) if it not in taken)


def _at(block: Block, number: int) -> Address:
    return ipaddress.IPv4Address(number) if block.version == 4 else ipaddress.IPv6Address(number)
