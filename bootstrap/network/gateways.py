"""The gateways at the edge of a VPC: what each does with a packet that leaves, and whether a packet can enter through it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from bootstrap.network import rule_decisions, transit, vpc_hops
from bootstrap.network.model import Address, Nat, Network, Peering, Route, Subnet
from bootstrap.network.packet_walk import Walk
from bootstrap.network.path_ends import Spot, find_mapped_end, is_public

# What a NAT gateway translates (VPC User Guide, 'NAT gateway basics'); of IPv6 only addresses of NAT64 (RFC 6052).
_TRANSLATED = frozenset({"tcp", "udp", "icmp"})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def follow_out(walk: Walk, subnet: Subnet, route: Route, *, has_public: bool, name: Spot | None = None) -> None:
    """Follow a packet out of the VPC through the target of its route.

    `name` is the sender on the packet if it is not the source.
    """
    network, target, to = walk.network, route.target, walk.destination
    endpoint = network.endpoints.get(target)
    peering = network.peerings.get(target)
    if target in network.transit_gateways:
        transit.leave(walk, subnet, target, name or walk.source)
    elif target in network.internet_gateways:
        _require_attachment(walk, "internet gateway", target, network.internet_gateways[target].vpcs, subnet)
        if not is_public(network, to.address):
            raise walk.stops("internet gateway", target, f"the Internet does not route {to.address}")
        if not has_public:
            raise walk.stops("internet gateway", target, "the source has no public address")
        walk.passes("internet gateway", target, "to the Internet")
        mapped = find_mapped_end(network, to.address)
        if mapped is not None:
            walk.doubts("address", str(to.address), f"is {mapped}'s public address; its inbound rules are not followed")
    elif target in network.egress_only_gateways:
        _require_attachment(walk, "egress-only gateway", target, network.egress_only_gateways[target].vpcs, subnet)
        for address in (to.address, walk.source.address):
            if not is_public(network, address):
                raise walk.stops("egress-only gateway", target, f"the Internet does not route {address}")
        walk.passes("egress-only gateway", target, "to the Internet, one way")
    elif target in network.vpn_gateways:
        _require_attachment(walk, "vpn gateway", target, network.vpn_gateways[target].vpcs, subnet)
        walk.passes("vpn gateway", target, "to the other side, which is not judged")
    elif endpoint is not None and endpoint.kind == "Gateway":
        if not endpoint.is_available:
            raise walk.stops("gateway endpoint", target, "it is not available")
        walk.passes("gateway endpoint", target, f"to {endpoint.service}; its policy is not judged")
    elif peering is not None:
        follow_peering(walk, peering)
        _judge_unread_peer(walk, peering, subnet, to)
    elif target == "local":
        raise walk.stops("route", subnet.route_table_id, f"no interface of the VPC has {to.address}")
    else:
        walk.doubts("gateway", target, "its own rules and the networks behind it are not read")


def may_enter_unanswered(walk: Walk, subnet: Subnet) -> bool:
    """Whether a gateway may deliver a packet although replies to it would leave by another way, or not at all.

    A packet that a gateway delivers reaches its interface without regard to the routes of the subnet. A connection that needs
    replies fails then, but a packet that needs no reply is received. The guides of EC2 do not say this, so the path becomes
    'unknown'.
    """
    kind, name = next(_list_ways_in(walk, subnet), ("", "")) if not walk.wants_replies else ("", "")
    if kind:
        walk.doubts(kind, name, "may deliver it, but replies would not leave by it")
    return bool(kind)


def _list_ways_in(walk: Walk, subnet: Subnet) -> Iterator[tuple[str, str]]:
    """Kind and id of each gateway behind which the source may be: Internet, VPN or transit gateway, or a peering not read."""
    network, source = walk.network, walk.source.address
    if has_public(network, walk.destination) and is_public(network, source):
        gateways = network.internet_gateways.values()
        yield from (("internet gateway", it.id) for it in gateways if subnet.vpc_id in it.vpcs)
    tables = {it.route_table_id for it in network.subnets.values() if it.vpc_id == subnet.vpc_id}
    for table in sorted(tables):
        for route in rule_decisions.find_routes(network.route_tables[table], source, network.prefix_lists):
            gateway = network.vpn_gateways.get(route.target)
            if gateway is not None and subnet.vpc_id in gateway.vpcs and not route.is_blackhole:
                yield "vpn gateway", gateway.id
            transit_gateway = network.transit_gateways.get(route.target)
            if transit_gateway is not None and subnet.vpc_id in transit_gateway.subnets and not route.is_blackhole:
                yield "transit gateway", transit_gateway.id
    for peering in network.peerings.values():
        if peering.is_active and subnet.vpc_id in peering.vpcs and _is_beyond(peering, subnet, source):
            yield "peering", peering.id


def follow_in(walk: Walk, subnet: Subnet, route: Route) -> None:
    """Follow a packet from outside into the VPC through the gateway that `route` names: the route of its replies."""
    network, target, source = walk.network, route.target, walk.source
    peering = network.peerings.get(target)
    if target in network.transit_gateways:
        transit.enter(walk, subnet, target)
    elif target in network.internet_gateways:
        _require_attachment(walk, "internet gateway", target, network.internet_gateways[target].vpcs, subnet)
        if not is_public(network, source.address):
            raise walk.stops("internet gateway", target, f"the Internet does not route {source.address}")
        if not has_public(network, walk.destination):
            raise walk.stops("internet gateway", target, "the destination has no public address")
        walk.passes("internet gateway", target, "from the Internet")
        follow_gateway_routes(walk, target, walk.destination)
    elif target in network.vpn_gateways:
        _require_attachment(walk, "vpn gateway", target, network.vpn_gateways[target].vpcs, subnet)
        walk.passes("vpn gateway", target, "from the other side, which is not judged")
        follow_gateway_routes(walk, target, walk.destination)
    elif target in network.nats:
        raise walk.stops("nat gateway", network.nats[target].name or target, "it leads out only")
    elif target in network.egress_only_gateways:
        raise walk.stops("egress-only gateway", target, "it leads out only")
    elif target in network.endpoints and network.endpoints[target].kind == "Gateway":
        raise walk.stops("gateway endpoint", target, "it accepts no inbound connections")
    elif peering is not None:
        follow_peering(walk, peering)
        _judge_unread_peer(walk, peering, subnet, source)
    elif target == "local":
        raise walk.stops("route", subnet.route_table_id, f"no interface of the VPC has {source.address}")
    else:
        walk.doubts("gateway", target, "its own rules and the networks behind it are not read")


def follow_gateway_routes(walk: Walk, gateway: str, to: Spot, prefix: str = "") -> None:
    """Apply the route table of the gateway itself, if it has one: it can send inbound packets and replies to an appliance."""
    table = walk.network.edges.get(gateway)
    if table is None:
        return
    target = vpc_hops.find_route_in_table(walk, table, to, f"{prefix}of {gateway} itself: ").target
    if target != "local":
        walk.doubts("gateway", target, f"{prefix}its own rules and the networks behind it are not read")


def translate(walk: Walk, nat: Nat) -> bool:
    """Check that a NAT gateway translates the packet; False if it does, but the path behind it is not followed (NAT64)."""
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
    """Whether the route behind a NAT gateway leads to a second NAT gateway, which is not followed. Stopped if it leads back."""
    if onward.target == nat.id:
        raise walk.stops("nat gateway", nat.name or nat.id, "its own subnet's route leads back to it")
    if onward.target not in walk.network.nats:
        return False
    walk.doubts("nat gateway", onward.target, "is the second gateway on the path, which is not followed")
    return True


def follow_peering(walk: Walk, peering: Peering, prefix: str = "") -> None:
    """Pass a VPC peering connection; raises Stopped if it is not active. `prefix` begins what the hop says."""
    if not peering.is_active:
        raise walk.stops("peering", peering.id, f"{prefix}it is not active")
    walk.passes("peering", peering.id, f"{prefix}from VPC to VPC")


def is_known(network: Network, target: str) -> bool:
    """Whether the target of a route is a gateway that was read, so that it is known where it leads."""
    gateways = (network.internet_gateways, network.egress_only_gateways, network.vpn_gateways, network.nats)
    is_endpoint = target in network.endpoints and network.endpoints[target].kind == "Gateway"
    return target == "local" or is_endpoint or any(target in by_id for by_id in gateways)


def has_public(network: Network, spot: Spot) -> bool:
    """Whether the Internet can answer an end: its address is a public IPv6 one, or a public IPv4 address is mapped to it."""
    if spot.address.version == 6:
        return is_public(network, spot.address)
    return spot.interface is not None and spot.interface.is_public(spot.address)


def _require_attachment(walk: Walk, kind: str, name: str, vpcs: tuple[str, ...], subnet: Subnet) -> None:
    if subnet.vpc_id not in vpcs:
        raise walk.stops(kind, name, f"it is not attached to {subnet.vpc_id}")


def _judge_unread_peer(walk: Walk, peering: Peering, subnet: Subnet, outside: Spot) -> None:
    """Judge an address behind a peering whose other VPC was not read; Stopped if the address is not of that VPC."""
    if not _is_beyond(peering, subnet, outside.address):
        raise walk.stops("peering", peering.id, f"{outside.address} is not the other VPC's; peering is not transitive")
    walk.doubts("peering", peering.id, "the other VPC's own rules are not read")


def _is_beyond(peering: Peering, subnet: Subnet, address: Address) -> bool:
    """Whether an address lies in a block of the other VPC of a peering."""
    sides = zip(peering.vpcs, peering.blocks, strict=True)
    return any(address in block for vpc, blocks in sides if vpc != subnet.vpc_id for block in blocks)
