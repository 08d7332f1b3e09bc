"""The hops inside a VPC: the route table, the ACL and the security groups that decide about a packet and its replies."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.network import rule_decisions
from bootstrap.network.model import GroupRule, Route, SecurityGroup, Subnet
from bootstrap.network.packet_walk import Replies, Walk
from bootstrap.network.path_ends import Spot, is_in_unread_peer

LINUX = (32768, 60999)  # net.ipv4.ip_local_port_range, the ports from which our machines start connections
ANY_SYSTEM = (1024, 65535)  # what NAT gateways and other systems use (VPC User Guide, 'Ephemeral ports')
ALL = (1, 65535)
_LAST_ENTRY = 32767  # shown as '*': the last entry of every ACL, which denies every packet that no other entry fits
Gate = tuple[Subnet, bool, Spot]
"""The ACL of a subnet on the way: the subnet, whether the packet leaves it, and the end on the other side of the ACL."""


def find_route(walk: Walk, subnet: Subnet, to: Spot, prefix: str = "") -> Route:
    """The route by which a packet to `to` leaves a subnet."""
    return find_route_in_table(walk, subnet.route_table_id, to, prefix)


def find_route_in_table(walk: Walk, table_id: str, to: Spot, prefix: str = "") -> Route:
    """The route of one table to `to`; Stopped if there is none, or if its target was deleted."""
    table = walk.network.route_tables[table_id]
    best = rule_decisions.find_routes(table, to.address, walk.network.prefix_lists)
    name = table.name or table.id
    if not best:
        raise walk.stops("route", name, f"{prefix}no route to {to.address}")
    # EC2 does not document which of equal routes it takes: one with an existing target is followed, and the path is not sure.
    chosen = next((it for it in best if not it.is_blackhole), best[0])
    if chosen.is_blackhole:
        raise walk.stops("route", name, f"{prefix}{chosen.to} is a black hole: its target {chosen.target} is gone")
    if len(best) > 1:
        walk.doubts("route", name, f"{prefix}{' and '.join(str(it.to) for it in best)} are equal, EC2 takes either")
    walk.passes("route", name, f"{prefix}{chosen.to} leads to {chosen.target}")
    return chosen


def apply_nacl(walk: Walk, subnet: Subnet, *, egress: bool, peer: Spot | None = None) -> None:
    """Apply the ACL of a subnet. `peer` replaces the other end if the packet has another address than that."""
    nacl = walk.network.nacls[subnet.nacl_id]
    other_end = peer or (walk.destination if egress else walk.source)
    entry = rule_decisions.find_nacl_entry(
        nacl, egress=egress, peer=other_end.address, protocol=walk.rules_protocol, port=walk.port
    )
    way = "out of" if egress else "into"
    packet = f"{walk.what} {way} {name_subnet(subnet)}, {'to' if egress else 'from'} {other_end.address}"
    name = nacl.name or nacl.id
    if entry is None or entry.number == _LAST_ENTRY:
        raise walk.stops("ACL", name, f"no entry allows {packet}")
    if not entry.allow:
        raise walk.stops("ACL", name, f"entry {entry.number} denies {packet}")
    walk.passes("ACL", name, f"entry {entry.number} allows {packet}")


def apply_nacls_to_replies(walk: Walk, gates: Sequence[Gate], ports: tuple[int, int]) -> None:
    """Apply the ACLs on the way of the replies: all of them must allow the same ports of the client."""
    has_ports = walk.protocol in {"tcp", "udp"}
    ports = ports if has_ports else (walk.reply_port, walk.reply_port)
    passing: tuple[tuple[int, int], ...] = (ports,)
    for subnet, egress, peer in gates:
        nacl = walk.network.nacls[subnet.nacl_id]
        passing = tuple(
            part
            for piece in passing
            for part in rule_decisions.find_allowed_ports(
                nacl, egress=egress, peer=peer.address, protocol=walk.rules_protocol, ports=piece
            )
        )
        name, way = nacl.name or nacl.id, "out of" if egress else "into"
        described = f"replies {way} {name_subnet(subnet)}{f' to ports {ports[0]}-{ports[1]}' if has_ports else ''}"
        if not passing:
            raise walk.stops("ACL", name, f"no entry allows {described}")
        if walk.replies is Replies.EVERY and passing != (ports,):
            only = ", ".join(f"{first}-{last}" for first, last in passing)
            raise walk.stops("ACL", name, f"of {described} only {only} pass")
        walk.passes("ACL", name, f"allows {described}")


def find_client_ports(walk: Walk) -> tuple[int, int]:
    """Return the first and the last port from which the source may connect, and to which replies are sent."""
    if walk.replies is Replies.SOME:
        return ALL
    return LINUX if walk.source.interface is not None else ANY_SYSTEM


def apply_groups(walk: Walk, *, egress: bool) -> None:
    """Pass the security groups of the source (`egress`) or of the destination; an end without groups is not checked.

    Raises Stopped if no rule allows the packet. If a group that was not read could allow it, the path is unknown from here on.
    """
    own_end, peer = (walk.source, walk.destination) if egress else (walk.destination, walk.source)
    if own_end.interface is None or not own_end.interface.groups:
        return
    known_groups = walk.network.groups
    groups = [known_groups[name] for name in own_end.interface.groups if name in known_groups]
    names = ", ".join(group.name or group.id for group in groups)
    match = rule_decisions.find_group_rule(
        groups,
        egress=egress,
        peer=peer.address,
        peer_groups=peer.interface.groups if peer.interface else (),
        protocol=walk.rules_protocol,
        port=walk.port,
        lists=walk.network.prefix_lists,
    )
    packet = f"{walk.what} {'to' if egress else 'from'} {peer.address}"
    if match is not None:
        group, rule = match
        says = f"{'out' if egress else 'in'}: {_name_peer(walk, rule)} allows {packet}"
        walk.passes("security group", group.name or group.id, says)
        return
    unread = [name for name in own_end.interface.groups if name not in known_groups] or _list_unread_groups(
        walk, groups, peer, egress=egress
    )
    if not unread:
        raise walk.stops("security group", names, f"no rule lets {packet} {'out' if egress else 'in'}")
    walk.doubts("security group", names or unread[0], f"{', '.join(unread)} is not read and may allow {packet}")


def _name_peer(walk: Walk, rule: GroupRule) -> str:
    """Whom a rule is for: a group that was read by its name."""
    group = walk.network.groups.get(rule.peer) if isinstance(rule.peer, str) else None
    return group.name if group is not None and group.name else str(rule.peer)


def _list_unread_groups(walk: Walk, groups: Sequence[SecurityGroup], peer: Spot, *, egress: bool) -> list[str]:
    """The groups, named by rules for this packet, that were not read because they are in a peered VPC that was not read."""
    if peer.interface is not None or not is_in_unread_peer(walk.network, peer.address):
        return []
    rules = [rule for group in groups for rule in (group.egress if egress else group.ingress)]
    fitting = [it.peer for it in rules if rule_decisions.covers(it.protocol, it.ports, walk.rules_protocol, walk.port)]
    return [it for it in fitting if isinstance(it, str) and it.startswith("sg-") and it not in walk.network.groups]


def name_subnet(subnet: Subnet) -> str:
    """Return the subnet's name, or its id if it has none."""
    return subnet.name or subnet.id
