"""A network as EC2 describes it, as frozen values. The analyser, the picture and the tests use them.

Nothing here calls AWS: `snapshot` makes a `Network` from EC2's answers, and tests make one by hand.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Protocol = str
"""The protocol of a packet: tcp, udp, icmp (of its own family), or the number of another protocol as text."""

# The numbers of AWS and IANA; '-1' is every protocol.
PROTOCOLS: Mapping[str, str] = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "-1": "all"}
ALL_PORTS = (0, 65535)
# A type and a code of ICMP become one number, type * CODES + code, so that a range of ports can hold them.
CODES = 256
ECHO_REQUEST: Mapping[int, int] = {4: 8 * CODES, 6: 128 * CODES}  # RFC 792, RFC 4443; by the address' version
ECHO_REPLY: Mapping[int, int] = {4: 0, 6: 129 * CODES}


def make_icmp_range(kind: int, code: int) -> tuple[int, int]:
    """The range of ports that stands for a type and a code of ICMP; -1 means every type, or every code of the type."""
    if kind < 0:
        return ALL_PORTS
    return (kind * CODES, kind * CODES + CODES - 1) if code < 0 else (kind * CODES + code, kind * CODES + code)


@dataclass(frozen=True)
class Vpc:
    """A VPC and its blocks of both families."""

    id: str
    blocks: tuple[Block, ...]
    name: str = ""


@dataclass(frozen=True)
class Subnet:
    """A subnet; EC2's implicit associations (main route table, default ACL) are already resolved."""

    id: str
    vpc_id: str
    blocks: tuple[Block, ...]
    zone: str
    route_table_id: str
    nacl_id: str
    name: str = ""


@dataclass(frozen=True)
class Route:
    """One route: `to` is a block or a prefix list's id; `target` is EC2's id of the next hop, or 'local'.

    `is_propagated` is True for a route that a VPN gateway propagated, False for a static one.
    """

    to: Block | str
    target: str
    is_blackhole: bool = False
    is_propagated: bool = False


@dataclass(frozen=True)
class RouteTable:
    """A route table: its routes decide where packets leave a subnet."""

    id: str
    vpc_id: str
    routes: tuple[Route, ...]
    name: str = ""


@dataclass(frozen=True)
class NaclEntry:
    """One numbered entry.

    `protocol` is tcp, udp, icmp, icmpv6, 'all' or a number as text; `ports` of ICMP: see `make_icmp_range`.
    """

    number: int
    egress: bool
    allow: bool
    block: Block
    protocol: str = "all"
    ports: tuple[int, int] = ALL_PORTS


@dataclass(frozen=True)
class Nacl:
    """A network ACL. It is stateless: the first entry that fits decides; if none fits, it denies."""

    id: str
    entries: tuple[NaclEntry, ...]
    name: str = ""


@dataclass(frozen=True)
class GroupRule:
    """One rule of a security group: `peer` is a block, or the id of another group or of a prefix list."""

    protocol: str
    ports: tuple[int, int]
    peer: Block | str


@dataclass(frozen=True)
class SecurityGroup:
    """A security group. It is stateful, and its rules only allow."""

    id: str
    vpc_id: str
    ingress: tuple[GroupRule, ...] = ()
    egress: tuple[GroupRule, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Interface:
    """A network interface: everything that sends or receives in a VPC has one.

    `public` is the public IPv4 address that the Internet gateway maps to its first address, or 'planned' where the address is
    not known yet. `others_public` has its further addresses with a public one: pairs of private and public address. `kind` is
    EC2's interface type. `roles` are the roles of its security groups.
    """

    id: str
    subnet_id: str
    addresses: tuple[Address, ...]
    groups: tuple[str, ...] = ()
    public: str = ""
    instance_id: str = ""
    kind: str = "interface"
    roles: tuple[str, ...] = ()
    name: str = ""
    others_public: tuple[tuple[Address, Address], ...] = ()

    def find_address(self, version: int) -> Address | None:
        """Its first address of that family."""
        return next((address for address in self.addresses if address.version == version), None)

    def is_public(self, address: Address) -> bool:
        """Whether the Internet gateway maps a public address to this IPv4 address of the interface."""
        own = (own for own, _ in self.others_public)
        return address in own or (bool(self.public) and address == self.find_address(4))

    @cached_property
    def mapped(self) -> Mapping[Address, Address]:
        """The private IPv4 addresses by the public ones that the Internet gateway maps to them, as far as these are known."""
        first = self.find_address(4)
        known = {ipaddress.ip_address(self.public): first} if first is not None and self.public[:1].isdigit() else {}
        return {**known, **{public: own for own, public in self.others_public}}


@dataclass(frozen=True)
class Gateway:
    """An Internet, egress-only or VPN gateway, and the VPCs it is attached to."""

    id: str
    vpcs: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class TransitGateway:
    """A transit gateway, as far as VPCs are attached to it: by VPC, the subnets that have an interface of it."""

    id: str
    subnets: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Nat:
    """A NAT gateway; one without a public address is a private NAT gateway."""

    id: str
    subnet_id: str
    address: Address
    public: str = ""
    is_available: bool = True
    name: str = ""


@dataclass(frozen=True)
class Peering:
    """A peering connection between two VPCs, and the blocks of each side."""

    id: str
    vpcs: tuple[str, str]
    blocks: tuple[tuple[Block, ...], tuple[Block, ...]]
    is_active: bool = True


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint. Kind 'Gateway' is the target of routes; kind 'Interface' has network interfaces of its own."""

    id: str
    vpc_id: str
    kind: str
    service: str
    is_available: bool = True


@dataclass(frozen=True)
class Environment:
    """Another environment as an end: the block from its environment file, and its VPC if it exists ('' if not)."""

    block: Block
    vpc_id: str = ""


@dataclass(frozen=True)
class Network:
    """Everything that decides whether a packet arrives.

    `vpc_id` is the environment's own VPC, `operators` the operators' blocks. `edges` has the route tables of gateways, by the
    gateway's id. `environments` has the environments that intentions name.
    """

    vpc_id: str = ""
    operators: tuple[Block, ...] = ()
    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    route_tables: Mapping[str, RouteTable] = field(default_factory=dict)
    nacls: Mapping[str, Nacl] = field(default_factory=dict)
    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    internet_gateways: Mapping[str, Gateway] = field(default_factory=dict)
    egress_only_gateways: Mapping[str, Gateway] = field(default_factory=dict)
    vpn_gateways: Mapping[str, Gateway] = field(default_factory=dict)
    transit_gateways: Mapping[str, TransitGateway] = field(default_factory=dict)
    nats: Mapping[str, Nat] = field(default_factory=dict)
    peerings: Mapping[str, Peering] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    prefix_lists: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    edges: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)

    @cached_property
    def by_address(self) -> Mapping[Address, Interface]:
        """Interfaces by their addresses; if two peered VPCs use the same address, the environment's own VPC wins."""
        own = [it for it in self.interfaces.values() if self.find_vpc_of(it.subnet_id) == self.vpc_id]
        return {address: it for it in (*self.interfaces.values(), *own) for address in it.addresses}

    @cached_property
    def by_public(self) -> Mapping[Address, Interface]:
        """Interfaces by the public IPv4 addresses that Internet gateways map to theirs."""
        return {public: it for it in self.interfaces.values() for public in it.mapped}

    def find_vpc_of(self, subnet_id: str) -> str:
        """The VPC that a subnet lies in."""
        return self.subnets[subnet_id].vpc_id

    def find_subnet_of(self, address: Address) -> Subnet | None:
        """The subnet that an address lies in; subnets of the environment's own VPC are tried first."""
        ordered = sorted(self.subnets.values(), key=lambda subnet: subnet.vpc_id != self.vpc_id)
        return next((it for it in ordered if any(address in block for block in it.blocks)), None)
