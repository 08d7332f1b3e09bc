"""The names of the ends of a path, resolved to addresses: a role, an id, a block, 'operators' or 'internet'.

A block has very many addresses, but the rules distinguish few groups of them. It is cut at every block that the network
mentions; all addresses of one piece have the same answer, and one address represents the piece. So nothing is sampled, and
nothing missed.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bootstrap.errors import UsageError
from bootstrap.network.model import Address, Block, Environment, Interface, Network, Subnet

ROLES = ("edge", "controller", "agents", "bastion", "data", "endpoints")
OPERATORS, INTERNET = "operators", "internet"
# What the Internet does not route (RFC 1918, 6598, 1122, 3927; multicast and above). The blocks for documentation are not
# routed either, but they are not in the list: examples use them as addresses of the Internet.
_NOT_CARRIED = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
    )
)
_EVERYWHERE: tuple[Block, ...] = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("2000::/3"))


# EC2's types of interfaces that only forward packets of others and accept no connections.
_SILENT = frozenset({"nat_gateway", "transit_gateway"})


@dataclass(frozen=True)
class Spot:
    """One end of a path: an address, the interface that has it, and its subnet; both are None outside of the VPCs."""

    address: Address
    interface: Interface | None = None
    subnet: Subnet | None = None

    def __str__(self) -> str:
        if self.interface is None:
            return str(self.address)
        return f"{self.interface.name or self.interface.id} ({self.address})"


def is_public(network: Network, address: Address) -> bool:
    """Whether the Internet routes packets to an address."""
    if address.version == 4:
        return not any(address in block for block in _NOT_CARRIED)
    return address in _EVERYWHERE[1]


def find_mapped_end(network: Network, public: Address) -> Spot | None:
    """The end to which the Internet gateway maps a public address; None if no interface that was read has it."""
    interface = network.by_public.get(public)
    return (
        Spot(interface.mapped[public], interface, network.subnets.get(interface.subnet_id))
        if interface is not None
        else None
    )


def is_silent(interface: Interface) -> bool:
    """Whether an interface belongs to a gateway that accepts no connections itself."""
    return interface.kind in _SILENT


def is_in_unread_peer(network: Network, address: Address) -> bool:
    """Whether an address belongs to a peered VPC that was not read, because another account or region has it."""
    return any(
        address in block
        for peering in network.peerings.values()
        for vpc, blocks in zip(peering.vpcs, peering.blocks, strict=True)
        for block in blocks
        if vpc not in network.vpcs
    )


def resolve_ends(network: Network, name: str) -> tuple[Spot, ...]:
    """The ends that a name means; none if no interface has the role. UsageError if the name is not known here."""
    if name == INTERNET:
        return tuple(_list_internet_ends(network))
    if name == OPERATORS:
        # A block can contain the VPC itself; interfaces with a role are not operators then.
        found = (it for block in network.operators for it in _list_ends_of_block(network, block))
        return tuple(it for it in found if it.interface is None or not it.interface.roles)
    if name in ROLES:
        return _list_ends_of_interfaces(network, (it for it in network.interfaces.values() if name in it.roles))
    if name in network.environments:
        return tuple(_list_environment_ends(network, network.environments[name]))
    if name.startswith(("i-", "eni-")):
        named = _list_ends_of_interfaces(
            network, (it for it in network.interfaces.values() if name in {it.id, it.instance_id})
        )
        if not named:
            raise UsageError("resolving an end of the path", f"no interface is or belongs to {name}", _REMEDY)
        return named
    try:
        return tuple(_list_ends_of_block(network, ipaddress.ip_network(name)))
    except ValueError as error:
        near = difflib.get_close_matches(name, (*ROLES, OPERATORS, INTERNET, *network.environments), n=1)
        says = f"'{name}' is not a known name; did you mean '{near[0]}'?" if near else f"'{name}': {error}"
        raise UsageError("resolving an end of the path", says, _REMEDY) from error


_REMEDY = (
    f"Name a role ({', '.join(ROLES)}), operators, internet, an environment, an instance, an interface or a block."
)


def list_ends(interface: Interface, network: Network) -> tuple[Spot, ...]:
    """The ends of an interface, one for each of its addresses: each address can have a public one of its own."""
    subnet = network.subnets.get(interface.subnet_id)
    return tuple(Spot(address, interface, subnet) for address in interface.addresses)


def _list_ends_of_interfaces(network: Network, interfaces: Iterable[Interface]) -> tuple[Spot, ...]:
    return tuple(spot for interface in interfaces for spot in list_ends(interface, network))


def _list_internet_ends(network: Network) -> Iterator[Spot]:
    own = [block for vpc in network.vpcs.values() for block in vpc.blocks]
    for block in _EVERYWHERE:
        for spot in _list_ends_of_block(network, block):
            is_own = any(spot.address in it for it in own)
            is_operator = any(spot.address in it for it in network.operators)
            is_ours = is_own or spot.address in network.by_public
            if is_public(network, spot.address) and not is_ours and not is_operator:
                yield spot


def _list_environment_ends(network: Network, environment: Environment) -> Iterator[Spot]:
    """Ends for every address of an environment's VPC, with or without an interface; for its block if the VPC does not exist."""
    vpc = network.vpcs.get(environment.vpc_id)
    for block in vpc.blocks if vpc is not None else (environment.block,):
        for spot in _list_ends_of_block(network, block):
            if vpc is None or (spot.subnet is not None and spot.subnet.vpc_id == vpc.id):
                yield spot


def _list_ends_of_block(network: Network, block: Block) -> Iterator[Spot]:
    for address in choose_representatives(block, list_mentioned_blocks(network)):
        interface = network.by_address.get(address)
        subnet = network.subnets.get(interface.subnet_id) if interface else network.find_subnet_of(address)
        yield Spot(address, interface, subnet)


def list_mentioned_blocks(network: Network) -> frozenset[Block]:
    """Every block that any part of the network mentions."""
    blocks: set[Block] = set(_NOT_CARRIED)
    blocks |= {block for vpc in network.vpcs.values() for block in vpc.blocks}
    blocks |= {block for subnet in network.subnets.values() for block in subnet.blocks}
    blocks |= {it.to for table in network.route_tables.values() for it in table.routes if not isinstance(it.to, str)}
    blocks |= {entry.block for nacl in network.nacls.values() for entry in nacl.entries}
    blocks |= {
        rule.peer
        for group in network.groups.values()
        for rule in (*group.ingress, *group.egress)
        if not isinstance(rule.peer, str)
    }
    blocks |= {block for entries in network.prefix_lists.values() for block in entries}
    blocks |= {block for peering in network.peerings.values() for side in peering.blocks for block in side}
    blocks |= {ipaddress.ip_network(address) for address in (*network.by_address, *network.by_public)}
    blocks |= {it.block for it in network.environments.values()}
    return frozenset(blocks.union(network.operators))


def choose_representatives(block: Block, boundaries: Iterable[Block]) -> Iterator[Address]:
    """One address for each piece into which `boundaries` cut a block; none for a piece that smaller blocks cover completely."""
    inside = {it for it in boundaries if it.version == block.version and it != block and _holds(block, it)} | {block}
    ordered = sorted(inside, key=lambda it: (int(it.network_address), it.prefixlen))
    for place, piece in enumerate(ordered):
        free = _find_free_address(piece, ordered[place + 1 :])
        if free is not None:
            yield free


def _holds(outer: Block, inner: Block) -> bool:
    return outer.prefixlen <= inner.prefixlen and inner.network_address in outer


def _find_free_address(piece: Block, following: Iterable[Block]) -> Address | None:
    """An address of a piece that is in no smaller block; the first address of the piece only if there is no other."""
    first, last = int(piece.network_address), int(piece.broadcast_address)
    inner = [(int(it.network_address), int(it.broadcast_address)) for it in following if it.network_address in piece]
    for at in (first + 1, *(end + 1 for _, end in inner), first):
        if at <= last and not any(start <= at <= end for start, end in inner):
            return type(piece.network_address)(at)
    return None
