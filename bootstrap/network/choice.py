"""The three decisions that everything else is made of: which route, what a NACL says, what security groups say.

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


def routes(table: RouteTable, to: Address, lists: Mapping[str, tuple[Block, ...]]) -> tuple[Route, ...]:
    """The route that a packet to `to` takes: the longest prefix; of equal ones local, written, list, propagated.

    Where a local route fits, no propagated one is taken, however long its prefix. More than one is returned where EC2 does
    not tell which it takes: prefix lists that have the same block and lead to different targets.
    """
    fitting = [
        (-block.prefixlen, _rank(it), it) for it in table.routes for block in _blocks(it.to, lists) if to in block
    ]
    if any(rank == _LOCAL for _, rank, _ in fitting):
        fitting = [found for found in fitting if found[1] != _PROPAGATED]
    best = min((found[:2] for found in fitting), default=None)
    return tuple({it.target: it for prefix, rank, it in reversed(fitting) if (prefix, rank) == best}.values())[::-1]


def _blocks(to: Block | str, lists: Mapping[str, tuple[Block, ...]]) -> tuple[Block, ...]:
    return lists.get(to, ()) if isinstance(to, str) else (to,)


def _rank(it: Route) -> int:
    if it.target == "local":
        return _LOCAL
    if it.is_propagated:
        return _PROPAGATED
    return _LIST if isinstance(it.to, str) else _STATIC


def nacl_entry(nacl: Nacl, *, egress: bool, peer: Address, protocol: str, port: int) -> NaclEntry | None:
    """The entry of the lowest number that fits a packet, whichever way it decides; None is the final deny."""
    fitting = [
        entry
        for entry in nacl.entries
        if entry.egress == egress and peer in entry.block and covers(entry.protocol, entry.ports, protocol, port)
    ]
    return min(fitting, key=lambda entry: entry.number, default=None)


def allowed_ports(
    nacl: Nacl, *, egress: bool, peer: Address, protocol: str, ports: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    """The parts of a range of ports that a NACL lets pass; ports between two boundaries of its entries are decided alike."""
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
        entry = nacl_entry(nacl, egress=egress, peer=peer, protocol=protocol, port=start)
        if entry is not None and entry.allow:
            joined = parts and parts[-1][1] == start - 1
            parts[-1:] = [(parts[-1][0], end)] if joined else [*parts[-1:], (start, end)]
    return tuple(parts)


def group_rule(
    groups: Iterable[SecurityGroup],
    *,
    egress: bool,
    peer: Address,
    peer_groups: Iterable[str],
    protocol: str,
    port: int,
    lists: Mapping[str, tuple[Block, ...]],
) -> tuple[SecurityGroup, GroupRule] | None:
    """A rule of any of the groups that lets a packet from or to `peer` pass; None where no rule does.

    `peer_groups` are the groups of the interface at the other end, where the packet still has that interface's own address.
    """
    known = frozenset(peer_groups)
    for group in groups:
        for rule in group.egress if egress else group.ingress:
            if covers(rule.protocol, rule.ports, protocol, port) and _is_peer(rule.peer, peer, known, lists):
                return group, rule
    return None


def _is_peer(
    wanted: Block | str, peer: Address, groups: frozenset[str], lists: Mapping[str, tuple[Block, ...]]
) -> bool:
    if isinstance(wanted, str):
        return wanted in groups or any(peer in block for block in lists.get(wanted, ()))
    return peer in wanted


def covers(rule_protocol: str, ports: tuple[int, int], protocol: str, port: int) -> bool:
    """Whether a rule for `rule_protocol` and `ports` fits; ports mean nothing to 'all', and are types and codes to ICMP."""
    if rule_protocol == "all":
        return True
    return rule_protocol == protocol and ports[0] <= port <= ports[1]
