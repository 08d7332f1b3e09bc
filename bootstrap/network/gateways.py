"""The gateways at a VPC's edge: what each does with a packet that leaves by it, and whether one can come in by it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from bootstrap.network import choice, stations, transit
from bootstrap.network.model import Address, Nat, Network, Peering, Route, Subnet
from bootstrap.network.places import Spot, behind, is_public
from bootstrap.network.walk import Walk

# What a NAT gateway translates (VPC User Guide, 'NAT gateway basics'); of IPv6 only what means IPv4 (RFC 6052), by NAT64.
_TRANSLATED = frozenset({"tcp", "udp", "icmp"})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def leave_by(walk: Walk, here: Subnet, route: Route, *, has_public: bool, name: Spot | None = None) -> None:
    """What the route's target does with a packet that leaves the VPC, in the source's name or another."""
    network, target, to = walk.network, route.target, walk.destination
    endpoint = network.endpoints.get(target)
    peering = network.peerings.get(target)
    if target in network.transit_gateways:
        transit.leave(walk, here, target, name or walk.source)
    elif target in network.internet_gateways:
        _attached(walk, "internet gateway", target, network.internet_gateways[target].vpcs, here)
        if not is_public(network, to.address):
            raise walk.stops("internet gateway", target, f"the Internet does not route {to.address}")
        if not has_public:
            raise walk.stops("internet gateway", target, "the source has no public address")
        walk.passes("internet gateway", target, "to the Internet")
        mapped = behind(network, to.address)
        if mapped is not None:
            walk.doubts("address", str(to.address), f"is {mapped}'s public address; its inbound rules are not followed")
    elif target in network.egress_only_gateways:
        _attached(walk, "egress-only gateway", target, network.egress_only_gateways[target].vpcs, here)
        for address in (to.address, walk.source.address):
            if not is_public(network, address):
                raise walk.stops("egress-only gateway", target, f"the Internet does not route {address}")
        walk.passes("egress-only gateway", target, "to the Internet, one way")
    elif target in network.vpn_gateways:
        _attached(walk, "vpn gateway", target, network.vpn_gateways[target].vpcs, here)
        walk.passes("vpn gateway", target, "to the other side, which is not judged")
    elif endpoint is not None and endpoint.kind == "Gateway":
        if not endpoint.is_available:
            raise walk.stops("gateway endpoint", target, "it is not available")
        walk.passes("gateway endpoint", target, f"to {endpoint.service}; its policy is not judged")
    elif peering is not None:
        over_peering(walk, peering)
        _far_side(walk, peering, here, to)
    elif target == "local":
        raise walk.stops("route", here.route_table_id, f"no interface of the VPC has {to.address}")
    else:
        walk.doubts("gateway", target, "its own rules and the networks behind it are not read")


def may_enter_unanswered(walk: Walk, there: Subnet) -> bool:
    """Whether a gateway may bring a packet in though replies to it would leave otherwise, or not at all.

    What comes in goes to its interface whatever the subnet's own routes say: nothing that needs a reply comes of it, but what
    needs none is received. EC2's guides do not say so, so it is not certain.
    """
    kind, name = next(_ways_in(walk, there), ("", "")) if not walk.wants_replies else ("", "")
    if kind:
        walk.doubts(kind, name, "may deliver it, but replies would not leave by it")
    return bool(kind)


def _ways_in(walk: Walk, there: Subnet) -> Iterator[tuple[str, str]]:
    """The gateways beyond which the source may be: of the Internet, a VPN, a transit gateway, an unread peer."""
    network, source = walk.network, walk.source.address
    if has_public(network, walk.destination) and is_public(network, source):
        gateways = network.internet_gateways.values()
        yield from (("internet gateway", it.id) for it in gateways if there.vpc_id in it.vpcs)
    tables = {it.route_table_id for it in network.subnets.values() if it.vpc_id == there.vpc_id}
    for table in sorted(tables):
        for route in choice.routes(network.route_tables[table], source, network.prefix_lists):
            gateway = network.vpn_gateways.get(route.target)
            if gateway is not None and there.vpc_id in gateway.vpcs and not route.is_blackhole:
                yield "vpn gateway", gateway.id
            joined = network.transit_gateways.get(route.target)
            if joined is not None and there.vpc_id in joined.subnets and not route.is_blackhole:
                yield "transit gateway", joined.id
    for peering in network.peerings.values():
        if peering.is_active and there.vpc_id in peering.vpcs and _is_beyond(peering, there, source):
            yield "peering", peering.id


def enter_by(walk: Walk, there: Subnet, route: Route) -> None:
    """Whether what comes from outside comes in by the gateway that the way back to it leads to."""
    network, target, source = walk.network, route.target, walk.source
    peering = network.peerings.get(target)
    if target in network.transit_gateways:
        transit.enter(walk, there, target)
    elif target in network.internet_gateways:
        _attached(walk, "internet gateway", target, network.internet_gateways[target].vpcs, there)
        if not is_public(network, source.address):
            raise walk.stops("internet gateway", target, f"the Internet does not route {source.address}")
        if not has_public(network, walk.destination):
            raise walk.stops("internet gateway", target, "the destination has no public address")
        walk.passes("internet gateway", target, "from the Internet")
        led_in(walk, target, walk.destination)
    elif target in network.vpn_gateways:
        _attached(walk, "vpn gateway", target, network.vpn_gateways[target].vpcs, there)
        walk.passes("vpn gateway", target, "from the other side, which is not judged")
        led_in(walk, target, walk.destination)
    elif target in network.nats:
        raise walk.stops("nat gateway", network.nats[target].name or target, "it leads out only")
    elif target in network.egress_only_gateways:
        raise walk.stops("egress-only gateway", target, "it leads out only")
    elif target in network.endpoints and network.endpoints[target].kind == "Gateway":
        raise walk.stops("gateway endpoint", target, "it accepts no inbound connections")
    elif peering is not None:
        over_peering(walk, peering)
        _far_side(walk, peering, there, source)
    elif target == "local":
        raise walk.stops("route", there.route_table_id, f"no interface of the VPC has {source.address}")
    else:
        walk.doubts("gateway", target, "its own rules and the networks behind it are not read")


def led_in(walk: Walk, gateway: str, to: Spot, prefix: str = "") -> None:
    """A gateway may have a route table of its own, which leads what comes in, replies too, by way of an appliance."""
    table = walk.network.edges.get(gateway)
    if table is None:
        return
    target = stations.route_of(walk, table, to, f"{prefix}of {gateway} itself: ").target
    if target != "local":
        walk.doubts("gateway", target, f"{prefix}its own rules and the networks behind it are not read")


def translate(walk: Walk, nat: Nat) -> bool:
    """Put the gateway's own address in the place of the source's; False where the way on from there is not followed."""
    name = nat.name or nat.id
    if not nat.is_available:
        raise walk.stops("nat gateway", name, "it is not available")
    if walk.destination.address in _NAT64:
        walk.doubts("nat gateway", name, "translates it to IPv4; the IPv4 path is not followed")
        return False
    if walk.destination.address.version == 6:
        raise walk.stops("nat gateway", name, f"it accepts IPv6 only for {_NAT64}")
    if walk.protocol not in _TRANSLATED:
        raise walk.stops("nat gateway", name, f"it accepts TCP, UDP and ICMP, not {walk.what}")
    return True


def is_another_nat(walk: Walk, nat: Nat, onward: Route) -> bool:
    """Whether the way on from a NAT gateway is by a second one, which is not followed; back to itself it leads nowhere."""
    if onward.target == nat.id:
        raise walk.stops("nat gateway", nat.name or nat.id, "its own subnet's route leads back to it")
    if onward.target not in walk.network.nats:
        return False
    walk.doubts("nat gateway", onward.target, "is the second gateway on the path, which is not followed")
    return True


def over_peering(walk: Walk, peering: Peering, prefix: str = "") -> None:
    if not peering.is_active:
        raise walk.stops("peering", peering.id, f"{prefix}it is not active")
    walk.passes("peering", peering.id, f"{prefix}from VPC to VPC")


def is_known(network: Network, target: str) -> bool:
    """Whether a route's target is a gateway that was read, so that where it leads is known."""
    gateways = (network.internet_gateways, network.egress_only_gateways, network.vpn_gateways, network.nats)
    is_endpoint = target in network.endpoints and network.endpoints[target].kind == "Gateway"
    return target == "local" or is_endpoint or any(target in it for it in gateways)


def has_public(network: Network, spot: Spot) -> bool:
    """Whether the Internet can answer an end: an IPv6 address that is carried there, or an IPv4 one that is mapped."""
    if spot.address.version == 6:
        return is_public(network, spot.address)
    return spot.interface is not None and spot.interface.is_public(spot.address)


def _attached(walk: Walk, kind: str, name: str, vpcs: tuple[str, ...], here: Subnet) -> None:
    if here.vpc_id not in vpcs:
        raise walk.stops(kind, name, f"it is not attached to {here.vpc_id}")


def _far_side(walk: Walk, peering: Peering, here: Subnet, outside: Spot) -> None:
    """An address beyond a peering whose other VPC was not read, or one that does not belong there."""
    if not _is_beyond(peering, here, outside.address):
        raise walk.stops("peering", peering.id, f"{outside.address} is not the other VPC's; peering is not transitive")
    walk.doubts("peering", peering.id, "the other VPC's own rules are not read")


def _is_beyond(peering: Peering, here: Subnet, address: Address) -> bool:
    """Whether an address is of the block that the other side of a peering brings in."""
    sides = zip(peering.vpcs, peering.blocks, strict=True)
    return any(address in block for vpc, blocks in sides if vpc != here.vpc_id for block in blocks)
