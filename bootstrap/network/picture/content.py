"""What stands in the picture, in words and in its order: tiers by zones, gateways and what is behind them, what is beside.

Everything is told once. What all subnets of a tier have in common is told of the tier, what one has alone, in its cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bootstrap.network.beside import Beside
from bootstrap.network.model import Interface, Network, Route, Subnet
from bootstrap.network.picture.parts import Band, Cell, Chip, Content, Gate, Way

# Public, private and isolated subnets: how far a subnet's routes lead.
TIERS = ("public", "private", "isolated")
_MANY = 4  # interfaces of one kind in a subnet, from which on they are counted and not listed
_LONG = 30  # characters of a name that has to fit into a cell


def of(network: Network, beside: Beside, name: str) -> Content:
    """What there is of the environment's VPC, called `name` (its resources' names begin so), and of what it joins."""
    vpc, own = network.vpcs[network.vpc_id], _own(network)
    bands = tuple(_bands(network, own, name))
    return Content(
        region=beside.region,
        name=clipped(vpc.name or vpc.id),
        blocks=tuple(map(str, vpc.blocks)),
        zones=tuple(sorted({it.zone for it in own})),
        bands=bands,
        internet=_gate(network.internet_gateways, network, "Internet gateway"),
        egress_only=_gate(network.egress_only_gateways, network, "egress-only gateway"),
        vpn=_vpn(network, beside),
        others=tuple(_others(network, own, beside)),
        ways=tuple(_ways(network, own)),
        nat_ways=tuple(_nat_ways(network, own)),
        facts=tuple(_facts(beside)),
    )


def clipped(text: str, most: int = _LONG) -> str:
    """A name that has to fit."""
    text = shown(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shown(text: str) -> str:
    """A name as it can be written: what XML does not know is one sign that it does."""
    return "".join(it if it.isprintable() else "\N{REPLACEMENT CHARACTER}" for it in text)


def _own(network: Network) -> list[Subnet]:
    return [it for it in network.subnets.values() if it.vpc_id == network.vpc_id]


def tier(network: Network, subnet: Subnet) -> int:
    """0 with a way in from the Internet, 1 with any way out of the VPC, 2 with none."""
    targets = {it.target for it in _written(network, subnet)}
    return 0 if targets & set(network.internet_gateways) else 1 if targets else 2


def _written(network: Network, subnet: Subnet) -> tuple[Route, ...]:
    table = network.route_tables[subnet.route_table_id]
    return tuple(it for it in table.routes if it.target != "local")


def _bands(network: Network, own: Sequence[Subnet], name: str) -> Iterator[Band]:
    for level, tier_name in enumerate(TIERS):
        mine = sorted((it for it in own if tier(network, it) == level), key=lambda it: (it.zone, it.name, it.id))
        if not mine:
            continue
        cells = {
            zone: tuple(_cell(network, it, name) for it in those)
            for zone, those in itertools.groupby(mine, lambda it: it.zone)
        }
        acls = {clipped(_short(network.nacls[it.nacl_id].name or it.nacl_id, name), 14) for it in mine}
        yield Band(
            tier_name, cells, tuple(sorted(acls)), _by_gateway(network, mine), tuple(_by_interface(network, mine))
        )


def _short(text: str, name: str) -> str:
    return text.removeprefix(f"{name}-")


def _by_gateway(network: Network, mine: Sequence[Subnet]) -> tuple[str, ...]:
    targets = {it.target for subnet in mine for it in _written(network, subnet)}
    return tuple(sorted({_service(network, it) for it in targets if it in network.endpoints}))


def _service(network: Network, endpoint: str) -> str:
    return network.endpoints[endpoint].service.rpartition(".")[2]


def _by_interface(network: Network, mine: Sequence[Subnet]) -> Iterator[str]:
    """The services that interface endpoints in these subnets bring."""
    here = {it.id for it in mine}
    count = sum(it.kind == "vpc_endpoint" and it.subnet_id in here for it in network.interfaces.values())
    if count:
        found = (it for it in network.endpoints.values() if it.vpc_id == network.vpc_id and it.kind == "Interface")
        yield from sorted(
            f"{it.service.rpartition('.')[2]}{'' if it.is_available else ' (not available)'}" for it in found
        )


def _cell(network: Network, subnet: Subnet, name: str) -> Cell:
    broken = tuple(f"{it.to} to nowhere" for it in _written(network, subnet) if it.is_blackhole)
    title = clipped(_short(subnet.name, name) or subnet.id)
    return Cell(subnet.id, title, tuple(map(str, subnet.blocks)), tuple(_chips(network, subnet)), broken)


def _chips(network: Network, subnet: Subnet) -> Iterator[Chip]:
    """The NAT gateways, then the interfaces but the endpoints', those of one role counted where they are many."""
    for nat in network.nats.values():
        if nat.subnet_id == subnet.id:
            state = "" if nat.is_available else " (not available)"
            yield Chip(nat.id, f"NAT gateway{state}", nat.public or "private", is_nat=True)
    here = [it for it in network.interfaces.values() if it.subnet_id == subnet.id]
    here = [it for it in here if it.kind not in {"nat_gateway", "vpc_endpoint"}]
    for role in sorted({_called(it) for it in here}):
        those = [it for it in here if _called(it) == role]
        if len(those) >= _MANY:
            yield Chip(f"{subnet.id} {role}", clipped(role, 20), f"{len(those)} interfaces")
            continue
        for it in those:
            yield Chip(
                it.id, clipped(role, 20), ", ".join([*map(str, it.addresses), *([it.public] if it.public else [])])
            )


def _called(interface: Interface) -> str:
    return ", ".join(interface.roles) or interface.name or interface.kind


def _gate(found: Mapping[str, object], network: Network, name: str) -> Gate | None:
    """The first gateway of a kind that is attached to the VPC: EC2 lets a VPC have one."""
    for key, it in found.items():
        if network.vpc_id in getattr(it, "vpcs", ()):
            return Gate(key, name)
    return None


def _vpn(network: Network, beside: Beside) -> Gate | None:
    gate = _gate(network.vpn_gateways, network, "VPN gateway")
    if gate is None:
        return None
    asn = dict(beside.asns).get(gate.key)
    connections = (
        (
            f"customer gateway {it.customer_address}",
            (
                f"{f'ASN {it.customer_asn}, ' if it.customer_asn else ''}{it.tunnels_up} of 2 tunnels up",
                f"static: {', '.join(it.routes) or 'no route'}" if it.is_static else "routes by BGP",
            ),
        )
        for it in beside.connections
        if it.gateway == gate.key
    )
    direct = _direct_connects(beside, gate.key)
    return Gate(gate.key, gate.name, f"ASN {asn}" if asn else "", (*connections, *direct))


def _direct_connects(beside: Beside, gateway: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for it in beside.direct_connects:
        if it.gateway == gateway:
            interfaces = it.interfaces or ("no virtual interface of this account",)
            yield "Direct Connect gateway", (it.id, it.state, *interfaces)


def _transit(network: Network, beside: Beside) -> Iterator[Gate]:
    """What is beyond a transit gateway is its own tables' affair; of it only Direct Connect is known."""
    for it in network.transit_gateways.values():
        if network.vpc_id in it.subnets:
            far = tuple(_direct_connects(beside, it.id)) or (("beyond", ("other networks, not read",)),)
            yield Gate(it.id, "transit gateway", it.id, far)


def _others(network: Network, own: Sequence[Subnet], beside: Beside) -> Iterator[Gate]:
    """Transit gateways and peerings, then whatever else a route leads to: a machine's interface."""
    yield from _transit(network, beside)
    for it in network.peerings.values():
        far = next((vpc for vpc in it.vpcs if vpc != network.vpc_id), "")
        known = network.vpcs.get(far)
        lines = (
            *(map(str, known.blocks) if known else ("another account's or region's",)),
            *(() if it.is_active else ("not active",)),
        )
        yield Gate(it.id, "peering", "", ((f"VPC {clipped(known.name or far, 24) if known else far}", lines),))
    kinds = (network.internet_gateways, network.egress_only_gateways, network.vpn_gateways, network.nats)
    joining = (network.peerings, network.endpoints, network.transit_gateways)
    known_targets = {key for kind in (*kinds, *joining) for key in kind}
    targets = {it.target for subnet in own for it in _written(network, subnet) if not it.is_blackhole}
    for target in sorted(targets - known_targets):
        yield Gate(target, target.partition("-")[0].replace("tgw", "transit gateway"), target)


def _ways(network: Network, own: Sequence[Subnet]) -> Iterator[Way]:
    """Of each tier to each gate, the blocks; where not all of the tier's subnets have the route, those that do are named."""
    for level, name in enumerate(TIERS):
        mine = [it for it in own if tier(network, it) == level]
        found: dict[str, dict[str, list[str]]] = {}
        for subnet in mine:
            for it in _written(network, subnet):
                if not it.is_blackhole and it.target not in network.nats and it.target not in network.endpoints:
                    found.setdefault(it.target, {}).setdefault(str(it.to), []).append(subnet.zone)
        for gate, blocks in found.items():
            yield Way(name, gate, tuple(f"{block}{_only(zones, mine)}" for block, zones in sorted(blocks.items())))


def _only(zones: Iterable[str], mine: Sequence[Subnet]) -> str:
    some, every = sorted(set(zones)), {it.zone for it in mine}
    return "" if set(some) == every else f" (from {', '.join(zone[-1] for zone in some)})"


def _nat_ways(network: Network, own: Sequence[Subnet]) -> Iterator[Way]:
    for subnet in own:
        found: dict[str, list[str]] = {}
        for it in _written(network, subnet):
            if it.target in network.nats and not it.is_blackhole:
                found.setdefault(it.target, []).append(str(it.to))
        for nat, blocks in found.items():
            yield Way(subnet.id, network.nats[nat].subnet_id, tuple(blocks))


def _facts(beside: Beside) -> Iterator[tuple[str, tuple[str, ...]]]:
    for zone in beside.zones:
        lines = (
            *(zone.records[:3] or ("no record yet",)),
            *((f"and {len(zone.records) - 3} more",) if len(zone.records) > 3 else ()),
        )
        yield (
            f"{'private' if zone.is_private else 'public'} DNS zone {clipped(zone.name, 22)}",
            tuple(clipped(it, 38) for it in lines),
        )
    for log in beside.logs:
        yield f"{log.what}: {log.of}", (f"to {clipped(log.to, 34)}",)
    if beside.unseen:
        yield "not seen", tuple(clipped(it, 38) for it in beside.unseen)
