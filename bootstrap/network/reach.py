"""Whether one end reaches another on a port, and by which hop it is stopped: `explain`.

A connection is followed as its packets go: out through the security groups, the NACL and the routes of the one subnet, over the
gateway that the route names, in through the NACL and the security groups of the other; then its replies, which routes and
NACLs (but not security groups, which remember) judge as well.

What is not read is never guessed at: beyond a transit gateway, an appliance or a peer in another account the verdict is
'unknown'. Policies of endpoints, firewalls on the machines and the far side of a VPN are outside of what is judged here.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bootstrap.network import choice
from bootstrap.network.model import Nat, Network, Peering, Protocol, Route, Subnet
from bootstrap.network.places import Spot, is_public, spots

Verdict = Literal["open", "closed", "unknown"]
_LINUX = (32768, 60999)  # net.ipv4.ip_local_port_range, the ports from which our machines start connections
_ANY_SYSTEM = (1024, 65535)  # what NAT gateways and other systems use (VPC User Guide, 'Ephemeral ports')
_ALL = (1, 65535)


class Replies(enum.Enum):
    """How many of the ports that a client may have must get replies: all, for a promise; one, for a threat.

    To a threat, what needs no reply (UDP, ICMP) is open already where the request arrives.
    """

    EVERY = "every"
    SOME = "some"


@dataclass(frozen=True)
class Hop:
    """One station of a path and what it says; `kind` is route, nacl, security group, gateway, address, ..."""

    kind: str
    name: str
    says: str
    passes: bool = True


@dataclass(frozen=True)
class Path:
    """The way from one end to another: its hops in order, the verdict, and the hop that stopped it."""

    source: str
    destination: str
    protocol: Protocol
    port: int
    hops: tuple[Hop, ...]
    verdict: Verdict
    stopped_by: Hop | None = None


class _Stopped(Exception):
    """The packet goes no further; the last hop says why."""


@dataclass
class _Walk:
    """One packet on its way."""

    network: Network
    source: Spot
    destination: Spot
    port: int
    protocol: Protocol
    replies: Replies
    hops: list[Hop] = field(default_factory=list)
    is_sure: bool = True

    def passes(self, kind: str, name: str, says: str) -> None:
        self.hops.append(Hop(kind, name, says))

    def stops(self, kind: str, name: str, says: str) -> _Stopped:
        self.hops.append(Hop(kind, name, says, passes=False))
        return _Stopped()

    def doubts(self, kind: str, name: str, says: str) -> None:
        self.is_sure = False
        self.passes(kind, name, says)

    @property
    def wants_replies(self) -> bool:
        return self.protocol == "tcp" or self.replies is Replies.EVERY


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
    found = tuple(paths(network, spots(network, source), spots(network, destination), port, protocol, replies))
    if not found:
        hop = Hop("address", f"{source}, {destination}", "nobody is there, or not with addresses of one family", False)
        return Path(source, destination, protocol, port, (hop,), "closed", hop)
    return max(found, key=lambda path: (path.verdict == "open", path.verdict == "unknown", len(path.hops)))


def paths(
    network: Network,
    sources: Sequence[Spot],
    destinations: Sequence[Spot],
    port: int,
    protocol: Protocol = "tcp",
    replies: Replies = Replies.EVERY,
) -> Iterator[Path]:
    """The path of every pair of ends that speak the same family and are not the same thing."""
    for source, destination in itertools.product(sources, destinations):
        is_itself = source.interface is not None and source.interface == destination.interface
        if source.address.version == destination.address.version and not is_itself:
            yield follow(network, source, destination, port, protocol, replies)


def follow(
    network: Network,
    source: Spot,
    destination: Spot,
    port: int,
    protocol: Protocol = "tcp",
    replies: Replies = Replies.EVERY,
) -> Path:
    """The path between two ends."""
    walk = _Walk(network, source, destination, port, protocol, replies)
    stopped_by: Hop | None = None
    verdict: Verdict = "closed"
    try:
        _go(walk)
        verdict = "open" if walk.is_sure else "unknown"
    except _Stopped:
        stopped_by = walk.hops[-1]
    return Path(str(source), str(destination), protocol, port, tuple(walk.hops), verdict, stopped_by)


def _go(walk: _Walk) -> None:
    source, destination = walk.source.subnet, walk.destination.subnet
    if source is None and destination is None:
        raise walk.stops("address", f"{walk.source}, {walk.destination}", "neither end lies in a VPC that was read")
    if walk.destination.interface is not None and walk.destination.interface.kind == "nat_gateway":
        raise walk.stops("nat gateway", str(walk.destination), "a NAT gateway takes no connections")
    if destination is not None and walk.destination.interface is None:
        raise walk.stops("address", str(walk.destination), f"no interface in {_called(destination)} has this address")
    if source is None and destination is not None:
        _enter(walk, destination)
    elif source is not None and destination is None:
        _leave(walk, source)
    elif source is not None and destination is not None:
        _between(walk, source, destination)


# --- between two subnets


def _between(walk: _Walk, source: Subnet, destination: Subnet) -> None:
    _group(walk, egress=True)
    if source.id == destination.id:
        walk.passes("subnet", _called(source), "both ends lie in it: neither NACLs nor routes are asked")
        _group(walk, egress=False)
        return
    _nacl(walk, source, egress=True)
    _across(walk, source, destination, walk.destination, "")
    _nacl(walk, destination, egress=False)
    _group(walk, egress=False)
    if walk.wants_replies:
        _across(walk, destination, source, walk.source, "replies: ")
        _replies(walk, [(destination, True, walk.source), (source, False, walk.destination)], _client_ports(walk))


def _across(walk: _Walk, here: Subnet, there: Subnet, to: Spot, prefix: str) -> None:
    """The route from one subnet that was read to another: local in a VPC, over an active peering between two."""
    route = _route(walk, here, to, prefix)
    table = here.route_table_id
    if here.vpc_id == there.vpc_id and route.target == "local":
        return
    peering = walk.network.peerings.get(route.target)
    if peering is None and not _is_known(walk.network, route.target):
        walk.doubts("gateway", route.target, f"{prefix}what it does and what lies beyond is not read")
        return
    if peering is None:
        raise walk.stops("route", table, f"{prefix}{route.target} does not lead to {there.vpc_id}")
    if set(peering.vpcs) != {here.vpc_id, there.vpc_id}:
        says = f"{prefix}it joins {' and '.join(peering.vpcs)}; a peering leads no further"
        raise walk.stops("peering", peering.id, says)
    _peering_is_active(walk, peering, prefix)


def _is_known(network: Network, target: str) -> bool:
    """Whether a route's target is a gateway that was read, so that where it leads is known."""
    gateways = (network.internet_gateways, network.egress_only_gateways, network.vpn_gateways, network.nats)
    is_endpoint = target in network.endpoints and network.endpoints[target].kind == "Gateway"
    return target == "local" or is_endpoint or any(target in it for it in gateways)


def _peering_is_active(walk: _Walk, peering: Peering, prefix: str = "") -> None:
    if not peering.is_active:
        raise walk.stops("peering", peering.id, f"{prefix}it is not active")
    walk.passes("peering", peering.id, f"{prefix}from VPC to VPC")


# --- out of the VPC


def _leave(walk: _Walk, here: Subnet) -> None:
    _group(walk, egress=True)
    _nacl(walk, here, egress=True)
    route = _route(walk, here, walk.destination)
    nat = walk.network.nats.get(route.target)
    if nat is not None:
        _through_nat(walk, here, nat)
        return
    _gateway_out(walk, here, route, has_public=_has_public(walk.source))
    if walk.wants_replies:
        _replies(walk, [(here, False, walk.destination)], _client_ports(walk))


def _has_public(spot: Spot) -> bool:
    return spot.address.version == 6 or (spot.interface is not None and bool(spot.interface.public))


def _through_nat(walk: _Walk, here: Subnet, nat: Nat) -> None:
    """Out through a NAT gateway: its subnet's NACL is asked on both sides of it, and its own route leads on."""
    if not nat.is_available:
        raise walk.stops("nat gateway", nat.name or nat.id, "it is not available")
    there = walk.network.subnets[nat.subnet_id]
    if there.id != here.id:
        _nacl(walk, there, egress=False, peer=walk.source)
    walk.passes("nat gateway", nat.name or nat.id, "sends on in its own name; nobody can come in by it")
    _nacl(walk, there, egress=True, peer=walk.destination)
    _gateway_out(walk, there, _route(walk, there, walk.destination), has_public=bool(nat.public))
    if not walk.wants_replies:
        return
    _replies(walk, [(there, False, walk.destination)], _ALL if walk.replies is Replies.SOME else _ANY_SYSTEM)
    if there.id != here.id:
        _replies(walk, [(there, True, walk.source), (here, False, walk.destination)], _client_ports(walk))


def _gateway_out(walk: _Walk, here: Subnet, route: Route, *, has_public: bool) -> None:
    """What the route's target does with a packet that leaves the VPC."""
    network, target, to = walk.network, route.target, walk.destination
    endpoint = network.endpoints.get(target)
    peering = network.peerings.get(target)
    if target in network.internet_gateways:
        _attached(walk, "internet gateway", target, network.internet_gateways[target].vpcs, here)
        if not is_public(network, to.address):
            raise walk.stops("internet gateway", target, f"the Internet does not carry {to.address}")
        if not has_public:
            raise walk.stops("internet gateway", target, "the source has no public address")
        walk.passes("internet gateway", target, "to the Internet")
    elif target in network.egress_only_gateways:
        _attached(walk, "egress-only gateway", target, network.egress_only_gateways[target].vpcs, here)
        walk.passes("egress-only gateway", target, "to the Internet, one way")
    elif target in network.vpn_gateways:
        _attached(walk, "vpn gateway", target, network.vpn_gateways[target].vpcs, here)
        walk.passes("vpn gateway", target, "to the other side, which is not judged")
    elif endpoint is not None and endpoint.kind == "Gateway":
        if not endpoint.is_available:
            raise walk.stops("gateway endpoint", target, "it is not available")
        walk.passes("gateway endpoint", target, f"to {endpoint.service}; its policy is not judged")
    elif peering is not None:
        _peering_is_active(walk, peering)
        _far_side(walk, peering, here, to)
    elif target == "local":
        raise walk.stops("route", here.route_table_id, f"nothing of the VPC has {to.address}")
    else:
        walk.doubts("gateway", target, "what it does and what lies beyond is not read")


def _attached(walk: _Walk, kind: str, name: str, vpcs: tuple[str, ...], here: Subnet) -> None:
    if here.vpc_id not in vpcs:
        raise walk.stops(kind, name, f"it is not attached to {here.vpc_id}")


def _far_side(walk: _Walk, peering: Peering, here: Subnet, outside: Spot) -> None:
    """An address beyond a peering whose other VPC was not read, or one that does not belong there."""
    blocks = [
        block for vpc, side in zip(peering.vpcs, peering.blocks, strict=True) if vpc != here.vpc_id for block in side
    ]
    if not any(outside.address in block for block in blocks):
        raise walk.stops("peering", peering.id, f"{outside.address} is not the other VPC's; a peering leads no further")
    walk.doubts("peering", peering.id, "the other VPC's own rules are not read")


# --- into the VPC


def _enter(walk: _Walk, there: Subnet) -> None:
    """From outside. The way in is the one by which replies leave: another would make no connection."""
    route = _route(walk, there, walk.source, "the way to the source: ")
    _gateway_in(walk, there, route)
    _nacl(walk, there, egress=False)
    _group(walk, egress=False)
    if walk.wants_replies:
        _replies(walk, [(there, True, walk.source)], _ALL if walk.replies is Replies.SOME else _ANY_SYSTEM)


def _gateway_in(walk: _Walk, there: Subnet, route: Route) -> None:
    network, target, source = walk.network, route.target, walk.source
    peering = network.peerings.get(target)
    if target in network.internet_gateways:
        _attached(walk, "internet gateway", target, network.internet_gateways[target].vpcs, there)
        if not is_public(network, source.address):
            raise walk.stops("internet gateway", target, f"the Internet does not carry {source.address}")
        if not _has_public(walk.destination):
            raise walk.stops("internet gateway", target, "the destination has no public address")
        walk.passes("internet gateway", target, "from the Internet")
    elif target in network.vpn_gateways:
        _attached(walk, "vpn gateway", target, network.vpn_gateways[target].vpcs, there)
        walk.passes("vpn gateway", target, "from the other side, which is not judged")
    elif target in network.nats:
        raise walk.stops("nat gateway", network.nats[target].name or target, "it leads out only")
    elif target in network.egress_only_gateways:
        raise walk.stops("egress-only gateway", target, "it leads out only")
    elif target in network.endpoints and network.endpoints[target].kind == "Gateway":
        raise walk.stops("gateway endpoint", target, "no connection comes in by it")
    elif peering is not None:
        _peering_is_active(walk, peering)
        _far_side(walk, peering, there, source)
    elif target == "local":
        raise walk.stops("route", there.route_table_id, f"nothing of the VPC has {source.address}")
    else:
        walk.doubts("gateway", target, "what it does and what lies beyond is not read")


# --- the stations


def _route(walk: _Walk, here: Subnet, to: Spot, prefix: str = "") -> Route:
    table = walk.network.route_tables[here.route_table_id]
    found = choice.route(table, to.address, walk.network.prefix_lists)
    name = table.name or table.id
    if found is None:
        raise walk.stops("route", name, f"{prefix}no route to {to.address}")
    if found.is_blackhole:
        raise walk.stops("route", name, f"{prefix}{found.to} is a black hole: its target {found.target} is gone")
    walk.passes("route", name, f"{prefix}{found.to} leads to {found.target}")
    return found


def _nacl(walk: _Walk, subnet: Subnet, *, egress: bool, peer: Spot | None = None) -> None:
    nacl = walk.network.nacls[subnet.nacl_id]
    other = peer or (walk.destination if egress else walk.source)
    entry = choice.nacl_entry(nacl, egress=egress, peer=other.address, protocol=walk.protocol, port=walk.port)
    way = "out of" if egress else "into"
    what = f"{walk.protocol} {walk.port} {way} {_called(subnet)}, {'to' if egress else 'from'} {other.address}"
    name = nacl.name or nacl.id
    if entry is None:
        raise walk.stops("nacl", name, f"no entry allows {what}")
    if not entry.allow:
        raise walk.stops("nacl", name, f"entry {entry.number} denies {what}")
    walk.passes("nacl", name, f"entry {entry.number} allows {what}")


def _replies(walk: _Walk, gates: Sequence[tuple[Subnet, bool, Spot]], ports: tuple[int, int]) -> None:
    """Replies go to the port that the client chose: every NACL on their way must let the same ones pass."""
    if walk.protocol == "icmp":
        return  # a reply has a type of its own and no port; that it comes back is not judged
    left: tuple[tuple[int, int], ...] = (ports,)
    for subnet, egress, peer in gates:
        nacl = walk.network.nacls[subnet.nacl_id]
        left = tuple(
            part
            for piece in left
            for part in choice.allowed_ports(
                nacl, egress=egress, peer=peer.address, protocol=walk.protocol, ports=piece
            )
        )
        name, way = nacl.name or nacl.id, "out of" if egress else "into"
        what = f"replies {way} {_called(subnet)} to ports {ports[0]}-{ports[1]}"
        if not left:
            raise walk.stops("nacl", name, f"no entry allows {what}")
        if walk.replies is Replies.EVERY and left != (ports,):
            only = ", ".join(f"{first}-{last}" for first, last in left)
            raise walk.stops("nacl", name, f"of {what} only {only} pass")
        walk.passes("nacl", name, f"allows {what}")


def _client_ports(walk: _Walk) -> tuple[int, int]:
    if walk.replies is Replies.SOME:
        return _ALL
    return _LINUX if walk.source.interface is not None else _ANY_SYSTEM


def _group(walk: _Walk, *, egress: bool) -> None:
    here, peer = (walk.source, walk.destination) if egress else (walk.destination, walk.source)
    if here.interface is None or not here.interface.groups:
        return
    groups = [walk.network.groups[name] for name in here.interface.groups if name in walk.network.groups]
    names = ", ".join(group.name or group.id for group in groups)
    found = choice.group_rule(
        groups,
        egress=egress,
        peer=peer.address,
        peer_groups=peer.interface.groups if peer.interface else (),
        protocol=walk.protocol,
        port=walk.port,
        lists=walk.network.prefix_lists,
    )
    what = f"{walk.protocol} {walk.port} {'to' if egress else 'from'} {peer.address}"
    if found is None:
        raise walk.stops("security group", names, f"no rule lets {what} {'out' if egress else 'in'}")
    group, rule = found
    walk.passes("security group", group.name or group.id, f"{'out' if egress else 'in'}: {rule.peer} allows {what}")


def _called(subnet: Subnet) -> str:
    return subnet.name or subnet.id
