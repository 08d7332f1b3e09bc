"""Who may reach whom by the rules of security groups, and through which of these rules packets arrive at present.

A rule is shown with names: from a role, the operators or the Internet, to a role, by a port. Whether packets arrive is the
verdict of the analyser, which also judges the other group, the ACLs and the routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bootstrap.network.model import Block, GroupRule, Network, Protocol, SecurityGroup
from bootstrap.network.path_ends import INTERNET, ROLES, Spot, is_public, list_ends, resolve_ends
from bootstrap.network.path_explanation import Replies, Traffic, follow_all

EVERYBODY = "Internet"
_ICMP = frozenset({"icmp", "icmpv6"})


@dataclass(frozen=True)
class Rule:
    """One rule: from whom, to whom, by which port ('443', 'udp 123', 'icmp', 'all').

    `passes`: packets of at least one source arrive at present. `is_from_outside`: the source is a public address.
    """

    source: str
    destination: str
    port: str
    passes: bool
    is_from_outside: bool = False


def list_rules(network: Network, name: str) -> tuple[Rule, ...]:
    """The inbound rules of the VPC's groups, and the outbound rules to the Internet, each once.

    `name` is the prefix of the groups' names. IPv4 and IPv6 of one rule are one line.
    """
    groups = [it for it in network.groups.values() if it.vpc_id == network.vpc_id and _is_shown(network, it)]
    passes_by_key: dict[tuple[str, str, str], bool] = {}
    outside: set[str] = set()
    for group in sorted(groups, key=lambda it: _rank_title(name_group(network, it, name))):
        title, members = name_group(network, group, name), _list_members(network, group)
        for rule in group.ingress:
            key = (_name_peer(network, rule.peer, name), title, format_ports(rule))
            passes_by_key[key] = passes_by_key.get(key, False) or _can_pass(
                network, rule, _list_sources(network, rule.peer), members
            )
            if not isinstance(rule.peer, str) and is_public(network, rule.peer.network_address):
                outside.add(key[0])
        for rule in group.egress:
            if not isinstance(rule.peer, str) and rule.peer.prefixlen == 0:
                key = (title, EVERYBODY, format_ports(rule))
                internet = tuple(
                    it for it in resolve_ends(network, INTERNET) if it.address.version == rule.peer.version
                )
                passes_by_key[key] = passes_by_key.get(key, False) or _can_pass(network, rule, members, internet)
    return tuple(Rule(*key, passes, key[0] in {EVERYBODY, *outside}) for key, passes in passes_by_key.items())


def count_members(network: Network, name: str) -> dict[str, int]:
    """The groups of the VPC in the order of the roles, each with the number of its interfaces."""
    groups = [it for it in network.groups.values() if it.vpc_id == network.vpc_id and _is_shown(network, it)]
    counted = {
        name_group(network, it, name): len({spot.interface for spot in _list_members(network, it)}) for it in groups
    }
    return dict(sorted(counted.items(), key=lambda it: _rank_title(it[0])))


def name_group(network: Network, group: SecurityGroup, name: str) -> str:
    """The short name of a group: its role; for a group of another VPC with the name of that VPC."""
    vpc = network.vpcs.get(group.vpc_id)
    own = name if group.vpc_id == network.vpc_id else vpc.name if vpc else ""
    short = group.name.removeprefix(f"{own}-")
    return short if group.vpc_id == network.vpc_id else f"{short} of {own or group.vpc_id}"


def format_ports(rule: GroupRule) -> str:
    """The ports of a rule as text; without a protocol it is TCP."""
    if rule.protocol == "all":
        return "all"
    if rule.protocol in _ICMP or rule.protocol.isdigit():
        return "icmp" if rule.protocol in _ICMP else f"protocol {rule.protocol}"
    first, last = rule.ports
    text = "all" if (first, last) == (0, 65535) else str(first) if first == last else f"{first}-{last}"
    return text if rule.protocol == "tcp" and text != "all" else f"{rule.protocol} {text}"


def _is_shown(network: Network, group: SecurityGroup) -> bool:
    """Whether a group is shown: not the default group while only NAT gateways are in it, because no group applies to them."""
    return group.name != "default" or bool(_list_members(network, group))


def _rank_title(title: str) -> tuple[int, str]:
    return (ROLES.index(title) if title in ROLES else len(ROLES), title)


def _list_members(network: Network, group: SecurityGroup) -> tuple[Spot, ...]:
    interfaces = (it for it in network.interfaces.values() if group.id in it.groups and it.kind != "nat_gateway")
    return tuple(spot for it in interfaces for spot in list_ends(it, network))


def _name_peer(network: Network, peer: Block | str, name: str) -> str:
    if isinstance(peer, str):
        group = network.groups.get(peer)
        return name_group(network, group, name) if group else peer
    if peer.prefixlen == 0:
        return EVERYBODY
    return f"operators {peer}" if peer in network.operators else str(peer)


def _list_sources(network: Network, peer: Block | str) -> tuple[Spot, ...]:
    if isinstance(peer, str):
        group = network.groups.get(peer)
        if group is None:
            return tuple(spot for it in network.prefix_lists.get(peer, ()) for spot in resolve_ends(network, str(it)))
        return _list_members(network, group)
    if peer.prefixlen == 0:
        return tuple(it for it in resolve_ends(network, INTERNET) if it.address.version == peer.version)
    return resolve_ends(network, str(peer))


def _can_pass(network: Network, rule: GroupRule, sources: Sequence[Spot], targets: Sequence[Spot]) -> bool:
    """Whether packets of any source arrive at any target on any port of the rule (for ICMP: any type and code)."""
    return any(
        path.verdict != "closed"
        for protocol, number in _list_questions(network, rule)
        for path in follow_all(network, sources, targets, Traffic(number, protocol, Replies.SOME))
    )


def _list_questions(network: Network, rule: GroupRule) -> Iterator[tuple[Protocol, int]]:
    """One port for each part of the rule's ports: the rules of all groups cut the ports into parts with one answer each."""
    low, high = max(rule.ports[0], 1), rule.ports[1]
    rules = (it for group in network.groups.values() for it in (*group.ingress, *group.egress))
    starts = sorted({low} | {it.ports[0] for it in rules if low < it.ports[0] <= high})
    both: tuple[Protocol, ...] = ("tcp", "udp")
    for protocol in both:
        if rule.protocol in {protocol, "all"}:
            yield from ((protocol, start) for start in starts)
    if rule.protocol in {*_ICMP, "all"}:
        yield from (("icmp", first) for first in sorted({*starts, rule.ports[0]}))
    if rule.protocol.isdigit():
        yield rule.protocol, 0
