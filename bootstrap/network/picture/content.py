"""What the picture shows, as text in its order: tiers by zones, gateways and what is behind them, and the surroundings.

Nothing is shown twice: what all subnets of a tier have in common is shown at the tier, and the rest in the cell of the subnet.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bootstrap.network.model import Interface, Network, Route, Subnet
from bootstrap.network.picture.parts import Band, Cell, Chip, Content, Gate, Way
from bootstrap.network.surroundings import Surroundings

# Public, private and isolated subnets; `find_tier` decides which one a subnet is.
TIERS = ("public", "private", "isolated")
_MANY = 4  # from this number on, interfaces of one role in a subnet are counted and not listed
_LONG = 30  # the longest name that fits into a cell, in characters


def build_content(network: Network, surroundings: Surroundings, name: str) -> Content:
    """The content of the picture of the environment's VPC; `name` is the prefix of its resources' names."""
    vpc, own = network.vpcs[network.vpc_id], _list_own_subnets(network)
    bands = tuple(_list_bands(network, own, name))
    return Content(
        region=surroundings.region,
        name=clip_text(vpc.name or vpc.id),
        blocks=tuple(map(str, vpc.blocks)),
        zones=tuple(sorted({it.zone for it in own})),
        bands=bands,
        internet=_find_gate(network.internet_gateways, network, "Internet gateway"),
        egress_only=_find_gate(network.egress_only_gateways, network, "egress-only gateway"),
        vpn=_find_vpn(network, surroundings),
        others=tuple(_list_other_gates(network, own, surroundings)),
        ways=tuple(_list_ways(network, own)),
        nat_ways=tuple(_list_nat_ways(network, own)),
        facts=tuple(_list_facts(surroundings)),
    )


def clip_text(text: str, most: int = _LONG) -> str:
    """A name, cut to at most `most` characters."""
    text = replace_unprintable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def replace_unprintable(text: str) -> str:
    """A name that XML can hold: characters that are not printable become the replacement character."""
    return "".join(it if it.isprintable() else "\N{REPLACEMENT CHARACTER}" for it in text)


def _list_own_subnets(network: Network) -> list[Subnet]:
    return [it for it in network.subnets.values() if it.vpc_id == network.vpc_id]


def find_tier(network: Network, subnet: Subnet) -> int:
    """The index in TIERS: 0 with a route to an Internet gateway, 1 with another route out of the VPC, 2 with none."""
    targets = {it.target for it in _list_written_routes(network, subnet)}
    return 0 if targets & set(network.internet_gateways) else 1 if targets else 2


def _list_written_routes(network: Network, subnet: Subnet) -> tuple[Route, ...]:
    table = network.route_tables[subnet.route_table_id]
    return tuple(it for it in table.routes if it.target != "local")


def _list_bands(network: Network, own: Sequence[Subnet], name: str) -> Iterator[Band]:
    for level, tier_name in enumerate(TIERS):
        subnets = sorted(
            (it for it in own if find_tier(network, it) == level), key=lambda it: (it.zone, it.name, it.id)
        )
        if not subnets:
            continue
        cells = {
            zone: tuple(_make_cell(network, it, name) for it in of_zone)
            for zone, of_zone in itertools.groupby(subnets, lambda it: it.zone)
        }
        acls = {clip_text(_shorten_name(network.nacls[it.nacl_id].name or it.nacl_id, name), 14) for it in subnets}
        yield Band(
            tier_name,
            cells,
            tuple(sorted(acls)),
            _list_gateway_services(network, subnets),
            tuple(_list_interface_services(network, subnets)),
        )


def _shorten_name(text: str, name: str) -> str:
    return text.removeprefix(f"{name}-")


def _list_gateway_services(network: Network, subnets: Sequence[Subnet]) -> tuple[str, ...]:
    targets = {route.target for subnet in subnets for route in _list_written_routes(network, subnet)}
    return tuple(sorted({_name_service(network, it) for it in targets if it in network.endpoints}))


def _name_service(network: Network, endpoint: str) -> str:
    return network.endpoints[endpoint].service.rpartition(".")[2]


def _list_interface_services(network: Network, subnets: Sequence[Subnet]) -> Iterator[str]:
    """The services of the interface endpoints in these subnets."""
    subnet_ids = {it.id for it in subnets}
    count = sum(it.kind == "vpc_endpoint" and it.subnet_id in subnet_ids for it in network.interfaces.values())
    if count:
        endpoints = (it for it in network.endpoints.values() if it.vpc_id == network.vpc_id and it.kind == "Interface")
        yield from sorted(
            f"{it.service.rpartition('.')[2]}{'' if it.is_available else ' (not available)'}" for it in endpoints
        )


def _make_cell(network: Network, subnet: Subnet, name: str) -> Cell:
    broken = tuple(f"{it.to} to nowhere" for it in _list_written_routes(network, subnet) if it.is_blackhole)
    title = clip_text(_shorten_name(subnet.name, name) or subnet.id)
    return Cell(subnet.id, title, tuple(map(str, subnet.blocks)), tuple(_list_chips(network, subnet)), broken)


def _list_chips(network: Network, subnet: Subnet) -> Iterator[Chip]:
    """The NAT gateways, then the interfaces except those of endpoints; many interfaces of one role are only counted."""
    for nat in network.nats.values():
        if nat.subnet_id == subnet.id:
            state = "" if nat.is_available else " (not available)"
            yield Chip(nat.id, f"NAT gateway{state}", nat.public or "private", is_nat=True)
    interfaces = [it for it in network.interfaces.values() if it.subnet_id == subnet.id]
    interfaces = [it for it in interfaces if it.kind not in {"nat_gateway", "vpc_endpoint"}]
    for role in sorted({_label_interface(it) for it in interfaces}):
        of_role = [it for it in interfaces if _label_interface(it) == role]
        if len(of_role) >= _MANY:
            yield Chip(f"{subnet.id} {role}", clip_text(role, 20), f"{len(of_role)} interfaces")
            continue
        for interface in of_role:
            addresses = [*map(str, interface.addresses), *([interface.public] if interface.public else [])]
            yield Chip(interface.id, clip_text(role, 20), ", ".join(addresses))


def _label_interface(interface: Interface) -> str:
    return ", ".join(interface.roles) or interface.name or interface.kind


def _find_gate(gateways: Mapping[str, object], network: Network, name: str) -> Gate | None:
    """The first gateway of a kind that is attached to the VPC: EC2 allows only one."""
    for key, gateway in gateways.items():
        if network.vpc_id in getattr(gateway, "vpcs", ()):
            return Gate(key, name)
    return None


def _find_vpn(network: Network, surroundings: Surroundings) -> Gate | None:
    gate = _find_gate(network.vpn_gateways, network, "VPN gateway")
    if gate is None:
        return None
    asn = dict(surroundings.asns).get(gate.key)
    connections = (
        (
            f"customer gateway {connection.customer_address}",
            (
                f"{f'ASN {connection.customer_asn}, ' if connection.customer_asn else ''}"
                f"{connection.tunnels_up} of 2 tunnels up",
                f"static: {', '.join(connection.routes) or 'no route'}" if connection.is_static else "routes by BGP",
            ),
        )
        for connection in surroundings.connections
        if connection.gateway == gate.key
    )
    direct_connects = _list_direct_connects(surroundings, gate.key)
    return Gate(gate.key, gate.name, f"ASN {asn}" if asn else "", (*connections, *direct_connects))


def _list_direct_connects(surroundings: Surroundings, gateway: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for direct_connect in surroundings.direct_connects:
        if direct_connect.gateway == gateway:
            interfaces = direct_connect.interfaces or ("no virtual interface of this account",)
            yield "Direct Connect gateway", (direct_connect.id, direct_connect.state, *interfaces)


def _list_transit_gateways(network: Network, surroundings: Surroundings) -> Iterator[Gate]:
    """The transit gateways. Their own route tables are not read, so only Direct Connect is shown behind them."""
    for gateway in network.transit_gateways.values():
        if network.vpc_id in gateway.subnets:
            far = tuple(_list_direct_connects(surroundings, gateway.id)) or (("beyond", ("other networks, not read",)),)
            yield Gate(gateway.id, "transit gateway", gateway.id, far)


def _list_other_gates(network: Network, subnets: Sequence[Subnet], surroundings: Surroundings) -> Iterator[Gate]:
    """Transit gateways and peerings, then every other target of a route, for example a network interface."""
    yield from _list_transit_gateways(network, surroundings)
    for peering in network.peerings.values():
        far = next((vpc for vpc in peering.vpcs if vpc != network.vpc_id), "")
        peer_vpc = network.vpcs.get(far)
        lines = (
            *(map(str, peer_vpc.blocks) if peer_vpc else ("another account's or region's",)),
            *(() if peering.is_active else ("not active",)),
        )
        yield Gate(
            peering.id, "peering", "", ((f"VPC {clip_text(peer_vpc.name or far, 24) if peer_vpc else far}", lines),)
        )
    kinds = (network.internet_gateways, network.egress_only_gateways, network.vpn_gateways, network.nats)
    joining = (network.peerings, network.endpoints, network.transit_gateways)
    known_targets = {key for kind in (*kinds, *joining) for key in kind}
    targets = {it.target for subnet in subnets for it in _list_written_routes(network, subnet) if not it.is_blackhole}
    for target in sorted(targets - known_targets):
        yield Gate(target, target.partition("-")[0].replace("tgw", "transit gateway"), target)


def _list_ways(network: Network, own_subnets: Sequence[Subnet]) -> Iterator[Way]:
    """The blocks that each tier reaches through each gateway; if only some subnets have the route, their zones are named."""
    for level, name in enumerate(TIERS):
        subnets = [it for it in own_subnets if find_tier(network, it) == level]
        zones_by_block: dict[str, dict[str, list[str]]] = {}
        for subnet in subnets:
            for route in _list_written_routes(network, subnet):
                if (
                    not route.is_blackhole
                    and route.target not in network.nats
                    and route.target not in network.endpoints
                ):
                    zones_by_block.setdefault(route.target, {}).setdefault(str(route.to), []).append(subnet.zone)
        for gate, blocks in zones_by_block.items():
            yield Way(
                name, gate, tuple(f"{block}{_name_zones(zones, subnets)}" for block, zones in sorted(blocks.items()))
            )


def _name_zones(zones: Iterable[str], subnets: Sequence[Subnet]) -> str:
    with_route, all_zones = sorted(set(zones)), {it.zone for it in subnets}
    return "" if set(with_route) == all_zones else f" (from {', '.join(zone[-1] for zone in with_route)})"


def _list_nat_ways(network: Network, own: Sequence[Subnet]) -> Iterator[Way]:
    for subnet in own:
        blocks_by_nat: dict[str, list[str]] = {}
        for route in _list_written_routes(network, subnet):
            if route.target in network.nats and not route.is_blackhole:
                blocks_by_nat.setdefault(route.target, []).append(str(route.to))
        for nat, blocks in blocks_by_nat.items():
            yield Way(subnet.id, network.nats[nat].subnet_id, tuple(blocks))


def _list_facts(surroundings: Surroundings) -> Iterator[tuple[str, tuple[str, ...]]]:
    for zone in surroundings.zones:
        lines = (
            *(zone.records[:3] or ("no record yet",)),
            *((f"and {len(zone.records) - 3} more",) if len(zone.records) > 3 else ()),
        )
        yield (
            f"{'private' if zone.is_private else 'public'} hosted zone {clip_text(zone.name, 19)}",
            tuple(clip_text(it, 38) for it in lines),
        )
    for log in surroundings.logs:
        yield f"{log.what}: {log.of}", (f"to {clip_text(log.to, 34)}",)
    if surroundings.unseen:
        yield "not seen", tuple(clip_text(it, 38) for it in surroundings.unseen)
