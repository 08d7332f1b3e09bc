"""Whether a network does what its intentions say, and what the Internet reaches that no intention allows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bootstrap.network.intentions import Intention
from bootstrap.network.model import Block, Interface, Network, Protocol
from bootstrap.network.places import INTERNET, OPERATORS, Spot, spots, whole
from bootstrap.network.reach import Path, Replies, paths

_ECHO = {4: 8, 6: 128}  # the ICMP types of an echo request (RFC 792, RFC 4443)
_FILTERS = {"nacl", "security group"}


@dataclass(frozen=True)
class Finding:
    """An intention that does not hold, or something open that none allows; `path` is one that shows it, where there is."""

    about: str
    says: str
    path: Path | None = None

    def __str__(self) -> str:
        return f"{self.about}: {self.says}"


def prove(network: Network, allow: Sequence[Intention], deny: Sequence[Intention]) -> tuple[Finding, ...]:
    """Everything that is not as intended; nothing where all of it is."""
    broken = (*(promised(network, it) for it in allow), *(banned(network, it) for it in deny))
    return (*(it for it in broken if it is not None), *exposed(network, allow))


def promised(network: Network, wish: Intention) -> Finding | None:
    """What keeps an `allow` from holding.

    Between roles, every interface of the one must reach every one of the other. A block is a range in which hardly any address
    is somebody's: of it somebody must get through, and no NACL or security group may stop anybody who comes from outside.
    Where the source is nobody (no operators are named, no agent runs), there is nothing to hold.
    """
    sources, destinations = spots(network, wish.source), spots(network, wish.destination)
    if not sources:
        return None
    if not destinations:
        return Finding(f"allow {wish}", f"no interface has the role {wish.destination}")
    for protocol, port in _questions(network, wish, families(sources, destinations)):
        found = list(paths(network, sources, destinations, port, protocol))
        bad = _missing(wish, found, {str(spot) for spot in (*sources, *destinations) if spot.subnet is None})
        if bad is not None:
            return Finding(f"allow {wish}", f"{protocol} {port} is {bad.verdict} {_why(bad)}", bad)
    return None


def _missing(wish: Intention, found: Sequence[Path], outside: set[str]) -> Path | None:
    """The path that breaks a promise."""
    closed = [path for path in found if path.verdict != "open"]
    if not _is_range(wish.source) and not _is_range(wish.destination):
        return next(iter(closed), None)
    if len(closed) == len(found):
        return max(closed, key=lambda path: len(path.hops), default=None)
    return next((path for path in closed if {path.source, path.destination} & outside and _is_filtered(path)), None)


def _is_range(end: str) -> bool:
    return end in {OPERATORS, INTERNET} or "/" in end


def _is_filtered(path: Path) -> bool:
    return path.stopped_by is not None and path.stopped_by.kind in _FILTERS


def banned(network: Network, ban: Intention) -> Finding | None:
    """What breaks a `deny`: one pair of ends that is not certainly closed, on one port, is enough."""
    sources, destinations = spots(network, ban.source), spots(network, ban.destination)
    for protocol, port in _questions(network, ban, families(sources, destinations)):
        for path in paths(network, sources, destinations, port, protocol, Replies.SOME):
            if path.verdict != "closed":
                says = f"{path.source} reaches {path.destination} by {protocol} {port}"
                return Finding(f"deny {ban}", says if path.verdict == "open" else f"perhaps {says}", path)
    return None


def exposed(network: Network, allow: Sequence[Intention]) -> Iterator[Finding]:
    """What the Internet reaches in the environment's own VPC that no intention allows; one finding for each interface."""
    everybody = Intention(INTERNET, "", (0, 65535), None)
    outside = spots(network, INTERNET)
    for interface in network.interfaces.values():
        ends = whole(interface, network) if network.vpc_of(interface.subnet_id) == network.vpc_id else ()
        seen: dict[tuple[Protocol, int, int], Path] = {}
        for protocol, first, last in _stretches(network, everybody, families(outside, ends), allow):
            for path, spot in _open_from(network, outside, ends, protocol, first):
                if not any(_allows(it, spot, interface, protocol, first) for it in allow):
                    seen.setdefault((protocol, first, last), path)
        if seen:
            says = f"the Internet reaches it, which no intention allows: {', '.join(_joined(seen))}"
            yield Finding(interface.name or interface.id, says, next(iter(seen.values())))


def openings(network: Network, source: str, destination: str) -> tuple[str, ...]:
    """The protocols and ports by which anybody of one name reaches anybody of another, in words: 'tcp 22', 'udp 1-65535'."""
    sources, destinations = spots(network, source), spots(network, destination)
    everything = Intention(source, destination, (0, 65535), None)
    return tuple(
        _joined(
            (protocol, first, last)
            for protocol, first, last in _stretches(network, everything, families(sources, destinations))
            if any(
                path.verdict != "closed"
                for path in paths(network, sources, destinations, first, protocol, Replies.SOME)
            )
        )
    )


def _joined(stretches: Iterable[tuple[Protocol, int, int]]) -> Iterator[str]:
    """Stretches of ports in words, neighbours as one."""
    known: list[tuple[Protocol, int, int]] = []
    for protocol, first, last in stretches:
        if known and known[-1][0] == protocol and known[-1][2] == first - 1:
            known[-1] = (protocol, known[-1][1], last)
        else:
            known.append((protocol, first, last))
    for protocol, first, last in known:
        ports = "" if protocol == "icmp" else f" {first}" if first == last else f" {first}-{last}"
        yield f"{protocol}{ports}"


def _open_from(
    network: Network, outside: Sequence[Spot], ends: Sequence[Spot], protocol: Protocol, port: int
) -> Iterator[tuple[Path, Spot]]:
    for spot in outside:
        for path in paths(network, (spot,), ends, port, protocol, Replies.SOME):
            if path.verdict != "closed":
                yield path, spot


def _allows(wish: Intention, source: Spot, interface: Interface, protocol: Protocol, port: int) -> bool:
    is_source = wish.source == INTERNET or _in(wish.source, (source.address,))
    is_destination = wish.destination in interface.roles or _in(wish.destination, interface.addresses)
    is_port = wish.protocol is None or (wish.protocol == protocol and wish.ports[0] <= port <= wish.ports[1])
    return is_source and is_destination and is_port


def _in(end: str, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    if "/" not in end:
        return False
    block: Block = ipaddress.ip_network(end)
    return any(address in block for address in addresses)


def families(sources: Iterable[Spot], destinations: Iterable[Spot]) -> frozenset[int]:
    """The families that both sides have addresses of."""
    return frozenset(it.address.version for it in sources) & frozenset(it.address.version for it in destinations)


def _questions(network: Network, it: Intention, versions: Iterable[int]) -> Iterator[tuple[Protocol, int]]:
    """One port for each stretch of ports that no rule tells apart, of each protocol that is meant."""
    yield from ((protocol, first) for protocol, first, _ in _stretches(network, it, versions))


def _stretches(
    network: Network, it: Intention, versions: Iterable[int], others: Iterable[Intention] = ()
) -> Iterator[tuple[Protocol, int, int]]:
    """The stretches of ports that no rule, and none of the other intentions, tells apart."""
    low, high = max(it.ports[0], 1), it.ports[1]
    starts = sorted({low} | {edge for edge in _edges(network, others) if low < edge <= high})
    both: tuple[Protocol, ...] = ("tcp", "udp")
    for protocol in both if it.protocol is None else (it.protocol,):
        for first, following in zip(starts, [*starts[1:], high + 1], strict=True):
            yield protocol, first, following - 1
    if it.protocol is None:
        yield from (("icmp", _ECHO[version], _ECHO[version]) for version in sorted(versions))


def _edges(network: Network, others: Iterable[Intention]) -> frozenset[int]:
    """Ports at which some rule, or some intention, begins or has just ended."""
    ranges = {entry.ports for nacl in network.nacls.values() for entry in nacl.entries}
    ranges |= {rule.ports for group in network.groups.values() for rule in (*group.ingress, *group.egress)}
    ranges |= {other.ports for other in others}
    return frozenset(edge for first, last in ranges for edge in (first, last + 1) if 1 <= edge <= 65535)


def _why(path: Path) -> str:
    hop = path.stopped_by
    return f"from {path.source} to {path.destination}" + (f": {hop.kind} {hop.name}: {hop.says}" if hop else "")
