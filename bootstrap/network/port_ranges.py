"""The questions to ask where every port and protocol is meant: one for each stretch of ports.

Nothing is sampled. Rules and intentions cut the ports (and the types and codes of ICMP) into stretches; all ports of one
stretch have the same answer. All protocols that no rule names have the same answer too, so one of them represents them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bootstrap.network.intentions import Intention
from bootstrap.network.model import ALL_PORTS, CODES, Network, Protocol

Stretch = tuple[Protocol, int, int]
_PORTED: tuple[Protocol, ...] = ("tcp", "udp")
_ICMP = frozenset({"icmp", "icmpv6"})
# IANA's numbers for experiments (RFC 3692), then all others: the first one that no rule names represents all of them.
_NUMBERS = tuple(str(it) for it in (253, 254, *range(2, 253)) if it not in {6, 17, 58})
EVERYTHING = Intention("", "", ALL_PORTS, None)


def list_stretches(network: Network, intention: Intention, others: Iterable[Intention] = ()) -> Iterator[Stretch]:
    """Protocol, first and last port of each stretch of an intention; the rules and `others` cut its ports into stretches."""
    others = tuple(others)
    for protocol in _PORTED if intention.protocol is None else (intention.protocol,):
        edges = _find_edges(network, {protocol}, others)
        yield from ((protocol, *part) for part in _cut(max(intention.ports[0], 1), intention.ports[1], edges))
    if intention.protocol is not None:
        return
    yield from (("icmp", *part) for part in _cut(*ALL_PORTS, _find_edges(network, _ICMP, ())))
    yield from ((number, 0, 0) for number in (*_list_named_protocols(network), find_unnamed_protocol(network)))


def format_stretches(network: Network, parts: Iterable[Stretch]) -> Iterator[str]:
    """Stretches as text, adjacent ones joined: 'tcp 22', 'udp 1-65535', 'icmp', 'protocol 47'."""
    merged: list[Stretch] = []
    for protocol, first, last in parts:
        if merged and merged[-1][0] == protocol and merged[-1][2] == first - 1:
            merged[-1] = (protocol, merged[-1][1], last)
        else:
            merged.append((protocol, first, last))
    for protocol, first, last in merged:
        if protocol in _PORTED:
            yield f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"
        elif protocol == "icmp":
            yield f"icmp{'' if (first, last) == ALL_PORTS else f' type {_format_icmp_types(first, last)}'}"
        else:
            yield "other protocols" if protocol == find_unnamed_protocol(network) else f"protocol {protocol}"


def find_unnamed_protocol(network: Network) -> Protocol:
    """A protocol that no rule names; it represents all of them."""
    named = set(_list_named_protocols(network))
    return next(it for it in _NUMBERS if it not in named)


def _format_icmp_types(first: int, last: int) -> str:
    """Types of ICMP as text, with the code if it is only one: '8', '0-8', '3 code 4'."""
    (low, code), (high, _) = divmod(first, CODES), divmod(last, CODES)
    if first == last:
        return f"{low} code {code}"
    return str(low) if low == high else f"{low}-{high}"


def _list_named_protocols(network: Network) -> list[Protocol]:
    """The numbers of protocols that some rule names."""
    return sorted({protocol for protocol, _ in _list_rules(network) if protocol.isdigit()}, key=int)


def _list_rules(network: Network) -> set[tuple[Protocol, tuple[int, int]]]:
    nacl_rules = {(entry.protocol, entry.ports) for nacl in network.nacls.values() for entry in nacl.entries}
    groups = network.groups.values()
    return nacl_rules | {(rule.protocol, rule.ports) for group in groups for rule in (*group.ingress, *group.egress)}


def _find_edges(network: Network, protocols: Iterable[Protocol], others: Iterable[Intention]) -> frozenset[int]:
    """The ports at which a stretch begins: the first port of each rule and intention, and the port after its last one."""
    ranges = {ports for protocol, ports in _list_rules(network) if protocol in protocols}
    ranges |= {other.ports for other in others}
    return frozenset(edge for first, last in ranges for edge in (first, last + 1))


def _cut(low: int, high: int, edges: Iterable[int]) -> Iterator[tuple[int, int]]:
    starts = sorted({low} | {edge for edge in edges if low < edge <= high})
    yield from zip(starts, [*(it - 1 for it in starts[1:]), high], strict=True)
