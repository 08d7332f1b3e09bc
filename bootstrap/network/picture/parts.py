"""The parts of the picture, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Chip:
    """An interface, several of one role, or a NAT gateway in a subnet: its name and its addresses."""

    key: str
    name: str
    address: str
    is_nat: bool = False


@dataclass(frozen=True)
class Cell:
    """One subnet: its blocks, what is in it, and its routes that lead nowhere (`broken`)."""

    key: str
    name: str
    blocks: tuple[str, ...]
    chips: tuple[Chip, ...] = ()
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Band:
    """A tier: its subnets by zone, its ACLs, the services of its endpoints."""

    tier: str
    cells: Mapping[str, tuple[Cell, ...]]
    acls: tuple[str, ...]
    gateway_endpoints: tuple[str, ...] = ()
    interface_endpoints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """A gateway on the border of the VPC; `far` is what is behind it: for each other side a title and its lines."""

    key: str
    name: str
    detail: str = ""
    far: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Way:
    """Routes from a tier to a gateway, or from a subnet to the subnet of a NAT gateway: `to` are their blocks."""

    start: str
    gate: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """The content of the picture, without the table of who may reach whom."""

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
