"""The stations inside a VPC: the route table, the NACL and the security groups that a packet and its replies are judged by."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.network import choice
from bootstrap.network.model import Route, Subnet
from bootstrap.network.places import Spot
from bootstrap.network.walk import Replies, Walk

LINUX = (32768, 60999)  # net.ipv4.ip_local_port_range, the ports from which our machines start connections
ANY_SYSTEM = (1024, 65535)  # what NAT gateways and other systems use (VPC User Guide, 'Ephemeral ports')
ALL = (1, 65535)


def route(walk: Walk, here: Subnet, to: Spot, prefix: str = "") -> Route:
    table = walk.network.route_tables[here.route_table_id]
    found = choice.route(table, to.address, walk.network.prefix_lists)
    name = table.name or table.id
    if found is None:
        raise walk.stops("route", name, f"{prefix}no route to {to.address}")
    if found.is_blackhole:
        raise walk.stops("route", name, f"{prefix}{found.to} is a black hole: its target {found.target} is gone")
    walk.passes("route", name, f"{prefix}{found.to} leads to {found.target}")
    return found


def nacl(walk: Walk, subnet: Subnet, *, egress: bool, peer: Spot | None = None) -> None:
    nacl = walk.network.nacls[subnet.nacl_id]
    other = peer or (walk.destination if egress else walk.source)
    entry = choice.nacl_entry(nacl, egress=egress, peer=other.address, protocol=walk.protocol, port=walk.port)
    way = "out of" if egress else "into"
    what = f"{walk.protocol} {walk.port} {way} {called(subnet)}, {'to' if egress else 'from'} {other.address}"
    name = nacl.name or nacl.id
    if entry is None:
        raise walk.stops("nacl", name, f"no entry allows {what}")
    if not entry.allow:
        raise walk.stops("nacl", name, f"entry {entry.number} denies {what}")
    walk.passes("nacl", name, f"entry {entry.number} allows {what}")


def replies(walk: Walk, gates: Sequence[tuple[Subnet, bool, Spot]], ports: tuple[int, int]) -> None:
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
        what = f"replies {way} {called(subnet)} to ports {ports[0]}-{ports[1]}"
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


def called(subnet: Subnet) -> str:
    return subnet.name or subnet.id
