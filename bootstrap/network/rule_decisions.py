"""The three basic decisions: which route is taken, what an ACL decides, and what security groups decide.

Sources: the Amazon VPC User Guide, 'Route priority', 'Network ACL rules' and 'Security group rules'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bootstrap.network.model import (
    Address,
    Block,
    GroupRule,
    Nacl,
    NaclEntry,
    Route,
    RouteTable,
    SecurityGroup,
)

_LOCAL, _STATIC, _LIST, _PROPAGATED = range(4)


def find_routes(table: RouteTable, to: Address, lists: Mapping[str, tuple[Block, ...]]) -> tuple[Route, ...]:
    """The route that a packet to `to` takes: the one with the longest prefix.

    Of routes with equal prefixes the order is: local, static, prefix list, propagated. If a local route fits, no propagated
    route is taken, even with a longer prefix. Several routes are returned where EC2 does not document which one it takes:
    prefix lists that have the same block and different targets. None are returned if no route fits.
    """
    fitting = [
        (-block.prefixlen, _rank(route), route)
        for route in table.routes
        for block in _list_blocks(route.to, lists)
        if to in block
    ]
    if any(rank == _LOCAL for _, rank, _ in fitting):
        fitting = [candidate for candidate in fitting if candidate[1] != _PROPAGATED]
    best = min((candidate[:2] for candidate in fitting), default=None)
    by_target = {route.target: route for prefix, rank, route in reversed(fitting) if (prefix, rank) == best}
    return tuple(by_target.values())[::-1]


def _list_blocks(to: Block | str, lists: Mapping[str, tuple[Block, ...]]) -> tuple[Block, ...]:
    return lists.get(to, ()) if isinstance(to, str) else (to,)


def _rank(route: Route) -> int:
    if route.target == "local":
        return _LOCAL
    if route.is_propagated:
        return _PROPAGATED
    return _LIST if isinstance(route.to, str) else _STATIC


def find_nacl_entry(nacl: Nacl, *, egress: bool, peer: Address, protocol: str, port: int) -> NaclEntry | None:
    """The entry with the lowest number that fits a packet, whether it allows or denies; None means the final deny."""
    fitting = [
        entry
        for entry in nacl.entries
        if entry.egress == egress and peer in entry.block and covers(entry.protocol, entry.ports, protocol, port)
    ]
    return min(fitting, key=lambda entry: entry.number, default=None)


def find_allowed_ports(
    nacl: Nacl, *, egress: bool, peer: Address, protocol: str, ports: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    """The parts of a range of ports that an ACL allows. The entries cut the range; all ports of one part have one answer."""
    first, last = ports
    starts = {first} | {
        edge
        for entry in nacl.entries
        if entry.egress == egress
        for edge in (entry.ports[0], entry.ports[1] + 1)
        if first < edge <= last
    }
    ordered = sorted(starts)
    parts: list[tuple[int, int]] = []
    for start, end in zip(ordered, [*(it - 1 for it in ordered[1:]), last], strict=True):
        entry = find_nacl_entry(nacl, egress=egress, peer=peer, protocol=protocol, port=start)
        if entry is not None and entry.allow:
            joined = parts and parts[-1][1] == start - 1
            parts[-1:] = [(parts[-1][0], end)] if joined else [*parts[-1:], (start, end)]
    return tuple(parts)


def find_group_rule(
    groups: Iterable[SecurityGroup],
    *,
    egress: bool,
    peer: Address,
    peer_groups: Iterable[str],
    protocol: str,
    port: int,
    lists: Mapping[str, tuple[Block, ...]],
) -> tuple[SecurityGroup, GroupRule] | None:
    """A rule of any of the groups that allows a packet from or to `peer`, with its group; None if no rule allows it.

    `peer_groups` are the groups of the interface at the other end. They count only while the packet has that interface's own
    address.
    """
    peer_group_ids = frozenset(peer_groups)
    for group in groups:
        for rule in group.egress if egress else group.ingress:
            if covers(rule.protocol, rule.ports, protocol, port) and _is_peer(rule.peer, peer, peer_group_ids, lists):
                return group, rule
    return None


def _is_peer(
    rule_peer: Block | str, peer: Address, groups: frozenset[str], lists: Mapping[str, tuple[Block, ...]]
) -> bool:
    if isinstance(rule_peer, str):
        return rule_peer in groups or any(peer in block for block in lists.get(rule_peer, ()))
    return peer in rule_peer


def covers(rule_protocol: str, ports: tuple[int, int], protocol: str, port: int) -> bool:
    """Whether a rule for `rule_protocol` and `ports` fits. With 'all', ports do not count; of ICMP they are types and codes."""
    if rule_protocol == "all":
        return True
    return rule_protocol == protocol and ports[0] <= port <= ports[1]
