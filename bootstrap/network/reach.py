"""Whether one end reaches another on a port, and by which hop it is stopped: `explain`.

A connection is followed as its packets go: out through the security groups, the NACL and the routes of the one subnet, over the
gateway that the route names, in through the NACL and the security groups of the other; then its replies, which routes and
NACLs (but not security groups, which remember) judge as well.

What is not read is never guessed at: over a transit gateway between two VPCs or to the Internet, beyond an appliance or a peer
in another account the verdict is 'unknown'. Policies of endpoints, firewalls on the machines and the far side of a VPN or of a
transit gateway are outside of what is judged here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from bootstrap.network import services, stations
from bootstrap.network.gateways import (
    enter_by,
    has_public,
    is_another_nat,
    is_known,
    leave_by,
    led_in,
    may_enter_unanswered,
    over_peering,
    translate,
)
from bootstrap.network.model import Nat, Network, Protocol, Route, Subnet
from bootstrap.network.places import Spot, behind, is_silent, spots
from bootstrap.network.stations import ALL, ANY_SYSTEM, called, client_ports
from bootstrap.network.transit import between, inward, outward
from bootstrap.network.walk import ECHO, Hop, Path, Replies, Stopped, Verdict, Walk

__all__ = ["ECHO", "Hop", "Path", "Replies", "Verdict", "every", "explain", "follow", "most_telling", "pairs", "paths"]


def explain(
    network: Network,
    source: str,
    destination: str,
    port: int,
    protocol: Protocol = "tcp",
    replies: Replies = Replies.EVERY,
) -> Path:
    """The most telling of all paths between two names: an open one, else an unknown one, else the one that came furthest.

    UsageError where a name means nothing in this network; a name that nobody has gives a closed path without a way.
    """
    return most_telling(every(network, source, destination, port, protocol, replies))


def every(
    network: Network,
    source: str,
    destination: str,
    port: int,
    protocol: Protocol = "tcp",
    replies: Replies = Replies.EVERY,
) -> tuple[Path, ...]:
    """All paths between two names; a closed one without a way where nobody is there."""
    found = tuple(paths(network, spots(network, source), spots(network, destination), port, protocol, replies))
    if found:
        return found
    says = "no other interface is there, or the two have no addresses of one family"
    hop = Hop("address", f"{source}, {destination}", says, passes=False)
    what = f"{protocol} {port}" if protocol in {"tcp", "udp"} else protocol
    return (Path(source, destination, protocol, port, (hop,), "closed", hop, what),)


def most_telling(found: Sequence[Path]) -> Path:
    """Of some paths an open one, else an unknown one, else the one that came furthest."""
    return max(found, key=lambda path: (path.verdict == "open", path.verdict == "unknown", len(path.hops)))


def paths(
    network: Network,
    sources: Sequence[Spot],
    destinations: Sequence[Spot],
    port: int,
    protocol: Protocol = "tcp",
    replies: Replies = Replies.EVERY,
) -> Iterator[Path]:
    """The path of every pair of ends that `pairs` makes."""
    for source, destination in pairs(sources, destinations):
        yield follow(network, source, destination, port, protocol, replies)


def pairs(sources: Sequence[Spot], destinations: Sequence[Spot]) -> Iterator[tuple[Spot, Spot]]:
    """Every pair of ends that speak the same family and are not the same thing."""
    for source, destination in itertools.product(sources, destinations):
        is_itself = source.interface is not None and source.interface == destination.interface
        if source.address.version == destination.address.version and not is_itself:
            yield source, destination


def follow(
    network: Network,
    source: Spot,
    destination: Spot,
    port: int,
    protocol: Protocol = "tcp",
    replies: Replies = Replies.EVERY,
) -> Path:
    """The path between two ends."""
    walk = Walk(network, source, destination, port, protocol, replies)
    stopped_by: Hop | None = None
    verdict: Verdict = "closed"
    try:
        _go(walk)
        verdict = "open" if walk.is_sure else "unknown"
    except Stopped:
        stopped_by = walk.hops[-1]
    return Path(str(source), str(destination), protocol, walk.port, tuple(walk.hops), verdict, stopped_by, walk.what)


def _go(walk: Walk) -> None:
    mapped = behind(walk.network, walk.destination.address)
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
        raise walk.stops("address", str(walk.destination), f"no interface in {called(destination)} has this address")
    if source is None and destination is not None:
        _enter(walk, destination)
    elif source is not None and destination is None:
        _leave(walk, source)
    elif source is not None and destination is not None:
        _between(walk, source, destination)


def _is_served(walk: Walk, here: Subnet) -> bool:
    """Whether AWS itself answers on the machine's own link; Stopped where it answers there, but not this."""
    service = services.at(walk.network, here, walk.destination.address)
    if service is None:
        return False
    if (walk.protocol, walk.port) not in service.ports:
        answers = " and ".join(f"{protocol} {port}" for protocol, port in sorted(service.ports))
        raise walk.stops("service", str(walk.destination), f"{service.name} answers {answers}, not {walk.what}")
    walk.passes("service", str(walk.destination), f"{service.name}: groups, NACLs and routes do not apply to it")
    return True


# --- between two subnets


def _between(walk: Walk, source: Subnet, destination: Subnet) -> None:
    stations.group(walk, egress=True)
    if source.id == destination.id:
        walk.passes("subnet", called(source), "both ends are in it: NACLs and routes do not apply")
        stations.group(walk, egress=False)
        return
    stations.nacl(walk, source, egress=True)
    by = _across(walk, source, destination, walk.destination, "")
    if walk.is_renamed:
        return
    _come_in(walk, destination, by)
    if walk.wants_replies:
        by = _across(walk, destination, source, walk.source, "replies: ")
        out = outward(walk.network, destination, by, outside=walk.source, inside=walk.destination)
        back = inward(walk.network, source, by, outside=walk.destination, inside=walk.source)
        stations.replies(walk, [*out, *back], client_ports(walk))


def _come_in(walk: Walk, there: Subnet, target: str) -> None:
    """Into a subnet, by the gateway that a route names, and into the interface."""
    for subnet, egress, _ in inward(walk.network, there, target, outside=walk.source, inside=walk.destination):
        stations.nacl(walk, subnet, egress=egress)
    stations.group(walk, egress=False)


def _across(walk: Walk, here: Subnet, there: Subnet, to: Spot, prefix: str) -> str:
    """The route's target from one subnet that was read to another: local in a VPC, an active peering between two."""
    route = stations.route(walk, here, to, prefix)
    _follow(walk, here, there, route, to, prefix)
    return route.target


def _follow(walk: Walk, here: Subnet, there: Subnet, route: Route, to: Spot, prefix: str) -> None:
    if here.vpc_id == there.vpc_id and route.target == "local":
        return
    nat = walk.network.nats.get(route.target)
    if nat is not None:
        _onward(walk, here, there, to, nat, prefix)
        return
    if route.target in walk.network.transit_gateways:
        between(walk, here, route.target, prefix)
        return
    peering = walk.network.peerings.get(route.target)
    if peering is None and not is_known(walk.network, route.target):
        walk.doubts("gateway", route.target, f"{prefix}its own rules and the networks behind it are not read")
        return
    if peering is None:
        raise walk.stops("route", here.route_table_id, f"{prefix}{route.target} does not lead to {there.vpc_id}")
    if set(peering.vpcs) != {here.vpc_id, there.vpc_id}:
        says = f"{prefix}it joins {' and '.join(peering.vpcs)}; peering is not transitive"
        raise walk.stops("peering", peering.id, says)
    over_peering(walk, peering, prefix)


def _onward(walk: Walk, here: Subnet, there: Subnet, to: Spot, nat: Nat, prefix: str) -> None:
    """Through a NAT gateway to another subnet that was read: its own subnet's routes lead on, in its name."""
    between, name = walk.network.subnets[nat.subnet_id], nat.name or nat.id
    if prefix:
        raise walk.stops("nat gateway", name, f"{prefix}it leads out only")
    translate(walk, nat)
    walk.is_renamed = True
    walk.doubts("nat gateway", name, "forwards with its own address; the rules beyond it are not judged")
    onward = stations.route(walk, between, to, "behind it: ")
    if not is_another_nat(walk, nat, onward):
        _follow(walk, between, there, onward, to, "")


# --- out of the VPC, and into it


def _leave(walk: Walk, here: Subnet) -> None:
    stations.group(walk, egress=True)
    stations.nacl(walk, here, egress=True)
    route = stations.route(walk, here, walk.destination)
    nat = walk.network.nats.get(route.target)
    if nat is not None:
        _through_nat(walk, here, nat)
        return
    leave_by(walk, here, route, has_public=has_public(walk.network, walk.source))
    if walk.wants_replies:
        led_in(walk, route.target, walk.source, "replies: ")
        back = inward(walk.network, here, route.target, outside=walk.destination, inside=walk.source)
        stations.replies(walk, back, client_ports(walk))


def _through_nat(walk: Walk, here: Subnet, nat: Nat) -> None:
    """Out through a NAT gateway: its subnet's NACL is asked on both sides of it, and its own route leads on."""
    if not translate(walk, nat):
        return
    there = walk.network.subnets[nat.subnet_id]
    if there.id != here.id:
        stations.nacl(walk, there, egress=False)
    walk.passes("nat gateway", nat.name or nat.id, "forwards with its own address; it accepts no inbound connections")
    stations.nacl(walk, there, egress=True)
    onward = stations.route(walk, there, walk.destination)
    if is_another_nat(walk, nat, onward):
        return
    itself = Spot(nat.address, subnet=there)
    leave_by(walk, there, onward, has_public=bool(nat.public), name=itself)
    if not walk.wants_replies:
        return
    led_in(walk, onward.target, itself, "replies: ")
    back = inward(walk.network, there, onward.target, outside=walk.destination, inside=itself)
    stations.replies(walk, back, ALL if walk.replies is Replies.SOME else ANY_SYSTEM)
    if there.id != here.id:
        _across(walk, there, here, walk.source, "replies: ")
        stations.replies(walk, [(there, True, walk.source), (here, False, walk.destination)], client_ports(walk))


def _enter(walk: Walk, there: Subnet) -> None:
    """From outside. The way in is the one by which replies leave: another would make no connection."""
    known, target = len(walk.hops), ""
    try:
        route = stations.route(walk, there, walk.source, "the way to the source: ")
        enter_by(walk, there, route)
        target = route.target
    except Stopped:
        stop = walk.hops[known:]
        del walk.hops[known:]
        if not may_enter_unanswered(walk, there):
            walk.hops += stop
            raise
    _come_in(walk, there, target)
    if walk.wants_replies:
        out = outward(walk.network, there, target, outside=walk.source, inside=walk.destination)
        stations.replies(walk, out, ALL if walk.replies is Replies.SOME else ANY_SYSTEM)
