"""The parts of the picture: what stands where, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Chip:
    """Something that stands in a subnet: what it is, its addresses, and whether it is a NAT gateway."""

    key: str
    name: str
    address: str
    is_nat: bool = False


@dataclass(frozen=True)
class Cell:
    """One subnet: its blocks, what stands in it, and routes of its own that lead nowhere."""

    key: str
    name: str
    blocks: tuple[str, ...]
    chips: tuple[Chip, ...] = ()
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Band:
    """A tier: its subnets by zone, its ACLs, the services behind its endpoints."""

    tier: str
    cells: Mapping[str, tuple[Cell, ...]]
    acls: tuple[str, ...]
    gateway_endpoints: tuple[str, ...] = ()
    interface_endpoints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """A gateway on the VPC's border; `far` is what is behind it: a title and its lines, one for each other side."""

    key: str
    name: str
    detail: str = ""
    far: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Way:
    """Routes from a tier to a gate, or from one subnet to a NAT gateway's: the blocks that they are for."""

    start: str
    gate: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """The whole picture but who may reach whom."""

    region: str
    name: str
    blocks: tuple[str, ...]
    zones: tuple[str, ...]
    bands: tuple[Band, ...]
    internet: Gate | None = None
    egress_only: Gate | None = None
    vpn: Gate | None = None
    others: tuple[Gate, ...] = ()
    ways: tuple[Way, ...] = ()
    nat_ways: tuple[Way, ...] = ()
    facts: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
