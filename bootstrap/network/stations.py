"""The stations inside a VPC: the route table, the NACL and the security groups that a packet and its replies are judged by."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.network import choice
from bootstrap.network.model import GroupRule, Route, SecurityGroup, Subnet
from bootstrap.network.places import Spot, is_in_unread_peer
from bootstrap.network.walk import Replies, Walk

LINUX = (32768, 60999)  # net.ipv4.ip_local_port_range, the ports from which our machines start connections
ANY_SYSTEM = (1024, 65535)  # what NAT gateways and other systems use (VPC User Guide, 'Ephemeral ports')
ALL = (1, 65535)
_LAST_ENTRY = 32767  # shown as '*': EC2 puts it at the end of every NACL, and it denies what no other entry fits
Gate = tuple[Subnet, bool, Spot]
"""A subnet's NACL on the way: whether it is asked of what leaves the subnet, and which end is the other one to it."""


def route(walk: Walk, here: Subnet, to: Spot, prefix: str = "") -> Route:
    """The route by which a packet to `to` leaves a subnet."""
    return route_of(walk, here.route_table_id, to, prefix)


def route_of(walk: Walk, table_id: str, to: Spot, prefix: str = "") -> Route:
    """The route of one table to `to`; Stopped where there is none, or its target is gone."""
    table = walk.network.route_tables[table_id]
    best = choice.routes(table, to.address, walk.network.prefix_lists)
    name = table.name or table.id
    if not best:
        raise walk.stops("route", name, f"{prefix}no route to {to.address}")
    # EC2 does not say which of equal ones it takes; one that leads on is followed, and what comes of it is not certain.
    found = next((it for it in best if not it.is_blackhole), best[0])
    if found.is_blackhole:
        raise walk.stops("route", name, f"{prefix}{found.to} is a black hole: its target {found.target} is gone")
    if len(best) > 1:
        walk.doubts("route", name, f"{prefix}{' and '.join(str(it.to) for it in best)} are equal, EC2 takes either")
    walk.passes("route", name, f"{prefix}{found.to} leads to {found.target}")
    return found


def nacl(walk: Walk, subnet: Subnet, *, egress: bool, peer: Spot | None = None) -> None:
    """The NACL of a subnet on the packet's way; `peer` is in the source's place where another name is on the packet."""
    nacl = walk.network.nacls[subnet.nacl_id]
    other = peer or (walk.destination if egress else walk.source)
    entry = choice.nacl_entry(nacl, egress=egress, peer=other.address, protocol=walk.rules_protocol, port=walk.port)
    way = "out of" if egress else "into"
    what = f"{walk.what} {way} {called(subnet)}, {'to' if egress else 'from'} {other.address}"
    name = nacl.name or nacl.id
    if entry is None or entry.number == _LAST_ENTRY:
        raise walk.stops("nacl", name, f"no entry allows {what}")
    if not entry.allow:
        raise walk.stops("nacl", name, f"entry {entry.number} denies {what}")
    walk.passes("nacl", name, f"entry {entry.number} allows {what}")


def replies(walk: Walk, gates: Sequence[Gate], ports: tuple[int, int]) -> None:
    """Replies go to the port that the client chose: every NACL on their way must let the same ones pass."""
    has_ports = walk.protocol in {"tcp", "udp"}
    ports = ports if has_ports else (walk.reply_port, walk.reply_port)
    left: tuple[tuple[int, int], ...] = (ports,)
    for subnet, egress, peer in gates:
        nacl = walk.network.nacls[subnet.nacl_id]
        left = tuple(
            part
            for piece in left
            for part in choice.allowed_ports(
                nacl, egress=egress, peer=peer.address, protocol=walk.rules_protocol, ports=piece
            )
        )
        name, way = nacl.name or nacl.id, "out of" if egress else "into"
        what = f"replies {way} {called(subnet)}{f' to ports {ports[0]}-{ports[1]}' if has_ports else ''}"
        if not left:
            raise walk.stops("nacl", name, f"no entry allows {what}")
        if walk.replies is Replies.EVERY and left != (ports,):
            only = ", ".join(f"{first}-{last}" for first, last in left)
            raise walk.stops("nacl", name, f"of {what} only {only} pass")
        walk.passes("nacl", name, f"allows {what}")


def client_ports(walk: Walk) -> tuple[int, int]:
    if walk.replies is Replies.SOME:
        return ALL
    return LINUX if walk.source.interface is not None else ANY_SYSTEM


def group(walk: Walk, *, egress: bool) -> None:
    here, peer = (walk.source, walk.destination) if egress else (walk.destination, walk.source)
    if here.interface is None or not here.interface.groups:
        return
    known = walk.network.groups
    groups = [known[name] for name in here.interface.groups if name in known]
    names = ", ".join(group.name or group.id for group in groups)
    found = choice.group_rule(
        groups,
        egress=egress,
        peer=peer.address,
        peer_groups=peer.interface.groups if peer.interface else (),
        protocol=walk.rules_protocol,
        port=walk.port,
        lists=walk.network.prefix_lists,
    )
    what = f"{walk.what} {'to' if egress else 'from'} {peer.address}"
    if found is not None:
        group, rule = found
        said = f"{'out' if egress else 'in'}: {_named(walk, rule)} allows {what}"
        walk.passes("security group", group.name or group.id, said)
        return
    unread = [name for name in here.interface.groups if name not in known] or _unread(walk, groups, peer, egress=egress)
    if not unread:
        raise walk.stops("security group", names, f"no rule lets {what} {'out' if egress else 'in'}")
    walk.doubts("security group", names or unread[0], f"{', '.join(unread)} is not read and may allow {what}")


def _named(walk: Walk, rule: GroupRule) -> str:
    """Whom a rule is for: a group that was read by its name."""
    group = walk.network.groups.get(rule.peer) if isinstance(rule.peer, str) else None
    return group.name if group is not None and group.name else str(rule.peer)


def _unread(walk: Walk, groups: Sequence[SecurityGroup], peer: Spot, *, egress: bool) -> list[str]:
    """The groups that rules for this packet name and nobody read, where the peer lies in a peered VPC that nobody read."""
    if peer.interface is not None or not is_in_unread_peer(walk.network, peer.address):
        return []
    rules = [rule for group in groups for rule in (group.egress if egress else group.ingress)]
    fitting = [it.peer for it in rules if choice.covers(it.protocol, it.ports, walk.rules_protocol, walk.port)]
    return [it for it in fitting if isinstance(it, str) and it.startswith("sg-") and it not in walk.network.groups]


def called(subnet: Subnet) -> str:
    return subnet.name or subnet.id
