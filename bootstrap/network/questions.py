"""What is asked of a network where every port and protocol is meant: one question for each stretch that no rule tells apart.

Nothing is sampled: rules and intentions cut the ports (and the types and codes of ICMP) into stretches, and within a stretch
every port is decided alike. Protocols that no rule names are decided alike, too, so one of them speaks for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bootstrap.network.intentions import Intention
from bootstrap.network.model import ALL_PORTS, CODES, Network, Protocol

Stretch = tuple[Protocol, int, int]
_PORTED: tuple[Protocol, ...] = ("tcp", "udp")
_ICMP = frozenset({"icmp", "icmpv6"})
# IANA's numbers for experiments (RFC 3692), then any: the first that no rule names stands for all that none names.
_NUMBERS = tuple(str(it) for it in (253, 254, *range(2, 253)) if it not in {6, 17, 58})
EVERYTHING = Intention("", "", ALL_PORTS, None)


def stretches(network: Network, it: Intention, others: Iterable[Intention] = ()) -> Iterator[Stretch]:
    """Protocol, first and last port of each stretch that no rule, and none of the other intentions, tells apart."""
    others = tuple(others)
    for protocol in _PORTED if it.protocol is None else (it.protocol,):
        edges = _edges(network, {protocol}, others)
        yield from ((protocol, *part) for part in _cut(max(it.ports[0], 1), it.ports[1], edges))
    if it.protocol is not None:
        return
    yield from (("icmp", *part) for part in _cut(*ALL_PORTS, _edges(network, _ICMP, ())))
    yield from ((number, 0, 0) for number in (*_named(network), unnamed(network)))


def joined(network: Network, found: Iterable[Stretch]) -> Iterator[str]:
    """Stretches in words, neighbours as one: 'tcp 22', 'udp 1-65535', 'icmp', 'protocol 47'."""
    known: list[Stretch] = []
    for protocol, first, last in found:
        if known and known[-1][0] == protocol and known[-1][2] == first - 1:
            known[-1] = (protocol, known[-1][1], last)
        else:
            known.append((protocol, first, last))
    for protocol, first, last in known:
        if protocol in _PORTED:
            yield f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"
        elif protocol == "icmp":
            yield f"icmp{'' if (first, last) == ALL_PORTS else f' type {_types(first, last)}'}"
        else:
            yield "other protocols" if protocol == unnamed(network) else f"protocol {protocol}"


def unnamed(network: Network) -> Protocol:
    """A protocol that no rule names, which is decided as all of those are."""
    named = set(_named(network))
    return next(it for it in _NUMBERS if it not in named)


def _types(first: int, last: int) -> str:
    """Types of ICMP, with the code where it is one alone: '8', '0-8', '3 code 4'."""
    (low, code), (high, _) = divmod(first, CODES), divmod(last, CODES)
    if first == last:
        return f"{low} code {code}"
    return str(low) if low == high else f"{low}-{high}"


def _named(network: Network) -> list[Protocol]:
    """The numbers of protocols that some rule names."""
    return sorted({protocol for protocol, _ in _rules(network) if protocol.isdigit()}, key=int)


def _rules(network: Network) -> set[tuple[Protocol, tuple[int, int]]]:
    found = {(entry.protocol, entry.ports) for nacl in network.nacls.values() for entry in nacl.entries}
    groups = network.groups.values()
    return found | {(rule.protocol, rule.ports) for group in groups for rule in (*group.ingress, *group.egress)}


def _edges(network: Network, protocols: Iterable[Protocol], others: Iterable[Intention]) -> frozenset[int]:
    """Ports at which some rule of these protocols, or some intention, begins or has just ended."""
    ranges = {ports for protocol, ports in _rules(network) if protocol in protocols}
    ranges |= {other.ports for other in others}
    return frozenset(edge for first, last in ranges for edge in (first, last + 1))


def _cut(low: int, high: int, edges: Iterable[int]) -> Iterator[tuple[int, int]]:
    starts = sorted({low} | {edge for edge in edges if low < edge <= high})
    yield from zip(starts, [*(it - 1 for it in starts[1:]), high], strict=True)
