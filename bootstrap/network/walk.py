"""One packet on its way: the stations that it passed, and the path that they make."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

from bootstrap.network.model import Network, Protocol
from bootstrap.network.places import Spot

Verdict = Literal["open", "closed", "unknown"]


class Replies(enum.Enum):
    """How many of the ports that a client may have must get replies: all, for a promise; one, for a threat.

    To a threat, what needs no reply (UDP, ICMP) is open already where the request arrives.
    """

    EVERY = "every"
    SOME = "some"


@dataclass(frozen=True)
class Hop:
    """One station of a path and what it says; `kind` is route, nacl, security group, gateway, address, ..."""

    kind: str
    name: str
    says: str
    passes: bool = True


@dataclass(frozen=True)
class Path:
    """The way from one end to another: its hops in order, the verdict, and the hop that stopped it."""

    source: str
    destination: str
    protocol: Protocol
    port: int
    hops: tuple[Hop, ...]
    verdict: Verdict
    stopped_by: Hop | None = None


class Stopped(Exception):
    """The packet goes no further; the last hop says why."""


@dataclass
class Walk:
    """One packet on its way."""

    network: Network
    source: Spot
    destination: Spot
    port: int
    protocol: Protocol
    replies: Replies
    hops: list[Hop] = field(default_factory=list)
    is_sure: bool = True

    def passes(self, kind: str, name: str, says: str) -> None:
        self.hops.append(Hop(kind, name, says))

    def stops(self, kind: str, name: str, says: str) -> Stopped:
        self.hops.append(Hop(kind, name, says, passes=False))
        return Stopped()

    def doubts(self, kind: str, name: str, says: str) -> None:
        self.is_sure = False
        self.passes(kind, name, says)

    @property
    def wants_replies(self) -> bool:
        return self.protocol == "tcp" or self.replies is Replies.EVERY
