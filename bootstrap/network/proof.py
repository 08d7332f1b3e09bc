"""Judges whether a network does what its intentions say, and what the Internet reaches that no intention allows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bootstrap.network.intentions import Intention
from bootstrap.network.model import Block, Interface, Network, Protocol
from bootstrap.network.path_ends import INTERNET, OPERATORS, ROLES, Spot, is_silent, list_ends, resolve_ends
from bootstrap.network.path_explanation import Path, Replies, Traffic, follow, follow_all, pair_ends
from bootstrap.network.port_ranges import EVERYTHING, Stretch, format_stretches, list_stretches

Outcome = Literal["holds", "broken", "unproven"]
_Followed = tuple[tuple[Spot, Spot], Path]
_FILTERS = {"ACL", "security group"}
_NOTHING_ELSE = "nothing else is reachable from the Internet"


@dataclass(frozen=True)
class Finding:
    """An intention that does not hold, or an interface that is open without an intention.

    `path` is an example, if there is one. `outcome` is 'unproven' if nothing can be said about the intention, because one of
    its ends has no interface.
    """

    about: str
    says: str
    path: Path | None = None
    outcome: Outcome = "broken"

    def __str__(self) -> str:
        return f"{self.about}: {'not proven: ' if self.outcome == 'unproven' else ''}{self.says}"


@dataclass(frozen=True)
class Judgement:
    """The outcome of one intention, or of one interface that the Internet reaches."""

    about: str
    outcome: Outcome
    says: str = ""

    def __str__(self) -> str:
        words = "not proven: " if self.outcome == "unproven" else ""
        return f"{self.about}{f': {words}{self.says}' if self.says else ''}"


def judge(network: Network, allow: Sequence[Intention], deny: Sequence[Intention]) -> tuple[Judgement, ...]:
    """A judgement for each intention, then one for each interface that is open to the Internet without one (or for none)."""
    results = [(f"allow {intention}", judge_allow(network, intention), "") for intention in allow]
    results += [
        (f"deny {intention}", judge_deny(network, intention), _note_if_empty(network, intention)) for intention in deny
    ]
    open_ones = list(find_exposed(network, allow))
    results += [(it.about, it, "") for it in open_ones] or [(_NOTHING_ELSE, None, "")]
    return tuple(
        Judgement(about, broken.outcome, broken.says) if broken else Judgement(about, "holds", note)
        for about, broken, note in results
    )


def prove(network: Network, allow: Sequence[Intention], deny: Sequence[Intention]) -> tuple[Judgement, ...]:
    """The judgements of `judge` that are broken or not proven; empty if all intentions hold."""
    return tuple(it for it in judge(network, allow, deny) if it.outcome != "holds")


def judge_allow(network: Network, intention: Intention) -> Finding | None:
    """Why an `allow` does not hold or cannot be proven; None if it holds.

    Between roles, every interface of one role must reach every interface of the other, by IPv4 or by IPv6. In a block or an
    environment most addresses have no interface. For such a range it is enough that one address gets through, and that no ACL
    or security group stops an address outside of the VPC. If an end has no interface, the intention is not proven.
    """
    sources, destinations = (_list_existing_ends(network, end) for end in (intention.source, intention.destination))
    about = f"allow {intention}"
    for end, spots_there in ((intention.source, sources), (intention.destination, destinations)):
        if not spots_there:
            return Finding(about, _explain_no_interface(network, end), outcome="unproven")
    all_pairs = tuple(pair_ends(sources, destinations))
    if not all_pairs:
        says = "no other interface is there, or the two have no addresses of one family"
        return Finding(about, says, outcome="unproven")
    is_range = any(_is_range(network, end) for end in (intention.source, intention.destination))
    for protocol, port, _ in list_stretches(network, intention):
        followed = [(pair, follow(network, *pair, Traffic(port, protocol))) for pair in all_pairs]
        bad = _find_broken_range(followed) if is_range else _find_broken_path(followed)
        if bad is not None:
            return Finding(about, f"{bad.what} is {bad.verdict} {_explain(bad)}", bad)
    return None


def _explain_no_interface(network: Network, end: str) -> str:
    """Return the reason why an end has no interface."""
    if end == OPERATORS:
        return "there are no operators"
    if end in ROLES:
        return f"no interface has the role {end}"
    environment = network.environments.get(end)
    if environment is not None and not environment.vpc_id:
        return f"the environment {end} has no network in this account and region"
    return f"no interface is in {end}"


def _list_existing_ends(network: Network, end: str) -> tuple[Spot, ...]:
    """The ends that an `allow` is proven with: of an environment only addresses of existing interfaces."""
    all_spots = resolve_ends(network, end)
    if end not in network.environments:
        return all_spots
    return tuple(it for it in all_spots if it.interface is not None and not is_silent(it.interface))


def _note_if_empty(network: Network, intention: Intention) -> str:
    """The note to a `deny` that holds only because one of its ends has no interface; '' if both have one."""
    empty = [end for end in (intention.source, intention.destination) if not resolve_ends(network, end)]
    in_environment = intention.destination in network.environments and not _list_existing_ends(
        network, intention.destination
    )
    if empty:
        return f"{_explain_no_interface(network, empty[0])}, so there is nothing to deny"
    return f"no interface is in {intention.destination} yet" if in_environment else ""


def _find_broken_path(followed: Sequence[_Followed]) -> Path | None:
    """A path that breaks an `allow` between roles: for a pair of interfaces, neither IPv4 nor IPv6 is open completely."""
    ways: dict[tuple[str, str], dict[int, list[Path]]] = {}
    for (source, destination), path in followed:
        ends = tuple(it.interface.id if it.interface else str(it.address) for it in (source, destination))
        ways.setdefault((ends[0], ends[1]), {}).setdefault(source.address.version, []).append(path)
    for families in ways.values():
        closed = [[path for path in paths if path.verdict != "open"] for _, paths in sorted(families.items())]
        if all(closed):
            return closed[0][0]
    return None


def _find_broken_range(followed: Sequence[_Followed]) -> Path | None:
    """A path that breaks an `allow` of a range: the longest one if none is open, else one from outside that a filter stops."""
    closed = [(pair, path) for pair, path in followed if path.verdict != "open"]
    if len(closed) == len(followed):
        return max((path for _, path in closed), key=lambda path: len(path.hops))
    is_outside = (path for pair, path in closed if any(end.subnet is None for end in pair))
    return next((path for path in is_outside if _is_filtered(path)), None)


def _is_range(network: Network, end: str) -> bool:
    return end in {OPERATORS, INTERNET} or end in network.environments or "/" in end


def _is_filtered(path: Path) -> bool:
    return path.stopped_by is not None and path.stopped_by.kind in _FILTERS


def judge_deny(network: Network, intention: Intention) -> Finding | None:
    """What breaks a `deny`: the first pair of ends that is not certainly closed on some port; None if it holds."""
    sources, destinations = resolve_ends(network, intention.source), resolve_ends(network, intention.destination)
    for protocol, port, _ in list_stretches(network, intention):
        for path in follow_all(network, sources, destinations, Traffic(port, protocol, Replies.SOME)):
            if path.verdict != "closed":
                says = f"{path.source} reaches {path.destination} by {path.what}"
                return Finding(f"deny {intention}", says if path.verdict == "open" else f"perhaps {says}", path)
    return None


def find_exposed(network: Network, allow: Sequence[Intention]) -> Iterator[Finding]:
    """A finding for each interface of the environment's own VPC that the Internet reaches and no intention allows."""
    outside = resolve_ends(network, INTERNET)
    all_stretches = tuple(list_stretches(network, EVERYTHING, allow))
    for interface in network.interfaces.values():
        ends = list_ends(interface, network) if network.find_vpc_of(interface.subnet_id) == network.vpc_id else ()
        open_stretches: dict[Stretch, Path] = {}
        for stretch in all_stretches if ends else ():
            protocol, first, _ = stretch
            for path, spot in _open_from(network, outside, ends, protocol, first):
                if not any(_allows(network, it, spot, interface, protocol, first) for it in allow):
                    open_stretches.setdefault(stretch, path)
        if open_stretches:
            ports = ", ".join(format_stretches(network, open_stretches))
            says = f"reachable from the Internet, which no intention allows: {ports}"
            yield Finding(interface.name or interface.id, says, next(iter(open_stretches.values())))


def list_open_ports(network: Network, source: str, destination: str) -> tuple[str, ...]:
    """The protocols and ports by which an end of `source` reaches an end of `destination`: 'tcp 22', 'udp 1-65535'."""
    sources, destinations = resolve_ends(network, source), resolve_ends(network, destination)
    return tuple(
        format_stretches(
            network,
            (
                (protocol, first, last)
                for protocol, first, last in list_stretches(network, EVERYTHING)
                if any(
                    path.verdict != "closed"
                    for path in follow_all(network, sources, destinations, Traffic(first, protocol, Replies.SOME))
                )
            ),
        )
    )


def _open_from(
    network: Network, outside: Sequence[Spot], ends: Sequence[Spot], protocol: Protocol, port: int
) -> Iterator[tuple[Path, Spot]]:
    for spot in outside:
        for path in follow_all(network, (spot,), ends, Traffic(port, protocol, Replies.SOME)):
            if path.verdict != "closed":
                yield path, spot


def _allows(
    network: Network, intention: Intention, source: Spot, interface: Interface, protocol: Protocol, port: int
) -> bool:
    is_source = intention.source == INTERNET or _is_any_inside(intention.source, (source.address,))
    is_named = intention.destination in interface.roles or _is_in_environment(network, intention.destination, interface)
    is_destination = is_named or _is_any_inside(intention.destination, (*interface.addresses, *interface.mapped))
    is_port = intention.protocol is None or (
        intention.protocol == protocol and intention.ports[0] <= port <= intention.ports[1]
    )
    return is_source and is_destination and is_port


def _is_in_environment(network: Network, end: str, interface: Interface) -> bool:
    environment = network.environments.get(end)
    return environment is not None and environment.vpc_id == network.find_vpc_of(interface.subnet_id)


def _is_any_inside(end: str, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    if "/" not in end:
        return False
    block: Block = ipaddress.ip_network(end)
    return any(address in block for address in addresses)


def _explain(path: Path) -> str:
    hop = path.stopped_by
    return f"from {path.source} to {path.destination}" + (f": {hop.kind} {hop.name}: {hop.says}" if hop else "")
