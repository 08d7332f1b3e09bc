"""Whether a network does what its intentions say, and what the Internet reaches that no intention allows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bootstrap.network.intentions import Intention
from bootstrap.network.model import Block, Interface, Network, Protocol
from bootstrap.network.places import INTERNET, OPERATORS, ROLES, Spot, is_silent, spots, whole
from bootstrap.network.questions import EVERYTHING, Stretch, joined, stretches
from bootstrap.network.reach import Path, Replies, follow, pairs, paths

Outcome = Literal["holds", "broken", "unproven"]
_Followed = tuple[tuple[Spot, Spot], Path]
_FILTERS = {"nacl", "security group"}
_NOTHING_ELSE = "nothing else is reachable from the Internet"


@dataclass(frozen=True)
class Finding:
    """An intention that does not hold, or something open that none allows; `path` is one that shows it, where there is.

    'unproven' is an intention of which nothing can be said, because nobody is there who could keep or break it.
    """

    about: str
    says: str
    path: Path | None = None
    outcome: Outcome = "broken"

    def __str__(self) -> str:
        return f"{self.about}: {'not proven: ' if self.outcome == 'unproven' else ''}{self.says}"


@dataclass(frozen=True)
class Judgement:
    """What became of one intention, or of one interface that the Internet reaches."""

    about: str
    outcome: Outcome
    says: str = ""

    def __str__(self) -> str:
        words = "not proven: " if self.outcome == "unproven" else ""
        return f"{self.about}{f': {words}{self.says}' if self.says else ''}"


def judge(network: Network, allow: Sequence[Intention], deny: Sequence[Intention]) -> tuple[Judgement, ...]:
    """Every intention in turn, then each thing that the Internet reaches unasked, or that there is none."""
    found = [(f"allow {wish}", promised(network, wish), "") for wish in allow]
    found += [(f"deny {ban}", banned(network, ban), _empty(network, ban)) for ban in deny]
    open_ones = list(exposed(network, allow))
    found += [(it.about, it, "") for it in open_ones] or [(_NOTHING_ELSE, None, "")]
    return tuple(
        Judgement(about, broken.outcome, broken.says) if broken else Judgement(about, "holds", note)
        for about, broken, note in found
    )


def prove(network: Network, allow: Sequence[Intention], deny: Sequence[Intention]) -> tuple[Judgement, ...]:
    """Everything that is not as intended, and what could not be proven; nothing where all of it holds."""
    return tuple(it for it in judge(network, allow, deny) if it.outcome != "holds")


def promised(network: Network, wish: Intention) -> Finding | None:
    """What keeps an `allow` from holding, or from being proven.

    Between roles, every interface of the one must reach every one of the other, by IPv4 or by IPv6. A block, or an environment,
    is a range in which hardly any address is somebody's: of it somebody must get through, and no NACL or security group may
    stop anybody who comes from outside. Where nobody stands at an end, nothing is proven.
    """
    sources, destinations = (_somebody(network, end) for end in (wish.source, wish.destination))
    about = f"allow {wish}"
    for end, there in ((wish.source, sources), (wish.destination, destinations)):
        if not there:
            return Finding(about, nobody(network, end), outcome="unproven")
    asked = tuple(pairs(sources, destinations))
    if not asked:
        says = "no other interface is there, or the two have no addresses of one family"
        return Finding(about, says, outcome="unproven")
    is_range = any(_is_range(network, end) for end in (wish.source, wish.destination))
    for protocol, port, _ in stretches(network, wish):
        found = [(pair, follow(network, *pair, port, protocol)) for pair in asked]
        bad = _lost_of_range(found) if is_range else _lost_between(found)
        if bad is not None:
            return Finding(about, f"{bad.what} is {bad.verdict} {_why(bad)}", bad)
    return None


def nobody(network: Network, end: str) -> str:
    """Why there is nobody at an end."""
    if end == OPERATORS:
        return "there are no operators"
    if end in ROLES:
        return f"no interface has the role {end}"
    known = network.environments.get(end)
    if known is not None and not known.vpc_id:
        return f"the environment {end} has no network here"
    return f"no interface is in {end}"


def _somebody(network: Network, end: str) -> tuple[Spot, ...]:
    """The ends that can keep a promise: of an environment only what stands there."""
    found = spots(network, end)
    if end not in network.environments:
        return found
    return tuple(it for it in found if it.interface is not None and not is_silent(it.interface))


def _empty(network: Network, ban: Intention) -> str:
    """What a `deny` that holds should say of itself where it holds for lack of anybody."""
    empty = [end for end in (ban.source, ban.destination) if not spots(network, end)]
    in_environment = ban.destination in network.environments and not _somebody(network, ban.destination)
    if empty:
        return f"{nobody(network, empty[0])}, so there is nothing to deny"
    return f"no interface is in {ban.destination} yet" if in_environment else ""


def _lost_between(found: Sequence[_Followed]) -> Path | None:
    """The path that breaks a promise between roles: two interfaces of which no family's addresses all get through."""
    ways: dict[tuple[str, str], dict[int, list[Path]]] = {}
    for (source, destination), path in found:
        ends = tuple(it.interface.id if it.interface else str(it.address) for it in (source, destination))
        ways.setdefault((ends[0], ends[1]), {}).setdefault(source.address.version, []).append(path)
    for families in ways.values():
        closed = [[path for path in paths if path.verdict != "open"] for _, paths in sorted(families.items())]
        if all(closed):
            return closed[0][0]
    return None


def _lost_of_range(found: Sequence[_Followed]) -> Path | None:
    """The path that breaks a promise to a range: the one that came furthest of none that gets through, or a filtered one."""
    closed = [(pair, path) for pair, path in found if path.verdict != "open"]
    if len(closed) == len(found):
        return max((path for _, path in closed), key=lambda path: len(path.hops))
    is_outside = (path for pair, path in closed if any(end.subnet is None for end in pair))
    return next((path for path in is_outside if _is_filtered(path)), None)


def _is_range(network: Network, end: str) -> bool:
    return end in {OPERATORS, INTERNET} or end in network.environments or "/" in end


def _is_filtered(path: Path) -> bool:
    return path.stopped_by is not None and path.stopped_by.kind in _FILTERS


def banned(network: Network, ban: Intention) -> Finding | None:
    """What breaks a `deny`: one pair of ends that is not certainly closed, on one port, is enough."""
    sources, destinations = spots(network, ban.source), spots(network, ban.destination)
    for protocol, port, _ in stretches(network, ban):
        for path in paths(network, sources, destinations, port, protocol, Replies.SOME):
            if path.verdict != "closed":
                says = f"{path.source} reaches {path.destination} by {path.what}"
                return Finding(f"deny {ban}", says if path.verdict == "open" else f"perhaps {says}", path)
    return None


def exposed(network: Network, allow: Sequence[Intention]) -> Iterator[Finding]:
    """What the Internet reaches in the environment's own VPC that no intention allows; one finding for each interface."""
    outside = spots(network, INTERNET)
    asked = tuple(stretches(network, EVERYTHING, allow))
    for interface in network.interfaces.values():
        ends = whole(interface, network) if network.vpc_of(interface.subnet_id) == network.vpc_id else ()
        seen: dict[Stretch, Path] = {}
        for stretch in asked if ends else ():
            protocol, first, _ = stretch
            for path, spot in _open_from(network, outside, ends, protocol, first):
                if not any(_allows(network, it, spot, interface, protocol, first) for it in allow):
                    seen.setdefault(stretch, path)
        if seen:
            says = f"reachable from the Internet, which no intention allows: {', '.join(joined(network, seen))}"
            yield Finding(interface.name or interface.id, says, next(iter(seen.values())))


def openings(network: Network, source: str, destination: str) -> tuple[str, ...]:
    """The protocols and ports by which anybody of one name reaches anybody of another, in words: 'tcp 22', 'udp 1-65535'."""
    sources, destinations = spots(network, source), spots(network, destination)
    return tuple(
        joined(
            network,
            (
                (protocol, first, last)
                for protocol, first, last in stretches(network, EVERYTHING)
                if any(
                    path.verdict != "closed"
                    for path in paths(network, sources, destinations, first, protocol, Replies.SOME)
                )
            ),
        )
    )


def _open_from(
    network: Network, outside: Sequence[Spot], ends: Sequence[Spot], protocol: Protocol, port: int
) -> Iterator[tuple[Path, Spot]]:
    for spot in outside:
        for path in paths(network, (spot,), ends, port, protocol, Replies.SOME):
            if path.verdict != "closed":
                yield path, spot


def _allows(
    network: Network, wish: Intention, source: Spot, interface: Interface, protocol: Protocol, port: int
) -> bool:
    is_source = wish.source == INTERNET or _in(wish.source, (source.address,))
    is_named = wish.destination in interface.roles or _is_in_environment(network, wish.destination, interface)
    is_destination = is_named or _in(wish.destination, (*interface.addresses, *interface.mapped))
    is_port = wish.protocol is None or (wish.protocol == protocol and wish.ports[0] <= port <= wish.ports[1])
    return is_source and is_destination and is_port


def _is_in_environment(network: Network, end: str, interface: Interface) -> bool:
    known = network.environments.get(end)
    return known is not None and known.vpc_id == network.vpc_of(interface.subnet_id)


def _in(end: str, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    if "/" not in end:
        return False
    block: Block = ipaddress.ip_network(end)
    return any(address in block for address in addresses)


def _why(path: Path) -> str:
    hop = path.stopped_by
    return f"from {path.source} to {path.destination}" + (f": {hop.kind} {hop.name}: {hop.says}" if hop else "")
