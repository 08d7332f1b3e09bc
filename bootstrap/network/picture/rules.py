"""Who may reach whom, by the security groups' rules, and by which of them somebody gets through as the network is now.

A rule is told as a person says it: from a role, the operators or the Internet to a role, by a port. Whether it lets anybody
through is the analyser's answer, which also looks at the other group, the ACLs and the routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bootstrap.network.model import Block, GroupRule, Network, Protocol, SecurityGroup
from bootstrap.network.places import INTERNET, ROLES, Spot, is_public, spots, whole
from bootstrap.network.reach import Replies, paths

EVERYBODY = "Internet"
_ICMP = frozenset({"icmp", "icmpv6"})


@dataclass(frozen=True)
class Rule:
    """One thing that is open: from whom, to whom, by what ('443', 'udp 123', 'icmp', 'all'); `passes`: somebody gets through.

    `is_from_outside`: the Internet carries the source's packets.
    """

    source: str
    destination: str
    port: str
    passes: bool
    is_from_outside: bool = False


def of(network: Network, name: str) -> tuple[Rule, ...]:
    """Every rule of the VPC's groups that lets somebody in, and those that let somebody out to the Internet, each once.

    `name` is what the groups' names begin with. IPv4 and IPv6 of one rule are one line.
    """
    mine = [it for it in network.groups.values() if it.vpc_id == network.vpc_id and _matters(network, it)]
    found: dict[tuple[str, str, str], bool] = {}
    outside: set[str] = set()
    for group in sorted(mine, key=lambda it: _place(called(network, it, name))):
        title, members = called(network, group, name), _members(network, group)
        for rule in group.ingress:
            key = (_peer(network, rule.peer, name), title, port(rule))
            found[key] = found.get(key, False) or _passes(network, rule, _sources(network, rule.peer), members)
            if not isinstance(rule.peer, str) and is_public(network, rule.peer.network_address):
                outside.add(key[0])
        for rule in group.egress:
            if not isinstance(rule.peer, str) and rule.peer.prefixlen == 0:
                key = (title, EVERYBODY, port(rule))
                there = tuple(it for it in spots(network, INTERNET) if it.address.version == rule.peer.version)
                found[key] = found.get(key, False) or _passes(network, rule, members, there)
    return tuple(Rule(*key, passes, key[0] in {EVERYBODY, *outside}) for key, passes in found.items())


def destinations(network: Network, name: str) -> dict[str, int]:
    """The groups of the VPC that can be reached, in the roles' order, and how many interfaces are in each."""
    mine = [it for it in network.groups.values() if it.vpc_id == network.vpc_id and _matters(network, it)]
    counted = {called(network, it, name): len({spot.interface for spot in _members(network, it)}) for it in mine}
    return dict(sorted(counted.items(), key=lambda it: _place(it[0])))


def called(network: Network, group: SecurityGroup, name: str) -> str:
    """What a person calls a group: its role, with the VPC's name before it where it is another's."""
    vpc = network.vpcs.get(group.vpc_id)
    own = name if group.vpc_id == network.vpc_id else vpc.name if vpc else ""
    short = group.name.removeprefix(f"{own}-")
    return short if group.vpc_id == network.vpc_id else f"{short} of {own or group.vpc_id}"


def port(rule: GroupRule) -> str:
    """The ports of a rule; TCP is understood."""
    if rule.protocol == "all":
        return "all"
    if rule.protocol in _ICMP or rule.protocol.isdigit():
        return "icmp" if rule.protocol in _ICMP else f"protocol {rule.protocol}"
    first, last = rule.ports
    text = "all" if (first, last) == (0, 65535) else str(first) if first == last else f"{first}-{last}"
    return text if rule.protocol == "tcp" and text != "all" else f"{rule.protocol} {text}"


def _matters(network: Network, group: SecurityGroup) -> bool:
    """A VPC's default group is left out while nobody is in it but NAT gateways, which heed no group."""
    return group.name != "default" or bool(_members(network, group))


def _place(title: str) -> tuple[int, str]:
    return (ROLES.index(title) if title in ROLES else len(ROLES), title)


def _members(network: Network, group: SecurityGroup) -> tuple[Spot, ...]:
    those = (it for it in network.interfaces.values() if group.id in it.groups and it.kind != "nat_gateway")
    return tuple(spot for it in those for spot in whole(it, network))


def _peer(network: Network, peer: Block | str, name: str) -> str:
    if isinstance(peer, str):
        group = network.groups.get(peer)
        return called(network, group, name) if group else peer
    if peer.prefixlen == 0:
        return EVERYBODY
    return f"operators {peer}" if peer == network.operators else str(peer)


def _sources(network: Network, peer: Block | str) -> tuple[Spot, ...]:
    if isinstance(peer, str):
        group = network.groups.get(peer)
        if group is None:
            return tuple(spot for it in network.prefix_lists.get(peer, ()) for spot in spots(network, str(it)))
        return _members(network, group)
    if peer.prefixlen == 0:
        return tuple(it for it in spots(network, INTERNET) if it.address.version == peer.version)
    return spots(network, str(peer))


def _passes(network: Network, rule: GroupRule, sources: Sequence[Spot], targets: Sequence[Spot]) -> bool:
    """Whether anybody gets through on any of the rule's ports, of ICMP by any of its types and codes."""
    return any(
        path.verdict != "closed"
        for protocol, number in _questions(network, rule)
        for path in paths(network, sources, targets, number, protocol, Replies.SOME)
    )


def _questions(network: Network, rule: GroupRule) -> Iterator[tuple[Protocol, int]]:
    """A port of each stretch of the rule's ports that other groups' rules tell apart."""
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
