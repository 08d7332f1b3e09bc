"""One packet on its way: the hops that it passed, and the path that they make."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

from bootstrap.network.model import CODES, ECHO_REPLY, ECHO_REQUEST, Network, Protocol
from bootstrap.network.path_ends import Spot

Verdict = Literal["open", "closed", "unknown"]
ECHO = -1  # as the port of an ICMP packet: an echo request of its family


class Replies(enum.Enum):
    """How many of the possible ports of a client must get replies: EVERY to prove an `allow`, SOME to break a `deny`.

    With SOME, a packet that needs no reply (UDP, ICMP) is open as soon as it arrives.
    """

    EVERY = "every"
    SOME = "some"


@dataclass(frozen=True)
class Traffic:
    """What is sent from one end to the other. `port` can be ECHO with the protocol icmp."""

    port: int
    protocol: Protocol = "tcp"
    replies: Replies = Replies.EVERY


@dataclass(frozen=True)
class Hop:
    """One hop of a path; `kind` is route, ACL, security group, gateway, address, ...; `says` is its reason in words.

    If `is_sure` is False, it is not known what the hop does with the packet.
    """

    kind: str
    name: str
    says: str
    passes: bool = True
    is_sure: bool = True


@dataclass(frozen=True)
class Path:
    """The path from one end to another: its hops in order, the verdict, and the hop that stopped it.

    `what` describes the packet.
    """

    source: str
    destination: str
    protocol: Protocol
    port: int
    hops: tuple[Hop, ...]
    verdict: Verdict
    stopped_by: Hop | None = None
    what: str = ""

    @property
    def decided_by(self) -> Hop | None:
        """The hop that makes the path closed or unknown; None if it is open."""
        return self.stopped_by or next((hop for hop in self.hops if not hop.is_sure), None)


class Stopped(Exception):
    """The packet is stopped; the last hop says why."""


@dataclass
class Walk:
    """One packet on its way."""

    network: Network
    source: Spot
    destination: Spot
    traffic: Traffic
    hops: list[Hop] = field(default_factory=list)
    is_sure: bool = True
    is_renamed: bool = False  # a NAT gateway replaced the source's address with its own

    def passes(self, kind: str, name: str, says: str) -> None:
        """Add a hop that lets the packet pass; `says` is its explanation."""
        self.hops.append(Hop(kind, name, says))

    def stops(self, kind: str, name: str, says: str) -> Stopped:
        """Add a hop that stops the packet, and return the exception for the caller to raise."""
        self.hops.append(Hop(kind, name, says, passes=False))
        return Stopped()

    def doubts(self, kind: str, name: str, says: str) -> None:
        """Add a hop that the analyser cannot judge: the verdict is no longer sure."""
        self.is_sure = False
        self.hops.append(Hop(kind, name, says, is_sure=False))

    @property
    def port(self) -> int:
        """The port; for an echo, the type and code that the request has in the family of the destination."""
        is_echo = self.traffic.port == ECHO
        return ECHO_REQUEST[self.destination.address.version] if is_echo else self.traffic.port

    @property
    def protocol(self) -> Protocol:
        """The protocol of the traffic."""
        return self.traffic.protocol

    @property
    def replies(self) -> Replies:
        """Which replies must come back."""
        return self.traffic.replies

    @property
    def rules_protocol(self) -> str:
        """The packet's protocol as rules name it: ICMP has one name for each family."""
        return "icmpv6" if self.protocol == "icmp" and self.destination.address.version == 6 else self.protocol

    @property
    def what(self) -> str:
        """The packet's protocol and port as text."""
        if self.protocol in {"tcp", "udp"}:
            return f"{self.protocol} {self.port}"
        if self.protocol != "icmp":
            return f"protocol {self.protocol}"
        kind, code = divmod(self.port, CODES)
        return f"{self.rules_protocol} type {kind}, code {code}"

    @property
    def wants_replies(self) -> bool:
        """Whether the way back is judged: always for TCP.

        For other protocols with Replies.EVERY, if there is a reply at all.
        """
        if self.protocol == "icmp":
            return self.replies is Replies.EVERY and self.port == ECHO_REQUEST[self.destination.address.version]
        return self.protocol == "tcp" or self.replies is Replies.EVERY

    @property
    def reply_port(self) -> int:
        """The port of replies of a protocol without ports: for ICMP the echo reply's type and code, else 0."""
        return ECHO_REPLY[self.destination.address.version] if self.protocol == "icmp" else 0
