"""What a network is for, in plain words: 'operators -> controller:443' under `allow` or `deny`.

An end is a role, 'operators', 'internet' (everybody there who is not an operator), an environment's name (its whole VPC; a
role of the same name goes before) or a block. Ports are a number, a range '8000-8100' or '*'; '/udp' behind a port makes it
UDP, else it is TCP; '*' is everything: every port of TCP and UDP, every type of ICMP, every other protocol.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bootstrap.network.model import Protocol
from bootstrap.network.places import INTERNET, OPERATORS, ROLES

_SHAPE = re.compile(
    r"^(?P<source>\S+) +-> +(?P<destination>\S+):(?P<ports>\*|[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>\w+))?$"
)
_LAST = 65535


@dataclass(frozen=True)
class Intention:
    """One intention: who reaches whom, on which ports; `protocol` is None where all are meant."""

    source: str
    destination: str
    ports: tuple[int, int]
    protocol: Protocol | None

    def __str__(self) -> str:
        first, last = self.ports
        ports = "*" if self.protocol is None else str(first) if first == last else f"{first}-{last}"
        return f"{self.source} -> {self.destination}:{ports}{'/udp' if self.protocol == 'udp' else ''}"


def parse(text: str) -> Intention:
    """Read one intention; ValueError says what is wrong with it."""
    found = _SHAPE.match(text)
    if found is None:
        raise ValueError(f"'{text}' is not of the form SOURCE -> DESTINATION:PORT, as in 'operators -> controller:443'")
    source, destination = (_end(found[part]) for part in ("source", "destination"))
    if destination == OPERATORS:
        raise ValueError(f"'{text}': a destination is a role, a block or internet; operators can only be a source")
    ports, protocol = found["ports"], found["protocol"] or "tcp"
    if ports == "*":
        if found["protocol"]:
            raise ValueError(f"'{text}': '*' includes every protocol; for one write 1-65535/{protocol}")
        return Intention(source, destination, (0, _LAST), None)
    if protocol not in {"tcp", "udp"}:
        raise ValueError(f"'{text}': a port's protocol is tcp or udp, not {protocol}")
    first, _, last = ports.partition("-")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= _LAST:
        raise ValueError(f"'{text}': ports go from 1 to {_LAST}, the lower one first")
    return Intention(source, destination, (low, high), "udp" if protocol == "udp" else "tcp")


def _end(text: str) -> str:
    if text in {*ROLES, OPERATORS, INTERNET} or is_environment(text):
        return text
    if not re.match(r"^[0-9a-fA-F.:]+(/[0-9]+)?$", text) or not re.search(r"[.:]", text):
        raise ValueError(
            f"'{text}' is not a role; the roles are {', '.join((*ROLES, OPERATORS, INTERNET))}, or name a block"
        )
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"not a block: {error}") from error


def is_environment(end: str) -> bool:
    """Whether an end can only be an environment's name; that there is such a one is not known here."""
    return end not in {*ROLES, OPERATORS, INTERNET} and re.fullmatch(r"[a-z][a-z0-9-]*", end) is not None


def contradictions(
    allow: Iterable[Intention], deny: Iterable[Intention], blocks: Mapping[str, str], own: str = ""
) -> Iterator[tuple[Intention, Intention]]:
    """Pairs of an allow and a deny that no network can fulfil both; whether roles share an interface is not known here.

    `blocks` are those of the ends that have one, operators and environments; `own` is the environment that the roles are in.
    """
    denied = tuple(deny)
    for wish in allow:
        for ban in denied:
            if (
                _overlap(wish.source, ban.source, blocks, own)
                and _overlap(wish.destination, ban.destination, blocks, own)
                and (wish.protocol is None or ban.protocol is None or wish.protocol == ban.protocol)
                and wish.ports[0] <= ban.ports[1]
                and ban.ports[0] <= wish.ports[1]
            ):
                yield wish, ban


def _overlap(one: str, other: str, blocks: Mapping[str, str], own: str) -> bool:
    """Whether two ends share an address, as far as the names alone tell."""
    if one == other or (own in {one, other} and {one, other} & set(ROLES)):
        return True
    told = [ipaddress.ip_network(it) for it in (_block(one, blocks), _block(other, blocks)) if it]
    return len(told) == 2 and told[0].version == told[1].version and told[0].overlaps(told[1])


def _block(end: str, blocks: Mapping[str, str]) -> str | None:
    return blocks.get(end) or (end if re.search(r"[.:]", end) else None)
