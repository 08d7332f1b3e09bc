"""A network made by hand, the changes of one thing in it, and the case of a path that such a change has."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.network.model import (
    Endpoint,
    Gateway,
    GroupRule,
    Interface,
    Nacl,
    NaclEntry,
    Nat,
    Network,
    Peering,
    Protocol,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    TransitGateway,
    Vpc,
)
from bootstrap.network.path_explanation import Replies

block, address = ipaddress.ip_network, ipaddress.ip_address
EVERYWHERE, EVERYWHERE6 = block("0.0.0.0/0"), block("::/0")
OPEN = (
    NaclEntry(100, False, True, EVERYWHERE),
    NaclEntry(100, True, True, EVERYWHERE),
    NaclEntry(101, False, True, EVERYWHERE6),
    NaclEntry(101, True, True, EVERYWHERE6),
)
OPERATORS = "198.51.100.0/24"
Change = Callable[[Network], Network]


def rule(ports: int | tuple[int, int], peer: str, protocol: str = "tcp") -> GroupRule:
    span = (ports, ports) if isinstance(ports, int) else ports
    return GroupRule(protocol, span, peer if peer.startswith(("sg-", "pl-")) else block(peer))


OUT = (GroupRule("all", (0, 65535), EVERYWHERE), GroupRule("all", (0, 65535), EVERYWHERE6))


def _subnet(name: str, vpc: str, blocks: str, table: str) -> Subnet:
    return Subnet(name, vpc, tuple(block(it) for it in blocks.split()), "z1", table, f"acl-{name}", name)


def network() -> Network:
    """Two peered VPCs; in the first a public, a private (NAT) and an isolated subnet with one interface of each kind."""
    subnets = [
        _subnet("public", "vpc-a", "10.0.0.0/24 2001:db8:a:0::/64", "rtb-public"),
        _subnet("private", "vpc-a", "10.0.1.0/24 2001:db8:a:1::/64", "rtb-private"),
        _subnet("isolated", "vpc-a", "10.0.2.0/24", "rtb-isolated"),
        _subnet("other", "vpc-b", "10.1.0.0/24", "rtb-other"),
    ]
    tables = {
        "rtb-public": "10.0.0.0/16=local 2001:db8:a::/56=local 0.0.0.0/0=igw-a ::/0=igw-a",
        "rtb-private": "10.0.0.0/16=local 2001:db8:a::/56=local 0.0.0.0/0=nat-a ::/0=eigw-a 10.1.0.0/16=pcx-ab pl-s3=vpce-s3",
        "rtb-isolated": "10.0.0.0/16=local",
        "rtb-other": "10.1.0.0/16=local 10.0.1.0/24=pcx-ab",
    }
    groups = {
        "edge": (rule(443, "0.0.0.0/0"), rule(443, "::/0")),
        "controller": (rule(443, "sg-edge"), rule(443, "sg-agents"), rule(22, OPERATORS), rule(8080, "10.1.0.0/16")),
        "agents": (rule(22, "sg-controller"),),
        "data": (rule(5432, "sg-controller"),),
        "other": (rule(443, "10.0.1.0/24"),),
    }
    interfaces = [
        Interface("eni-edge", "public", _both("10.0.0.10", "2001:db8:a::10"), ("sg-edge",), "203.0.113.9", roles=("edge",)),
        Interface("eni-controller", "private", _both("10.0.1.10", "2001:db8:a:1::10"), ("sg-controller",), instance_id="i-c",
                  roles=("controller",)),
        Interface("eni-agent", "private", (address("10.0.1.20"),), ("sg-agents",), roles=("agents",)),
        Interface("eni-data", "isolated", (address("10.0.2.10"),), ("sg-data",), roles=("data",)),
        Interface("eni-other", "other", (address("10.1.0.10"),), ("sg-other",)),
        Interface("eni-nat", "public", (address("10.0.0.5"),), (), "203.0.113.5", kind="nat_gateway"),
    ]  # fmt: skip
    return Network(
        vpc_id="vpc-a",
        operators=(block(OPERATORS),),
        vpcs={
            "vpc-a": Vpc("vpc-a", (block("10.0.0.0/16"), block("2001:db8:a::/56"))),
            "vpc-b": Vpc("vpc-b", (block("10.1.0.0/16"),)),
        },
        subnets={it.id: it for it in subnets},
        route_tables={name: RouteTable(name, "", routes(text)) for name, text in tables.items()},
        nacls={it.nacl_id: Nacl(it.nacl_id, OPEN) for it in subnets},
        groups={f"sg-{name}": SecurityGroup(f"sg-{name}", "vpc-a", rules, OUT) for name, rules in groups.items()},
        interfaces={it.id: it for it in interfaces},
        internet_gateways={"igw-a": Gateway("igw-a", ("vpc-a",))},
        egress_only_gateways={"eigw-a": Gateway("eigw-a", ("vpc-a",))},
        vpn_gateways={"vgw-a": Gateway("vgw-a", ("vpc-a",))},
        nats={"nat-a": Nat("nat-a", "public", address("10.0.0.5"), "203.0.113.5")},
        peerings={"pcx-ab": Peering("pcx-ab", ("vpc-a", "vpc-b"), ((block("10.0.0.0/16"),), (block("10.1.0.0/16"),)))},
        endpoints={"vpce-s3": Endpoint("vpce-s3", "vpc-a", "Gateway", "com.amazonaws.eu-central-1.s3")},
        prefix_lists={"pl-s3": (block("52.216.0.0/15"),)},
    )


def _both(four: str, six: str) -> tuple[Any, ...]:
    return (address(four), address(six))


def routes(text: str) -> tuple[Route, ...]:
    """'BLOCK=TARGET' by 'BLOCK=TARGET'; '!' before a target is a black hole."""
    pairs = [it.split("=") for it in text.split()]
    return tuple(
        Route(to if to.startswith("pl-") else block(to), target.removeprefix("!"), target.startswith("!"))
        for to, target in pairs
    )


def routed(table: str, text: str) -> Change:
    """The table with these routes before its own."""

    def change(it: Network) -> Network:
        old = it.route_tables[table]
        return replace(it, route_tables={**it.route_tables, table: replace(old, routes=(*routes(text), *old.routes))})

    return change


def only_routed(table: str, text: str) -> Change:
    return lambda it: replace(it, route_tables={**it.route_tables, table: RouteTable(table, "", routes(text))})


def filtered(subnet: str, *entries: NaclEntry) -> Change:
    """The subnet's ACL with these entries alone."""
    name = f"acl-{subnet}"
    return lambda it: replace(it, nacls={**it.nacls, name: Nacl(name, entries)})


def grouped(
    group: str, ingress: tuple[GroupRule, ...] | None = None, egress: tuple[GroupRule, ...] | None = None
) -> Change:
    def change(it: Network) -> Network:
        old = it.groups[group]
        new = replace(
            old, ingress=old.ingress if ingress is None else ingress, egress=old.egress if egress is None else egress
        )
        return replace(it, groups={**it.groups, group: new})

    return change


def interfaced(name: str, **values: Any) -> Change:
    return lambda it: replace(it, interfaces={**it.interfaces, name: replace(it.interfaces[name], **values)})


def joined(subnet: str) -> Change:
    """Both VPCs attached to a transit gateway, the first in this subnet; its private subnet has a route there."""
    attached = TransitGateway("tgw-1", {"vpc-a": (subnet,), "vpc-b": ("other",)})
    lead = routed("rtb-private", "10.9.0.0/16=tgw-1")
    return lambda it: replace(lead(it), transit_gateways={"tgw-1": attached})


def without(collection: str) -> Change:
    return lambda it: replace(it, **{collection: {}})


def both(*changes: Change) -> Change:
    def change(it: Network) -> Network:
        for one in changes:
            it = one(it)
        return it

    return change


def same(it: Network) -> Network:
    return it


def entry(number: int, way: str, what: str, peer: str, ports: tuple[int, int] | int = (0, 65535)) -> NaclEntry:
    """One entry: 'in' or 'out', 'allow' or 'deny', TCP unless every port is meant."""
    span = (ports, ports) if isinstance(ports, int) else ports
    protocol = "all" if span == (0, 65535) else "tcp"
    return NaclEntry(number, way == "out", what == "allow", block(peer), protocol, span)


ALL_IN, ALL_OUT = entry(100, "in", "allow", "0.0.0.0/0"), entry(100, "out", "allow", "0.0.0.0/0")
FROM_OUTSIDE = "8.8.0.0/16"


@dataclass(frozen=True)
class Case:
    """From one end to another after a change: the verdict, and the kind of hop that stops it."""

    source: str
    destination: str
    port: int
    verdict: str
    stopped_by: str | None = None
    change: Change = same
    protocol: Protocol = "tcp"
    replies: Replies = Replies.EVERY
    name: str | None = None
