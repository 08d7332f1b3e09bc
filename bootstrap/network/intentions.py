"""Intentions of a network, as the environment file has them: 'operators -> controller:443' under `allow` or `deny`.

An end is a role, 'operators', 'internet' (every public address that is not an operator's), an environment's name (its whole
VPC; a role of the same name has precedence) or a block. Ports are a number, a range '8000-8100' or '*'. '/udp' after the port
means UDP, otherwise it is TCP. '*' is everything: every port of TCP and UDP, every type of ICMP, every other protocol.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.network.model import Block, Protocol
from bootstrap.network.path_ends import INTERNET, OPERATORS, ROLES

_SHAPE = re.compile(
    r"^(?P<source>\S+) +-> +(?P<destination>\S+):(?P<ports>\*|[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>\w+))?$"
)
_LAST = 65535


@dataclass(frozen=True)
class Intention:
    """One intention: who reaches whom, on which ports (first and last); `protocol` None means every protocol."""

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
    match = _SHAPE.match(text)
    if match is None:
        raise ValueError(f"'{text}' is not of the form SOURCE -> DESTINATION:PORT, as in 'operators -> controller:443'")
    source, destination = (_parse_end(match[part]) for part in ("source", "destination"))
    if destination == OPERATORS:
        raise ValueError(f"'{text}': a destination is a role, a block or internet; operators can only be a source")
    ports, protocol = match["ports"], match["protocol"] or "tcp"
    if ports == "*":
        if match["protocol"]:
            raise ValueError(f"'{text}': '*' includes every protocol; for one write 1-65535/{protocol}")
        return Intention(source, destination, (0, _LAST), None)
    if protocol not in {"tcp", "udp"}:
        raise ValueError(f"'{text}': a port's protocol is tcp or udp, not {protocol}")
    first, _, last = ports.partition("-")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= _LAST:
        raise ValueError(f"'{text}': ports go from 1 to {_LAST}, the lower one first")
    return Intention(source, destination, (low, high), "udp" if protocol == "udp" else "tcp")


def _parse_end(text: str) -> str:
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
    """Whether an end can only be an environment's name; whether that environment exists is not known here."""
    return end not in {*ROLES, OPERATORS, INTERNET} and re.fullmatch(r"[a-z][a-z0-9-]*", end) is not None


def find_contradictions(
    allow: Iterable[Intention], deny: Iterable[Intention], blocks: Mapping[str, Sequence[str]], own: str = ""
) -> Iterator[tuple[Intention, Intention]]:
    """Pairs of an allow and a deny that no network can fulfil together. Whether roles share an interface is not known here.

    `blocks` has the blocks of operators and environments by their names; `own` is the environment that the roles are in.
    """
    all_denied = tuple(deny)
    for allowed in allow:
        for denied in all_denied:
            if (
                _has_common_address(allowed.source, denied.source, blocks, own)
                and _has_common_address(allowed.destination, denied.destination, blocks, own)
                and (allowed.protocol is None or denied.protocol is None or allowed.protocol == denied.protocol)
                and allowed.ports[0] <= denied.ports[1]
                and denied.ports[0] <= allowed.ports[1]
            ):
                yield allowed, denied


def _has_common_address(first_end: str, second_end: str, blocks: Mapping[str, Sequence[str]], own: str) -> bool:
    """Whether two ends share an address, as far as their names and blocks show."""
    if first_end == second_end or (own in {first_end, second_end} and {first_end, second_end} & set(ROLES)):
        return True
    return any(
        first.version == second.version and first.overlaps(second)
        for first in _list_blocks(first_end, blocks)
        for second in _list_blocks(second_end, blocks)
    )


def _list_blocks(end: str, blocks: Mapping[str, Sequence[str]]) -> list[Block]:
    named = blocks.get(end) or ([end] if re.search(r"[.:]", end) else [])
    return [ipaddress.ip_network(it) for it in named]
