"""Decides whether one end reaches another on a port, and which hop stops it: `explain`.

A connection is followed in the direction of its packets: out through the security groups, the ACL and the routes of the first
subnet, through the gateway that the route names, and in through the ACL and the security groups of the second subnet. Then its
replies are followed: routes and ACLs apply to them, security groups do not, because these are stateful.

What was not read is never guessed: over a transit gateway between two VPCs or to the Internet, behind an appliance or a peer in
another account the verdict is 'unknown'. Policies of endpoints, packet filters on the machines and the networks behind a VPN or
a transit gateway are not judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from bootstrap.network import services, vpc_hops
from bootstrap.network.gateways import (
    follow_gateway_routes,
    follow_in,
    follow_out,
    follow_peering,
    has_public,
    is_another_nat,
    is_known,
    may_enter_unanswered,
    translate,
)
from bootstrap.network.model import Nat, Network, Route, Subnet
from bootstrap.network.packet_walk import ECHO, Hop, Path, Replies, Stopped, Traffic, Verdict, Walk
from bootstrap.network.path_ends import Spot, find_mapped_end, is_silent, resolve_ends
from bootstrap.network.transit import follow_between, list_inward_nacls, list_outward_nacls
from bootstrap.network.vpc_hops import ALL, ANY_SYSTEM, find_client_ports, name_subnet

__all__ = [
    "ECHO",
    "Hop",
    "Path",
    "Replies",
    "Traffic",
    "Verdict",
    "choose_path",
    "explain",
    "explain_all",
    "follow",
    "follow_all",
    "pair_ends",
]


def explain(network: Network, source: str, destination: str, traffic: Traffic) -> Path:
    """One of all paths between two names: an open one if there is one, else an unknown one, else the closed one with most hops.

    UsageError if a name is not known in this network. If a name is known, but no interface has it, the path is closed and has
    one hop that says so.
    """
    return choose_path(explain_all(network, source, destination, traffic))


def explain_all(network: Network, source: str, destination: str, traffic: Traffic) -> tuple[Path, ...]:
    """All paths between two names; one closed path with one hop if there are none. UsageError if a name is not known."""
    starts, ends = resolve_ends(network, source), resolve_ends(network, destination)
    all_paths = tuple(follow_all(network, starts, ends, traffic))
    if all_paths:
        return all_paths
    says = "no other interface is there, or the two have no addresses of one family"
    hop = Hop("address", f"{source}, {destination}", says, passes=False)
    port, protocol = traffic.port, traffic.protocol
    what = f"{protocol} {port}" if protocol in {"tcp", "udp"} else protocol
    return (Path(source, destination, protocol, port, (hop,), "closed", hop, what),)


def choose_path(candidates: Sequence[Path]) -> Path:
    """An open path if there is one, else an unknown one, else the closed one with most hops."""
    return max(candidates, key=lambda path: (path.verdict == "open", path.verdict == "unknown", len(path.hops)))


def follow_all(
    network: Network,
    sources: Sequence[Spot],
    destinations: Sequence[Spot],
    traffic: Traffic,
) -> Iterator[Path]:
    """The path of each pair of ends that `pair_ends` returns."""
    for source, destination in pair_ends(sources, destinations):
        yield follow(network, source, destination, traffic)


def pair_ends(sources: Sequence[Spot], destinations: Sequence[Spot]) -> Iterator[tuple[Spot, Spot]]:
    """Every pair of ends with addresses of one family that are not on the same interface."""
    for source, destination in itertools.product(sources, destinations):
        is_itself = source.interface is not None and source.interface == destination.interface
        if source.address.version == destination.address.version and not is_itself:
            yield source, destination


def follow(
    network: Network,
    source: Spot,
    destination: Spot,
    traffic: Traffic,
) -> Path:
    """Follow a packet from one end to another, and its replies where they are needed."""
    walk = Walk(network, source, destination, traffic)
    stopped_by: Hop | None = None
    verdict: Verdict = "closed"
    try:
        _follow_packet(walk)
        verdict = "open" if walk.is_sure else "unknown"
    except Stopped:
        stopped_by = walk.hops[-1]
    return Path(
        str(source), str(destination), traffic.protocol, walk.port, tuple(walk.hops), verdict, stopped_by, walk.what
    )


def _follow_packet(walk: Walk) -> None:
    mapped = find_mapped_end(walk.network, walk.destination.address)
    if mapped is not None and walk.source.subnet is None:
        walk.passes("address", str(walk.destination), f"is the public one of {mapped}")
        walk.destination = mapped
    source, destination = walk.source.subnet, walk.destination.subnet
    if source is None and destination is None:
        raise walk.stops("address", f"{walk.source}, {walk.destination}", "neither end is in a VPC that was read")
    if walk.destination.interface is not None and is_silent(walk.destination.interface):
        kind = walk.destination.interface.kind.replace("_", " ")
        raise walk.stops(kind, str(walk.destination), "it forwards packets of others and accepts no connections")
    if source is not None and _is_served(walk, source):
        return
    if destination is not None and walk.destination.interface is None:
        raise walk.stops(
            "address", str(walk.destination), f"no interface in {name_subnet(destination)} has this address"
        )
    if source is None and destination is not None:
        _enter_vpc(walk, destination)
    elif source is not None and destination is None:
        _leave_vpc(walk, source)
    elif source is not None and destination is not None:
        _follow_between(walk, source, destination)


def _is_served(walk: Walk, subnet: Subnet) -> bool:
    """Whether a service of AWS on the machine's own link answers; Stopped if the service does not answer this port."""
    service = services.find_service(walk.network, subnet, walk.destination.address)
    if service is None:
        return False
    if (walk.protocol, walk.port) not in service.ports:
        answers = " and ".join(f"{protocol} {port}" for protocol, port in sorted(service.ports))
        raise walk.stops("service", str(walk.destination), f"{service.name} answers {answers}, not {walk.what}")
    walk.passes("service", str(walk.destination), f"{service.name}: groups, ACLs and routes do not apply to it")
    return True


# --- between two subnets


def _follow_between(walk: Walk, source: Subnet, destination: Subnet) -> None:
    vpc_hops.apply_groups(walk, egress=True)
    if source.id == destination.id:
        walk.passes("subnet", name_subnet(source), "both ends are in it: ACLs and routes do not apply")
        vpc_hops.apply_groups(walk, egress=False)
        return
    vpc_hops.apply_nacl(walk, source, egress=True)
    by = _find_target(walk, source, destination, walk.destination, "")
    if walk.is_renamed:
        return
    _enter_subnet(walk, destination, by)
    if walk.wants_replies:
        by = _find_target(walk, destination, source, walk.source, "replies: ")
        out = list_outward_nacls(walk.network, destination, by, outside=walk.source, inside=walk.destination)
        back = list_inward_nacls(walk.network, source, by, outside=walk.destination, inside=walk.source)
        vpc_hops.apply_nacls_to_replies(walk, [*out, *back], find_client_ports(walk))


def _enter_subnet(walk: Walk, subnet: Subnet, target: str) -> None:
    """Follow a packet into a subnet, through the gateway that a route names, and into the interface."""
    for passed, egress, _ in list_inward_nacls(
        walk.network, subnet, target, outside=walk.source, inside=walk.destination
    ):
        vpc_hops.apply_nacl(walk, passed, egress=egress)
    vpc_hops.apply_groups(walk, egress=False)


def _find_target(walk: Walk, start: Subnet, end: Subnet, to: Spot, prefix: str) -> str:
    """The target of the route from one subnet that was read to another: local in one VPC, an active peering between two."""
    route = vpc_hops.find_route(walk, start, to, prefix)
    _follow_route(walk, start, end, route, to, prefix)
    return route.target


def _follow_route(walk: Walk, start: Subnet, end: Subnet, route: Route, to: Spot, prefix: str) -> None:
    if start.vpc_id == end.vpc_id and route.target == "local":
        return
    nat = walk.network.nats.get(route.target)
    if nat is not None:
        _pass_nat_between(walk, start, end, to, nat, prefix)
        return
    if route.target in walk.network.transit_gateways:
        follow_between(walk, start, route.target, prefix)
        return
    peering = walk.network.peerings.get(route.target)
    if peering is None and not is_known(walk.network, route.target):
        walk.doubts("gateway", route.target, f"{prefix}its own rules and the networks behind it are not read")
        return
    if peering is None:
        raise walk.stops("route", start.route_table_id, f"{prefix}{route.target} does not lead to {end.vpc_id}")
    if set(peering.vpcs) != {start.vpc_id, end.vpc_id}:
        says = f"{prefix}it joins {' and '.join(peering.vpcs)}; peering is not transitive"
        raise walk.stops("peering", peering.id, says)
    follow_peering(walk, peering, prefix)


def _pass_nat_between(walk: Walk, start: Subnet, end: Subnet, to: Spot, nat: Nat, prefix: str) -> None:
    """Follow a packet through a NAT gateway to another subnet that was read, by the routes of the NAT gateway's subnet."""
    nat_subnet, name = walk.network.subnets[nat.subnet_id], nat.name or nat.id
    if prefix:
        raise walk.stops("nat gateway", name, f"{prefix}it leads out only")
    translate(walk, nat)
    walk.is_renamed = True
    walk.doubts("nat gateway", name, "forwards with its own address; the rules beyond it are not judged")
    onward = vpc_hops.find_route(walk, nat_subnet, to, "behind it: ")
    if not is_another_nat(walk, nat, onward):
        _follow_route(walk, nat_subnet, end, onward, to, "")


# --- out of the VPC, and into it


def _leave_vpc(walk: Walk, subnet: Subnet) -> None:
    vpc_hops.apply_groups(walk, egress=True)
    vpc_hops.apply_nacl(walk, subnet, egress=True)
    route = vpc_hops.find_route(walk, subnet, walk.destination)
    nat = walk.network.nats.get(route.target)
    if nat is not None:
        _leave_through_nat(walk, subnet, nat)
        return
    follow_out(walk, subnet, route, has_public=has_public(walk.network, walk.source))
    if walk.wants_replies:
        follow_gateway_routes(walk, route.target, walk.source, "replies: ")
        back = list_inward_nacls(walk.network, subnet, route.target, outside=walk.destination, inside=walk.source)
        vpc_hops.apply_nacls_to_replies(walk, back, find_client_ports(walk))


def _leave_through_nat(walk: Walk, subnet: Subnet, nat: Nat) -> None:
    """Follow a packet out through a NAT gateway: its subnet's ACL applies on both sides of it, then its subnet's routes."""
    if not translate(walk, nat):
        return
    nat_subnet = walk.network.subnets[nat.subnet_id]
    if nat_subnet.id != subnet.id:
        vpc_hops.apply_nacl(walk, nat_subnet, egress=False)
    walk.passes("nat gateway", nat.name or nat.id, "forwards with its own address; it accepts no inbound connections")
    vpc_hops.apply_nacl(walk, nat_subnet, egress=True)
    onward = vpc_hops.find_route(walk, nat_subnet, walk.destination)
    if is_another_nat(walk, nat, onward):
        return
    itself = Spot(nat.address, subnet=nat_subnet)
    follow_out(walk, nat_subnet, onward, has_public=bool(nat.public), name=itself)
    if not walk.wants_replies:
        return
    follow_gateway_routes(walk, onward.target, itself, "replies: ")
    back = list_inward_nacls(walk.network, nat_subnet, onward.target, outside=walk.destination, inside=itself)
    vpc_hops.apply_nacls_to_replies(walk, back, ALL if walk.replies is Replies.SOME else ANY_SYSTEM)
    if nat_subnet.id != subnet.id:
        _find_target(walk, nat_subnet, subnet, walk.source, "replies: ")
        vpc_hops.apply_nacls_to_replies(
            walk, [(nat_subnet, True, walk.source), (subnet, False, walk.destination)], find_client_ports(walk)
        )


def _enter_vpc(walk: Walk, subnet: Subnet) -> None:
    """Follow a packet from outside into a subnet, through the gateway by which its replies leave."""
    hops_before, target = len(walk.hops), ""
    try:
        route = vpc_hops.find_route(walk, subnet, walk.source, "the way to the source: ")
        follow_in(walk, subnet, route)
        target = route.target
    except Stopped:
        removed = walk.hops[hops_before:]
        del walk.hops[hops_before:]
        if not may_enter_unanswered(walk, subnet):
            walk.hops += removed
            raise
    _enter_subnet(walk, subnet, target)
    if walk.wants_replies:
        out = list_outward_nacls(walk.network, subnet, target, outside=walk.source, inside=walk.destination)
        vpc_hops.apply_nacls_to_replies(walk, out, ALL if walk.replies is Replies.SOME else ANY_SYSTEM)
