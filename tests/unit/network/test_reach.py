"""Paths through networks made by hand: each case changes one thing, and says what becomes of the path and what stops it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bootstrap.errors import UsageError
from bootstrap.network.intentions import parse
from bootstrap.network.model import (
    Endpoint,
    Environment,
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
    make_icmp_range,
)
from bootstrap.network.path_explanation import ECHO, Replies, Traffic, explain
from bootstrap.network.port_ranges import find_unnamed_protocol
from bootstrap.network.port_ranges import format_stretches as joined_words
from bootstrap.network.proof import find_exposed, judge, judge_allow, judge_deny, prove

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


CASES = {
    # security groups
    "a group that is referenced is let in": Case("edge", "controller", 443, "open"),
    "a port that no rule names is closed": Case("edge", "controller", 80, "closed", "security group"),
    "a group that is not referenced is left out": Case("data", "controller", 443, "closed", "security group"),
    "being referenced one way opens nothing the other way": Case("controller", "edge", 22, "closed", "security group"),
    "a group without rules out sends nothing": Case(
        "edge", "controller", 443, "closed", "security group", grouped("sg-edge", egress=())
    ),
    "replies need no rule of a group": Case(
        "edge", "controller", 443, "open", None, grouped("sg-controller", egress=())
    ),
    "a rule for UDP lets no TCP in": Case(
        "edge", "controller", 443, "closed", "security group", grouped("sg-controller", (rule(443, "sg-edge", "udp"),))
    ),
    "a rule for every protocol lets UDP in": Case(
        "edge", "controller", 53, "open", None, grouped("sg-controller", (rule((0, 65535), "sg-edge", "all"),)), "udp"
    ),
    "the last port of a range is in it": Case(
        "edge", "controller", 90, "open", None, grouped("sg-controller", (rule((80, 90), "sg-edge"),))
    ),
    "the port after a range is not": Case(
        "edge", "controller", 91, "closed", "security group", grouped("sg-controller", (rule((80, 90), "sg-edge"),))
    ),
    "nobody needs a path to itself": Case("agents", "10.0.1.20/32", 22, "closed", "address"),
    "one subnet asks neither ACLs nor routes": Case(
        "agents", "controller", 443, "open", None, both(filtered("private"), only_routed("rtb-private", ""))
    ),
    "one subnet still asks the groups": Case("agents", "controller", 22, "closed", "security group"),
    "any of several groups may let in": Case(
        "data", "controller", 5432, "open", None,
        both(interfaced("eni-controller", groups=("sg-controller", "sg-x")), lambda it: replace(
            it, groups={**it.groups, "sg-x": SecurityGroup("sg-x", "vpc-a", (rule(5432, "sg-data"),))})),
    ),
    # ACLs: order
    "the lower number decides: deny": Case(
        "edge", "controller", 443, "closed", "ACL",
        filtered("private", entry(90, "in", "deny", "10.0.0.0/24", 443), ALL_IN, ALL_OUT),
    ),
    "the lower number decides: allow": Case(
        "edge", "controller", 443, "open", None,
        filtered("private", entry(80, "in", "allow", "10.0.0.10/32", 443),
                 entry(90, "in", "deny", "10.0.0.0/24"), ALL_IN, ALL_OUT),
    ),
    "the order of writing decides nothing": Case(
        "edge", "controller", 443, "closed", "ACL",
        filtered("private", ALL_IN, ALL_OUT, entry(90, "in", "deny", "10.0.0.0/24", 443)),
    ),
    "an entry for another port is passed by": Case(
        "edge", "controller", 443, "open", None,
        filtered("private", entry(90, "in", "deny", "0.0.0.0/0", 80), ALL_IN, ALL_OUT),
    ),
    "an ACL without entries denies": Case("edge", "controller", 443, "closed", "ACL", filtered("private")),
    "the source's ACL is asked on the way out": Case(
        "edge", "controller", 443, "closed", "ACL",
        filtered("public", ALL_IN, entry(1, "out", "deny", "10.0.1.0/24"), ALL_OUT),
        name="acl-public",
    ),
    # ACLs: replies
    "replies need the client's ports open": Case(
        "edge", "controller", 443, "closed", "ACL",
        filtered("private", ALL_IN, entry(100, "out", "allow", "0.0.0.0/0", 443)), name="acl-private",
    ),
    "replies to the client's ports pass": Case(
        "edge", "controller", 443, "open", None,
        filtered("private", ALL_IN, entry(100, "out", "allow", "0.0.0.0/0", (1024, 65535))),
    ),
    "half of the client's ports is no promise": Case(
        "edge", "controller", 443, "closed", "ACL",
        filtered("private", ALL_IN, entry(100, "out", "allow", "0.0.0.0/0", (40000, 65535))),
    ),
    "half of the client's ports is a threat": Case(
        "edge", "controller", 443, "open", None,
        filtered("private", ALL_IN, entry(100, "out", "allow", "0.0.0.0/0", (40000, 65535))), replies=Replies.SOME,
    ),
    "a client's port may be a low one: a threat": Case(
        "edge", "controller", 443, "open", None,
        filtered("private", ALL_IN, entry(100, "out", "allow", "0.0.0.0/0", (1, 1023))), replies=Replies.SOME,
    ),
    "replies must get into the source's subnet": Case(
        "edge", "controller", 443, "closed", "ACL", filtered("public", entry(100, "in", "allow", "0.0.0.0/0", 443), ALL_OUT),
        name="acl-public",
    ),
    "both ACLs must let the same ports pass": Case(
        "edge", "controller", 443, "closed", "ACL",
        both(filtered("private", ALL_IN, entry(1, "out", "allow", "0.0.0.0/0", (1024, 40000))),
             filtered("public", entry(1, "in", "allow", "0.0.0.0/0", (40001, 65535)), ALL_OUT)),
        replies=Replies.SOME, name="acl-public",
    ),
    "UDP without replies is a threat": Case(
        "edge", "controller", 53, "open", None,
        both(grouped("sg-controller", (rule(53, "sg-edge", "udp"),)), filtered("private", ALL_IN)), "udp", Replies.SOME,
    ),
    "UDP without replies is no promise": Case(
        "edge", "controller", 53, "closed", "ACL",
        both(grouped("sg-controller", (rule(53, "sg-edge", "udp"),)), filtered("private", ALL_IN)), "udp",
    ),
    # routes
    "a black hole swallows": Case(
        "controller", "internet", 443, "closed", "route", only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=!nat-x")
    ),
    "a longer prefix wins over the default route": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "route", routed("rtb-private", "8.8.0.0/16=!nat-x")
    ),
    "a shorter prefix loses to the longer": Case(
        "controller", "8.8.8.8/32", 443, "open", None, routed("rtb-private", "8.8.0.0/16=!nat-x 8.8.8.0/24=nat-a")
    ),
    "without a route nothing leaves": Case("data", "internet", 443, "closed", "route"),
    "the local route leads to every subnet": Case("controller", "data", 5432, "open"),
    # NAT and the Internet
    "out through NAT": Case("controller", FROM_OUTSIDE, 443, "open"),
    "never in through NAT": Case(FROM_OUTSIDE, "controller", 443, "closed", "nat gateway"),
    "the NAT gateway itself takes nothing": Case(FROM_OUTSIDE, "eni-nat", 443, "closed", "nat gateway"),
    "NAT is asked by its subnet's ACL": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "ACL",
        filtered("public", entry(1, "in", "deny", "10.0.1.0/24"), ALL_IN, ALL_OUT),
        name="acl-public",
    ),
    "replies to NAT need its ports": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "ACL",
        filtered("public", entry(1, "in", "allow", "10.0.0.0/16"),
                 entry(2, "in", "allow", "0.0.0.0/0", (32768, 65535)), ALL_OUT),
        name="acl-public",
    ),
    "NAT whose subnet has no way out": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "route", only_routed("rtb-public", "10.0.0.0/16=local"), name="rtb-public"
    ),
    "NAT takes no other protocols": Case("controller", FROM_OUTSIDE, 0, "closed", "nat gateway", protocol="47"),
    "NAT takes no IPv6": Case(
        "controller", "2a00::/32", 443, "closed", "nat gateway", only_routed("rtb-private", "2001:db8:a::/56=local ::/0=nat-a")
    ),
    "NAT makes IPv4 of what means IPv4, which leaves doubt": Case(
        "controller", "64:ff9b::/96", 443, "unknown", None, routed("rtb-private", "64:ff9b::/96=nat-a")
    ),
    "NAT whose own subnet leads back to it": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "nat gateway",
        only_routed("rtb-public", "10.0.0.0/16=local 0.0.0.0/0=nat-a"),
    ),
    "a second NAT on the way leaves doubt": Case(
        "controller", FROM_OUTSIDE, 443, "unknown", None,
        both(only_routed("rtb-public", "10.0.0.0/16=local 0.0.0.0/0=nat-b"),
             lambda it: replace(it, nats={**it.nats, "nat-b": replace(it.nats["nat-a"], id="nat-b")})),
    ),
    "replies through NAT go on by its subnet's routes": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "route", routed("rtb-public", "10.0.1.0/24=!eni-gone"), name="rtb-public"
    ),
    "in to a public address": Case("internet", "edge", 443, "open"),
    "in to a public subnet without a public address": Case(
        FROM_OUTSIDE, "edge", 443, "closed", "internet gateway", interfaced("eni-edge", public="")
    ),
    "out of a public subnet without a public address": Case(
        "edge", FROM_OUTSIDE, 443, "closed", "internet gateway", interfaced("eni-edge", public="")
    ),
    "a gateway that is not attached": Case(
        FROM_OUTSIDE, "edge", 443, "closed", "internet gateway",
        lambda it: replace(it, internet_gateways={"igw-a": Gateway("igw-a", ())}),
    ),
    "the Internet carries no private address": Case("172.16.0.0/24", "edge", 443, "closed", "internet gateway"),
    # IPv6
    "IPv6 in through the Internet gateway": Case("2a00::/32", "edge", 443, "open"),
    "IPv6 does not come in by the egress-only gateway": Case(
        "2a00::/32", "controller", 443, "closed", "egress-only gateway"
    ),
    "IPv6 leaves by the egress-only gateway": Case("controller", "2a00::/32", 443, "open"),
    "the egress-only gateway leads to the Internet alone": Case(
        "controller", "fd00::/32", 443, "closed", "egress-only gateway"
    ),
    "the egress-only gateway takes no address that the Internet does not answer": Case(
        "controller", "2a00::/32", 443, "closed", "egress-only gateway",
        interfaced("eni-controller", addresses=(address("fd00::10"),)),
    ),
    "a group that speaks of IPv4 alone lets no IPv6 in": Case(
        "2a00::/32", "edge", 443, "closed", "security group", grouped("sg-edge", (rule(443, "0.0.0.0/0"),))
    ),
    "an ACL that speaks of IPv4 alone lets no IPv6 in": Case(
        "2a00::/32", "edge", 443, "closed", "ACL", filtered("public", ALL_IN, ALL_OUT)
    ),
    "two families have nothing to say to each other": Case("2a00::/32", "data", 5432, "closed", "address"),
    # peering
    "over a peering with routes both ways": Case("controller", "eni-other", 443, "open"),
    "a peering with a route one way only": Case(
        "controller", "eni-other", 443, "closed", "route", only_routed("rtb-other", "10.1.0.0/16=local"), name="rtb-other"
    ),
    "a peering that is not accepted": Case(
        "controller", "eni-other", 443, "closed", "peering",
        lambda it: replace(it, peerings={"pcx-ab": replace(it.peerings["pcx-ab"], is_active=False)}),
    ),
    "a subnet without the peering's route": Case("edge", "eni-other", 443, "closed", "route"),
    "a peering leads no further than its VPC": Case(
        "controller", "10.2.0.0/24", 443, "closed", "peering", routed("rtb-private", "10.2.0.0/16=pcx-ab")
    ),
    "a peer that was not read leaves doubt": Case(
        "controller", "10.2.0.0/24", 443, "unknown", None,
        both(routed("rtb-private", "10.2.0.0/16=pcx-x"), lambda it: replace(
            it, peerings={"pcx-x": Peering("pcx-x", ("vpc-a", "vpc-x"), ((block("10.0.0.0/16"),), (block("10.2.0.0/16"),)))})),
    ),
    "a route to the wrong peering": Case(
        "controller", "eni-other", 443, "closed", "peering",
        both(only_routed("rtb-private", "10.0.0.0/16=local 10.1.0.0/16=pcx-x"), lambda it: replace(
            it, peerings={**it.peerings, "pcx-x": replace(it.peerings["pcx-ab"], id="pcx-x", vpcs=("vpc-a", "vpc-x"))})),
        name="pcx-x",
    ),
    # what is being made or gone
    "NAT that is not available": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "nat gateway",
        lambda it: replace(it, nats={"nat-a": replace(it.nats["nat-a"], is_available=False)}),
    ),
    "an endpoint that is not available": Case(
        "controller", "52.216.0.0/24", 443, "closed", "gateway endpoint",
        lambda it: replace(it, endpoints={"vpce-s3": replace(it.endpoints["vpce-s3"], is_available=False)}),
    ),
    "NAT is asked by its subnet's ACL on the way out too": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "ACL",
        filtered("public", ALL_IN, entry(1, "out", "deny", "8.8.0.0/16", 443), ALL_OUT), name="acl-public",
    ),
    # endpoints, VPN, what is not read
    "S3 by the gateway endpoint": Case(
        "data", "52.216.0.0/24", 443, "open", None, routed("rtb-isolated", "pl-s3=vpce-s3")
    ),
    "the endpoint leads to its service alone": Case(
        "data", "52.214.0.0/24", 443, "closed", "route", routed("rtb-isolated", "pl-s3=vpce-s3")
    ),
    "nobody comes in by a gateway endpoint": Case("52.216.0.0/24", "controller", 443, "closed", "gateway endpoint"),
    "the endpoint's list wins over the default route": Case(
        "controller", "52.216.0.0/24", 443, "open", None, without("nats")
    ),
    "in over a VPN": Case(
        "192.168.7.0/24", "controller", 9000, "open", None,
        both(routed("rtb-private", "192.168.0.0/16=vgw-a"), grouped("sg-controller", (rule(9000, "192.168.0.0/16"),))),
    ),
    "a private block without a VPN has no way in": Case(
        "192.168.7.0/24", "controller", 9000, "closed", "nat gateway", grouped("sg-controller", (rule(9000, "192.168.0.0/16"),))
    ),
    "a transit gateway leaves doubt": Case(
        "controller", "10.9.0.0/24", 443, "unknown", None, routed("rtb-private", "10.9.0.0/16=tgw-1")
    ),
    "out over a transit gateway that the VPC is attached to": Case(
        "controller", "10.9.0.0/24", 443, "open", None, joined("private"),
    ),
    "in over a transit gateway": Case(
        "10.9.0.0/24", "controller", 9000, "open", None,
        both(joined("private"), grouped("sg-controller", (rule(9000, "10.9.0.0/16"),))),
    ),
    "a transit gateway opens no group": Case("10.9.0.0/24", "controller", 9000, "closed", "security group", joined("private")),
    "what comes from a transit gateway in the subnet is asked by no ACL": Case(
        "10.9.0.0/24", "controller", 9000, "open", None,
        both(joined("private"), grouped("sg-controller", (rule(9000, "10.9.0.0/16"),)),
             filtered("private", entry(1, "in", "deny", "10.9.0.0/16", 9000), ALL_IN, ALL_OUT)),
    ),
    "what comes from one in another subnet is asked by both": Case(
        "10.9.0.0/24", "controller", 9000, "closed", "ACL",
        both(joined("public"), grouped("sg-controller", (rule(9000, "10.9.0.0/16"),)),
             filtered("private", entry(1, "in", "deny", "10.9.0.0/16", 9000), ALL_IN, ALL_OUT)), name="acl-private",
    ),
    "the subnet of its interface is asked, too": Case(
        "10.9.0.0/24", "controller", 9000, "closed", "ACL",
        both(joined("public"), grouped("sg-controller", (rule(9000, "10.9.0.0/16"),)),
             filtered("public", ALL_IN, entry(1, "out", "deny", "10.0.1.0/24", 9000), ALL_OUT)), name="acl-public",
    ),
    "what goes to it is asked into its interface's subnet": Case(
        "controller", "10.9.0.0/24", 443, "closed", "ACL",
        both(joined("public"), filtered("public", entry(1, "in", "deny", "10.0.1.0/24", 443), ALL_IN, ALL_OUT)),
        name="acl-public",
    ),
    "in over a transit gateway of other VPCs": Case(
        "10.9.0.0/24", "controller", 9000, "closed", "transit gateway",
        both(joined("private"), grouped("sg-controller", (rule(9000, "10.9.0.0/16"),)), lambda it: replace(
            it, transit_gateways={"tgw-1": TransitGateway("tgw-1", {"vpc-b": ("other",)})})),
    ),
    "from the Internet by way of a transit gateway is not known": Case(
        FROM_OUTSIDE, "controller", 9000, "unknown", None,
        both(joined("private"), routed("rtb-private", "8.8.0.0/16=tgw-1"),
             grouped("sg-controller", (rule(9000, "0.0.0.0/0"),))),
    ),
    "between two VPCs the subnet of its interface is asked": Case(
        "controller", "eni-other", 443, "closed", "ACL",
        both(joined("public"), only_routed("rtb-private", "10.0.0.0/16=local 10.1.0.0/16=tgw-1"),
             filtered("public", ALL_OUT)), name="acl-public",
    ),
    "what NAT sends to it is asked by NAT's own address": Case(
        "controller", "10.9.0.0/24", 443, "closed", "ACL",
        both(joined("isolated"), routed("rtb-private", "10.9.0.0/24=nat-a"), routed("rtb-public", "10.9.0.0/16=tgw-1"),
             filtered("isolated", entry(1, "in", "deny", "10.0.0.5/32", 443), ALL_IN, ALL_OUT)), name="acl-isolated",
    ),
    "and not by the source's": Case(
        "controller", "10.9.0.0/24", 443, "open", None,
        both(joined("isolated"), routed("rtb-private", "10.9.0.0/24=nat-a"), routed("rtb-public", "10.9.0.0/16=tgw-1"),
             filtered("isolated", entry(1, "in", "deny", "10.0.1.0/24", 443), ALL_IN, ALL_OUT)),
    ),
    "replies over it need the way out of the subnet": Case(
        "10.9.0.0/24", "controller", 9000, "closed", "ACL",
        both(joined("private"), grouped("sg-controller", (rule(9000, "10.9.0.0/16"),)),
             filtered("private", ALL_IN, entry(1, "out", "deny", "10.9.0.0/16", (1024, 65535)), ALL_OUT)),
    ),
    "a transit gateway of other VPCs": Case(
        "controller", "10.9.0.0/24", 443, "closed", "transit gateway",
        both(joined("private"), lambda it: replace(
            it, transit_gateways={"tgw-1": TransitGateway("tgw-1", {"vpc-b": ("other",)})})),
    ),
    "a zone without an interface of the transit gateway": Case(
        "controller", "10.9.0.0/24", 443, "closed", "transit gateway",
        both(joined("private"), lambda it: replace(it, subnets={
            **it.subnets, "private": replace(it.subnets["private"], zone="z2"), "far": replace(it.subnets["public"], id="far")},
            transit_gateways={"tgw-1": TransitGateway("tgw-1", {"vpc-a": ("far",)})})),
    ),
    "the Internet by way of a transit gateway is not known": Case(
        "controller", FROM_OUTSIDE, 443, "unknown", None,
        both(joined("private"), only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=tgw-1")),
    ),
    "a transit gateway between two VPCs has routes of its own": Case(
        "controller", "eni-other", 443, "unknown", None,
        both(joined("private"), only_routed("rtb-private", "10.0.0.0/16=local 10.1.0.0/16=tgw-1"),
             only_routed("rtb-other", "10.1.0.0/16=local 10.0.0.0/16=tgw-1"), grouped("sg-other", (rule(443, "10.0.1.0/24"),))),
    ),
    "between two VPCs a group still closes": Case(
        "controller", "eni-other", 80, "closed", "security group",
        both(joined("private"), only_routed("rtb-private", "10.0.0.0/16=local 10.1.0.0/16=tgw-1"),
             only_routed("rtb-other", "10.1.0.0/16=local 10.0.0.0/16=tgw-1")),
    ),
    "what a rule stops is closed, doubt or not": Case(
        "controller", "10.9.0.0/24", 443, "closed", "security group",
        both(routed("rtb-private", "10.9.0.0/16=tgw-1"), grouped("sg-controller", egress=())),
    ),
    # groups that are not read, families, further addresses
    "a group that is not read may let in": Case(
        "edge", "controller", 80, "unknown", None, interfaced("eni-controller", groups=("sg-controller", "sg-shared"))
    ),
    "a rule for a group of an unread peer leaves doubt": Case(
        "controller", "10.2.0.0/24", 443, "unknown", None,
        both(routed("rtb-private", "10.2.0.0/16=pcx-x"), grouped("sg-controller", egress=(rule(443, "sg-far"),)),
             lambda it: replace(it, peerings={"pcx-x": Peering(
                 "pcx-x", ("vpc-a", "vpc-x"), ((block("10.0.0.0/16"),), (block("10.2.0.0/16"),)))})),
    ),
    "a rule for a group that is not read is not for the Internet": Case(
        FROM_OUTSIDE, "edge", 443, "closed", "security group", grouped("sg-edge", (rule(443, "sg-far"),))
    ),
    "a group's rule reaches over a peering": Case(
        "controller", "eni-other", 443, "open", None, grouped("sg-other", (rule(443, "sg-controller"),))
    ),
    "a group lets its own members in": Case(
        "agents", "eni-2", 9, "open", None,
        both(grouped("sg-agents", (rule(9, "sg-agents"),)), lambda it: replace(it, interfaces={
            **it.interfaces, "eni-2": replace(it.interfaces["eni-agent"], id="eni-2", addresses=(address("10.0.1.21"),))})),
    ),
    "a managed prefix list lets in": Case(
        FROM_OUTSIDE, "edge", 443, "open", None,
        both(grouped("sg-edge", (rule(443, "pl-own"),)),
             lambda it: replace(it, prefix_lists={**it.prefix_lists, "pl-own": (block("8.8.0.0/16"),)})),
    ),
    "a managed prefix list lets nobody else in": Case(
        "9.9.9.0/24", "edge", 443, "closed", "security group",
        both(grouped("sg-edge", (rule(443, "pl-own"),)),
             lambda it: replace(it, prefix_lists={**it.prefix_lists, "pl-own": (block("8.8.0.0/16"),)})),
    ),
    "a further address with a public one is reached": Case(
        "internet", "controller", 443, "open", None,
        both(interfaced("eni-edge", roles=()), interfaced("eni-edge", public="", roles=("controller",), addresses=(
            address("10.0.0.10"), address("10.0.0.11")), others_public=((address("10.0.0.11"), address("203.0.113.8")),))),
    ),
    "from outside a public address is whose it is": Case(FROM_OUTSIDE, "203.0.113.9/32", 443, "open"),
    "from outside a public address is as closed as its interface": Case(
        FROM_OUTSIDE, "203.0.113.9/32", 80, "closed", "security group"
    ),
    "from outside a NAT gateway's public address takes nothing": Case(
        FROM_OUTSIDE, "203.0.113.5/32", 443, "closed", "nat gateway"
    ),
    "from inside a public address leaves doubt": Case("controller", "203.0.113.9/32", 80, "unknown"),
    "from inside a public address is left by the same ways": Case("data", "203.0.113.9/32", 443, "closed", "route"),
    "ICMP of IPv4 is not that of IPv6": Case(
        "2a00::/32", "edge", ECHO, "closed", "security group",
        grouped("sg-edge", (rule((0, 65535), "::/0", "icmp"),)), "icmp",
    ),
    "an echo request of IPv6": Case(
        "2a00::/32", "edge", ECHO, "open", None,
        grouped("sg-edge", (rule(make_icmp_range(128, -1), "::/0", "icmpv6"),)), "icmp",
    ),
    "a rule for a code of its own is for no other": Case(
        FROM_OUTSIDE, "edge", ECHO, "closed", "security group",
        grouped("sg-edge", (rule(make_icmp_range(8, 3), "0.0.0.0/0", "icmp"),)), "icmp",
    ),
    "an echo reply must come back": Case(
        FROM_OUTSIDE, "edge", ECHO, "closed", "ACL",
        both(grouped("sg-edge", (rule(make_icmp_range(8, -1), "0.0.0.0/0", "icmp"),)), filtered(
            "public", ALL_IN, NaclEntry(1, True, False, EVERYWHERE, "icmp", make_icmp_range(0, -1)), ALL_OUT)), "icmp",
    ),
    "an echo that nobody answers is a threat": Case(
        FROM_OUTSIDE, "edge", ECHO, "open", None,
        both(grouped("sg-edge", (rule(make_icmp_range(8, -1), "0.0.0.0/0", "icmp"),)), filtered("public", ALL_IN)), "icmp",
        Replies.SOME,
    ),
    "what is no echo request needs no reply": Case(
        FROM_OUTSIDE, "edge", 772, "open", None,
        both(grouped("sg-edge", (rule(make_icmp_range(3, 4), "0.0.0.0/0", "icmp"),)), filtered("public", ALL_IN)), "icmp",
    ),
    "an echo reply of IPv6 must come back": Case(
        "2a00::/32", "edge", ECHO, "closed", "ACL",
        both(grouped("sg-edge", (rule(make_icmp_range(128, -1), "::/0", "icmpv6"),)), filtered(
            "public", *OPEN, NaclEntry(1, True, False, EVERYWHERE6, "icmpv6", make_icmp_range(129, -1)))), "icmp",
    ),
    "other protocols are answered, too": Case(
        FROM_OUTSIDE, "edge", 0, "closed", "ACL",
        both(grouped("sg-edge", (rule((0, 65535), "0.0.0.0/0", "47"),)), filtered(
            "public", ALL_IN, NaclEntry(1, True, False, EVERYWHERE, "47"), ALL_OUT)), "47",
    ),
    "GRE by its number": Case(
        FROM_OUTSIDE, "edge", 0, "open", None, grouped("sg-edge", (rule((0, 65535), "0.0.0.0/0", "47"),)), "47"
    ),
    "ESP is not GRE": Case(
        FROM_OUTSIDE, "edge", 0, "closed", "security group",
        grouped("sg-edge", (rule((0, 65535), "0.0.0.0/0", "47"),)), "50",
    ),
    # what routes leave open
    "a propagated route inside the VPC loses to the local one": Case(
        "edge", "controller", 443, "open", None,
        lambda it: replace(it, route_tables={**it.route_tables, "rtb-public": replace(
            it.route_tables["rtb-public"],
            routes=(Route(block("10.0.1.0/24"), "vgw-a", is_propagated=True), *it.route_tables["rtb-public"].routes))}),
    ),
    "equal blocks of two lists leave doubt": Case(
        "controller", "52.216.0.0/24", 443, "unknown", None,
        both(routed("rtb-private", "pl-two=tgw-1"),
             lambda it: replace(it, prefix_lists={**it.prefix_lists, "pl-two": (block("52.216.0.0/15"),)})),
    ),
    "equal blocks of two lists to gateways that are known leave doubt, too": Case(
        "controller", "52.216.0.0/24", 443, "unknown", None,
        both(routed("rtb-private", "pl-two=nat-a"),
             lambda it: replace(it, prefix_lists={**it.prefix_lists, "pl-two": (block("52.216.0.0/15"),)})),
    ),
    "NAT leads on to a peer where its own subnet does": Case(
        "controller", "eni-other", 443, "unknown", None,
        both(only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=nat-a"), routed("rtb-public", "10.1.0.0/16=pcx-ab")),
    ),
    "what NAT sends to a peer is asked in its own name": Case(
        "controller", "eni-other", 443, "unknown", None,
        both(only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=nat-a"), routed("rtb-public", "10.1.0.0/16=pcx-ab"),
             grouped("sg-other", (rule(443, "10.0.0.5/32"),))),
    ),
    "NAT that is not available leads to no peer": Case(
        "controller", "eni-other", 443, "closed", "nat gateway",
        both(only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=nat-a"), routed("rtb-public", "10.1.0.0/16=pcx-ab"),
             lambda it: replace(it, nats={"nat-a": replace(it.nats["nat-a"], is_available=False)})),
    ),
    "replies do not come back through NAT": Case(
        "10.0.0.10/32", "10.0.1.10/32", 443, "closed", "nat gateway", routed("rtb-private", "10.0.0.0/24=nat-a")
    ),
    "an appliance on the way to a peer leaves doubt": Case(
        "controller", "eni-other", 443, "unknown", None, routed("rtb-private", "10.1.0.0/24=eni-appliance")
    ),
    "a gateway's own table may lead straight in": Case(
        FROM_OUTSIDE, "edge", 443, "open", None,
        lambda it: replace(it, edges={"igw-a": "rtb-edge"}, route_tables={
            **it.route_tables, "rtb-edge": RouteTable("rtb-edge", "vpc-a", routes("10.0.0.0/16=local"))}),
    ),
    "a gateway that is not attached leads nowhere": Case(
        "edge", FROM_OUTSIDE, 443, "closed", "internet gateway",
        lambda it: replace(it, internet_gateways={"igw-a": Gateway("igw-a", ())}),
    ),
    "nobody's address leaves by no Internet gateway": Case(
        "10.0.0.99/32", FROM_OUTSIDE, 443, "closed", "internet gateway"
    ),
    "UDP goes out whatever becomes of replies: a threat": Case(
        "edge", FROM_OUTSIDE, 53, "open", None, filtered("public", ALL_OUT), "udp", Replies.SOME
    ),
    "UDP goes out by NAT whatever becomes of replies: a threat": Case(
        "controller", FROM_OUTSIDE, 53, "open", None, filtered("private", ALL_OUT), "udp", Replies.SOME
    ),
    "UDP may come in by a transit gateway where replies do not leave by it": Case(
        "10.9.0.0/24", "data", 5432, "unknown", None,
        both(joined("isolated"), grouped("sg-data", (rule(5432, "10.9.0.0/16", "udp"),))), "udp", Replies.SOME,
    ),
    "UDP comes in by no peering that is not active": Case(
        "10.2.0.0/24", "data", 5432, "closed", "route",
        both(grouped("sg-data", (rule(5432, "10.2.0.0/24", "udp"),)), lambda it: replace(
            it, peerings={"pcx-x": Peering("pcx-x", ("vpc-a", "vpc-x"), ((block("10.0.0.0/16"),), (block("10.2.0.0/16"),)),
                                           is_active=False)})), "udp", Replies.SOME,
    ),
    "UDP does not come in to what has no public address": Case(
        FROM_OUTSIDE, "data", 5432, "closed", "route", grouped("sg-data", (rule(5432, "0.0.0.0/0", "udp"),)), "udp",
        Replies.SOME,
    ),
    "UDP does not come in from what the Internet does not route": Case(
        "172.16.7.0/24", "edge", 443, "closed", "internet gateway", grouped("sg-edge", (rule(443, "0.0.0.0/0", "udp"),)),
        "udp", Replies.SOME,
    ),
    "NAT leads to no peer where its own subnet does not": Case(
        "controller", "eni-other", 443, "closed", "route",
        only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=nat-a"),
    ),
    "a gateway's own table leads by an appliance": Case(
        FROM_OUTSIDE, "edge", 443, "unknown", None,
        lambda it: replace(it, edges={"igw-a": "rtb-edge"}, route_tables={
            **it.route_tables, "rtb-edge": RouteTable("rtb-edge", "vpc-a", routes("10.0.0.0/16=local 10.0.0.0/24=eni-x"))}),
    ),
    "replies go by the gateway's own table, too": Case(
        "edge", FROM_OUTSIDE, 443, "unknown", None,
        lambda it: replace(it, edges={"igw-a": "rtb-edge"}, route_tables={
            **it.route_tables, "rtb-edge": RouteTable("rtb-edge", "vpc-a", routes("10.0.0.0/16=local 10.0.0.0/24=eni-x"))}),
    ),
    "replies end where the gateway's own table does": Case(
        "controller", FROM_OUTSIDE, 443, "closed", "route",
        lambda it: replace(it, edges={"igw-a": "rtb-edge"}, route_tables={
            **it.route_tables, "rtb-edge": RouteTable("rtb-edge", "vpc-a", routes("10.0.0.0/24=!eni-x"))}),
        name="rtb-edge",
    ),
    "UDP may come in by VPN where replies do not leave by it": Case(
        "192.168.7.0/24", "data", 5432, "unknown", None,
        both(routed("rtb-private", "192.168.0.0/16=vgw-a"),
             grouped("sg-data", (rule(5432, "192.168.0.0/16", "udp"),))), "udp", Replies.SOME,
    ),
    "UDP may come in by the second of two routes that are equal": Case(
        "192.168.7.0/24", "data", 5432, "unknown", None,
        both(routed("rtb-private", "pl-one=igw-away"), routed("rtb-private", "pl-two=vgw-a"),
             grouped("sg-data", (rule(5432, "192.168.0.0/16", "udp"),)),
             lambda it: replace(it, prefix_lists=dict.fromkeys(("pl-one", "pl-two"), (block("192.168.0.0/16"),)))),
        "udp", Replies.SOME,
    ),
    "UDP comes from no VPN that leads elsewhere": Case(
        "172.16.7.0/24", "data", 5432, "closed", "route",
        both(routed("rtb-private", "192.168.0.0/16=vgw-a"),
             grouped("sg-data", (rule(5432, "0.0.0.0/0", "udp"),))), "udp", Replies.SOME,
    ),
    "UDP may come in from an unread peer where replies do not leave to it": Case(
        "10.2.0.0/24", "data", 5432, "unknown", None,
        both(grouped("sg-data", (rule(5432, "10.2.0.0/24", "udp"),)), lambda it: replace(
            it, peerings={"pcx-x": Peering("pcx-x", ("vpc-a", "vpc-x"), ((block("10.0.0.0/16"),), (block("10.2.0.0/16"),)))})),
        "udp", Replies.SOME,
    ),
    "TCP makes no connection by a VPN that replies do not leave by": Case(
        "192.168.7.0/24", "data", 5432, "closed", "route",
        both(routed("rtb-private", "192.168.0.0/16=vgw-a"), grouped("sg-data", (rule(5432, "192.168.0.0/16"),))),
        replies=Replies.SOME,
    ),
    # what AWS itself answers
    "the resolver is asked whatever the rules say": Case(
        "data", "10.0.0.2/32", 53, "open", None,
        both(grouped("sg-data", egress=()), filtered("isolated"), filtered("public")), "udp"),
    "the resolver answers on the link, too": Case(
        "data", "169.254.169.253/32", 53, "open", None, grouped("sg-data", egress=())
    ),
    "the resolver answers nothing else": Case("data", "10.0.0.2/32", 80, "closed", "service"),
    "metadata is told whatever the rules say": Case(
        "data", "169.254.169.254/32", 80, "open", None, grouped("sg-data", egress=())
    ),
    "the time is told by IPv6": Case("edge", "fd00:ec2::123/128", 123, "open", None, grouped("sg-edge", egress=()), "udp"),
    "another VPC's resolver is nobody's": Case("eni-other", "10.0.0.2/32", 53, "closed", "address", same, "udp"),
    "from outside nobody asks the resolver": Case("192.168.7.0/24", "10.0.0.2/32", 53, "closed", "address", same, "udp"),
    "UDP may come in where replies would leave by NAT": Case(
        FROM_OUTSIDE, "controller", 53, "unknown", None,
        both(interfaced("eni-controller", public="203.0.113.7"),
             grouped("sg-controller", (rule(53, "0.0.0.0/0", "udp"),))), "udp", Replies.SOME,
    ),
    "TCP makes no connection where replies leave by NAT": Case(
        FROM_OUTSIDE, "controller", 53, "closed", "nat gateway",
        both(interfaced("eni-controller", public="203.0.113.7"), grouped("sg-controller", (rule(53, "0.0.0.0/0"),))),
        replies=Replies.SOME,
    ),
    "a transit gateway's attachment takes nothing": Case(
        "agents", "eni-tgw", 443, "closed", "transit gateway",
        lambda it: replace(it, interfaces={**it.interfaces, "eni-tgw": Interface(
            "eni-tgw", "private", (address("10.0.1.40"),), kind="transit_gateway")}),
    ),
    # names
    "an instance is its interfaces": Case("edge", "i-c", 443, "open"),
    "operators are their block": Case("operators", "controller", 22, "closed", "nat gateway"),
    "a role that nobody has": Case("bastion", "controller", 22, "closed", "address"),
    "an address that nobody has": Case("edge", "10.0.1.77/32", 443, "closed", "address"),
    "an address inside is the interface that has it": Case("10.0.0.10/32", "controller", 443, "open"),
    "a stranger in a subnet is in no group": Case("10.0.0.99/32", "controller", 443, "closed", "security group"),
    "two ends outside are not ours to judge": Case("8.8.8.8/32", "9.9.9.9/32", 443, "closed", "address"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_path_ends_where_it_must(name: str) -> None:
    case = CASES[name]
    found = explain(
        case.change(network()), case.source, case.destination, Traffic(case.port, case.protocol, case.replies)
    )

    assert (case.verdict, case.stopped_by) == (found.verdict, found.stopped_by and found.stopped_by.kind), found.hops
    assert found.stopped_by in (None, found.hops[-1])
    if case.name:
        assert case.name == found.hops[-1].name


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 40


def test_every_hop_before_the_last_passes() -> None:
    for case in CASES.values():
        found = explain(case.change(network()), case.source, case.destination, Traffic(case.port))

        assert all(hop.passes for hop in found.hops[:-1])


HOPS = {
    ("edge", "controller"): (
        "security group sg-edge, ACL acl-public, route rtb-public, ACL acl-private, security group sg-controller, "
        "route rtb-private, ACL acl-private, ACL acl-public"
    ),
    ("controller", FROM_OUTSIDE): (
        "security group sg-controller, ACL acl-private, route rtb-private, ACL acl-public, nat gateway nat-a, "
        "ACL acl-public, route rtb-public, internet gateway igw-a, ACL acl-public, "
        "route rtb-public, ACL acl-public, ACL acl-private"
    ),
    (FROM_OUTSIDE, "edge"): (
        "route rtb-public, internet gateway igw-a, ACL acl-public, security group sg-edge, ACL acl-public"
    ),
    ("controller", "eni-other"): (
        "security group sg-controller, ACL acl-private, route rtb-private, peering pcx-ab, ACL acl-other, "
        "security group sg-other, route rtb-other, peering pcx-ab, ACL acl-other, ACL acl-private"
    ),
    ("192.168.7.0/24", "data"): "route rtb-isolated",
    (FROM_OUTSIDE, "203.0.113.9/32"): (
        "address 203.0.113.9, route rtb-public, internet gateway igw-a, ACL acl-public, security group sg-edge, "
        "ACL acl-public"
    ),
    ("controller", "agents"): "security group sg-controller, subnet private, security group sg-agents",
}


@pytest.mark.parametrize("ends", HOPS)
def test_each_station_is_told_in_the_order_in_which_packets_and_replies_meet_it(ends: tuple[str, str]) -> None:
    opened = both(grouped("sg-agents", (rule(443, "sg-controller"),)))(network())
    found = explain(opened, *ends, Traffic(443))

    assert HOPS[ends] == ", ".join(f"{hop.kind} {hop.name}" for hop in found.hops)


def test_a_name_that_means_nothing_is_refused() -> None:
    for name, words in (("controler", "did you mean 'controller'"), ("i-0", "no interface"), ("300.0.0.0/8", "300")):
        with pytest.raises(UsageError) as caught:
            explain(network(), name, "controller", Traffic(443))
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("source", "destination", "subnet", "way", "ports"),
    [
        ("edge", "controller", "private", "out", (32768, 60999)),  # the ports that our machines start connections from
        (FROM_OUTSIDE, "edge", "public", "out", (1024, 65535)),  # anybody's
        ("controller", FROM_OUTSIDE, "public", "in", (1024, 65535)),  # a NAT gateway's
        ("controller", FROM_OUTSIDE, "private", "in", (32768, 60999)),
    ],
)
def test_a_promise_is_kept_where_every_port_of_a_client_gets_replies(
    source: str, destination: str, subnet: str, way: str, ports: tuple[int, int]
) -> None:
    rest = entry(200, "in" if way == "out" else "out", "allow", "0.0.0.0/0")
    asked = entry(210, way, "allow", "10.0.0.0/8")

    def verdict(first: int, last: int) -> str:
        let = entry(100, way, "allow", "0.0.0.0/0", (first, last))
        more = () if destination == "controller" else (asked,)
        return explain(filtered(subnet, let, rest, *more)(network()), source, destination, Traffic(443)).verdict

    assert ("open", "closed", "closed") == (
        verdict(*ports),
        verdict(ports[0] + 1, ports[1]),
        verdict(ports[0], ports[1] - 1),
    )


@pytest.mark.parametrize("port", [1, 65535])
def test_a_threat_is_one_port_of_a_client_that_gets_replies(port: int) -> None:
    for source, destination, subnet in (("edge", "controller", "private"), (FROM_OUTSIDE, "edge", "public")):
        only = filtered(subnet, ALL_IN, entry(100, "out", "allow", "0.0.0.0/0", port))
        assert "open" == explain(only(network()), source, destination, Traffic(443, replies=Replies.SOME)).verdict


@pytest.mark.parametrize(
    ("source", "port", "protocol", "words"),
    [
        (FROM_OUTSIDE, 443, "tcp", "tcp 443"),
        (FROM_OUTSIDE, 53, "udp", "udp 53"),
        (FROM_OUTSIDE, ECHO, "icmp", "icmp type 8, code 0"),
        ("2a00::/32", ECHO, "icmp", "icmpv6 type 128, code 0"),
        (FROM_OUTSIDE, 772, "icmp", "icmp type 3, code 4"),
        (FROM_OUTSIDE, 0, "47", "protocol 47"),
    ],
)
def test_what_goes_is_told_in_words(source: str, port: int, protocol: Protocol, words: str) -> None:
    assert words == explain(network(), source, "edge", Traffic(port, protocol)).what


def test_names_are_told_where_there_are_any() -> None:
    here = network()
    named = replace(
        here,
        nacls={key: replace(it, name=f"the {key}") for key, it in here.nacls.items()},
        route_tables={key: replace(it, name=f"the {key}") for key, it in here.route_tables.items()},
        groups={key: replace(it, name=f"the {key}") for key, it in here.groups.items()},
        nats={key: replace(it, name=f"the {key}") for key, it in here.nats.items()},
    )
    told = [hop for ends in HOPS for hop in explain(named, *ends, Traffic(443)).hops]

    of = {"ACL", "route", "security group", "nat gateway"}
    assert of == {hop.kind for hop in told if hop.name.startswith("the ")}
    assert not [hop for hop in told if hop.kind in of and not hop.name.startswith("the ")]
    assert "entry 100 allows tcp 443 out of private, to 8.8.0.1" in {hop.says for hop in told}
    assert "allows replies into public to ports 32768-60999" in {hop.says for hop in told}


def test_the_last_entry_which_every_nacl_has_is_not_told_as_one() -> None:
    last = NaclEntry(32767, False, False, EVERYWHERE)
    found = explain(filtered("private", last, ALL_OUT)(network()), "edge", "controller", Traffic(443))

    assert found.stopped_by is not None
    assert "no entry allows tcp 443 into private, from 10.0.0.10" == found.stopped_by.says


# --- intentions


def test_what_is_as_intended_gives_no_finding() -> None:
    allow = [parse("internet -> edge:443"), parse("edge -> controller:443"), parse("controller -> data:5432")]
    deny = [parse("internet -> controller:*"), parse("edge -> data:*"), parse("internet -> 10.0.2.0/24:*")]

    assert () == prove(network(), allow, deny)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("edge -> controller:80", "no rule lets tcp 80"),
        ("edge -> controller:443-444", "tcp 444 is closed"),
        ("edge -> controller:*", "is closed"),
        ("operators -> controller:22", "it leads out only"),
        ("controller -> 10.9.0.0/24:443", "the Internet does not route"),
    ],
)
def test_a_promise_that_is_not_kept_is_told_with_its_reason(wish: str, words: str) -> None:
    found = judge_allow(network(), parse(wish))

    assert found is not None
    assert words in str(found)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("operators -> controller:80", "there are no operators"),
        ("bastion -> controller:80", "no interface has the role bastion"),
        ("edge -> bastion:22", "no interface has the role bastion"),
        ("controller -> controller:443", "no other interface is there"),
        ("2001:db8::/32 -> data:5432", "no addresses of one family"),
        ("later -> controller:443", "the environment later has no network in this account and region"),
    ],
)
def test_a_promise_to_nobody_is_not_proven(wish: str, words: str) -> None:
    here = replace(network(), operators=(), environments={"later": Environment(block("10.7.0.0/16"))})
    found = judge_allow(here, parse(wish))

    assert found is not None
    assert "unproven" == found.outcome
    assert words in found.says


def test_each_intention_is_judged_and_what_is_not_proven_is_not_held() -> None:
    allow = [parse("edge -> controller:443"), parse("edge -> bastion:22"), parse("internet -> edge:443")]
    deny = [parse("edge -> controller:*"), parse("bastion -> controller:*")]

    found = judge(network(), allow, deny)

    assert ["holds", "unproven", "holds", "broken", "holds", "holds"] == [it.outcome for it in found]
    assert "allow edge -> bastion:22: not proven: no interface has the role bastion" == str(found[1])
    assert "no interface has the role bastion, so there is nothing to deny" == found[4].says
    assert ["unproven", "broken"] == [it.outcome for it in prove(network(), allow, deny)]


# --- environments as ends

PAIR = {"own": Environment(block("10.0.0.0/16"), "vpc-a"), "peer": Environment(block("10.1.0.0/16"), "vpc-b")}


def test_an_environment_is_its_whole_vpc() -> None:
    here = replace(network(), environments=PAIR)

    assert "open" == explain(here, "own", "peer", Traffic(443)).verdict
    assert judge_deny(here, parse("own -> peer:*")) is not None
    assert judge_deny(here, parse("own -> peer:80")) is None
    assert judge_allow(here, parse("own -> peer:443")) is None
    assert judge_allow(here, parse("peer -> own:443")) is not None


def test_without_the_peering_neither_environment_reaches_the_other() -> None:
    apart = both(without("peerings"), only_routed("rtb-other", "10.1.0.0/16=local"),
                 only_routed("rtb-private", "10.0.0.0/16=local 0.0.0.0/0=nat-a"))(network())  # fmt: skip
    here = replace(apart, environments=PAIR)

    assert [] == [it for it in ("own -> peer:*", "peer -> own:*") if judge_deny(here, parse(it)) is not None]
    found = judge_allow(here, parse("own -> peer:443"))
    assert found is not None
    assert "broken" == found.outcome


def test_an_environment_that_was_not_made_is_its_block() -> None:
    here = replace(network(), environments={"later": Environment(block("192.168.0.0/16"))})
    opened = both(
        routed("rtb-private", "192.168.0.0/16=vgw-a"), grouped("sg-controller", (rule(9000, "192.168.0.0/16"),))
    )

    assert judge_deny(here, parse("later -> controller:*")) is None
    assert judge_deny(opened(here), parse("later -> controller:*")) is not None


def test_a_promise_between_roles_is_to_every_interface() -> None:
    second = both(
        lambda it: replace(
            it, interfaces={**it.interfaces, "eni-2": replace(it.interfaces["eni-controller"], id="eni-2")}
        ),
        interfaced("eni-2", addresses=(address("10.0.1.30"),), groups=("sg-data",)),
    )

    assert judge_allow(network(), parse("edge -> controller:443")) is None
    assert judge_allow(second(network()), parse("edge -> controller:443")) is not None


def test_a_promise_to_the_internet_is_broken_by_one_rule_against_a_part_of_it() -> None:
    change = filtered("public", entry(1, "in", "deny", "9.0.0.0/8"), *OPEN)

    assert judge_allow(network(), parse("internet -> edge:443")) is None
    assert judge_allow(change(network()), parse("internet -> edge:443")) is not None


@pytest.mark.parametrize(
    ("ban", "change"),
    [
        ("edge -> controller:1-65535", same),
        ("10.0.0.0/24 -> controller:*", same),
        ("edge -> controller:*", grouped("sg-controller", (rule(54321, "sg-edge", "udp"),))),
        ("edge -> controller:*", grouped("sg-controller", (rule((0, 65535), "sg-edge", "icmp"),))),
        ("edge -> controller:*", grouped("sg-controller", (rule((3328, 3328), "sg-edge", "icmp"),))),
        ("edge -> controller:*", grouped("sg-controller", (rule((0, 65535), "sg-edge", "47"),))),
        ("edge -> controller:*", both(
            grouped("sg-controller", (rule((0, 65535), "sg-edge", "all"),)),
            filtered("private", *(NaclEntry(n, False, False, EVERYWHERE, protocol)
                                  for n, protocol in enumerate(("tcp", "udp", "icmp", "47"), 1)), ALL_IN, ALL_OUT))),
        ("controller -> 10.9.0.0/24:443", routed("rtb-private", "10.9.0.0/16=tgw-1")),
    ],
)  # fmt: skip
def test_a_ban_is_broken_by_one_open_port_anywhere_in_it(ban: str, change: Change) -> None:
    assert judge_deny(change(network()), parse(ban)) is not None


def test_what_the_internet_reaches_must_be_allowed() -> None:
    found = list(find_exposed(network(), []))

    assert ["eni-edge: reachable from the Internet, which no intention allows: tcp 443"] == [str(it) for it in found]
    assert [] == list(find_exposed(network(), [parse("internet -> edge:443")]))
    assert [] == list(find_exposed(network(), [parse("internet -> 10.0.0.0/24:400-500")]))


def test_a_public_address_is_in_its_block_as_the_interface_is_that_has_it() -> None:
    assert judge_deny(network(), parse("internet -> 203.0.113.0/24:*")) is not None
    assert judge_deny(network(), parse("internet -> 203.0.113.0/24:80")) is None
    assert judge_allow(network(), parse("internet -> 203.0.113.9/32:443")) is None
    assert [] == list(find_exposed(network(), [parse("internet -> 203.0.113.9/32:443")]))


def test_operators_are_not_the_internet() -> None:
    only_operators = grouped("sg-edge", (rule(443, OPERATORS),))(network())

    assert [] == list(find_exposed(only_operators, []))
    assert judge_allow(only_operators, parse("operators -> edge:443")) is None
    assert len(list(find_exposed(replace(only_operators, operators=()), []))) == 1


def test_operators_have_several_blocks() -> None:
    both_blocks = (block(OPERATORS), block("192.0.2.0/24"))
    only_the_first = replace(grouped("sg-edge", (rule(443, OPERATORS),))(network()), operators=both_blocks)
    open_to_both = replace(
        grouped("sg-edge", (rule(443, OPERATORS), rule(443, "192.0.2.0/24")))(network()), operators=both_blocks
    )

    # An intention of the operators holds only if all of their blocks get through; none of them is the Internet.
    assert judge_allow(only_the_first, parse("operators -> edge:443")) is not None
    assert judge_allow(open_to_both, parse("operators -> edge:443")) is None
    assert [] == list(find_exposed(open_to_both, []))
    assert len(list(find_exposed(replace(open_to_both, operators=(block(OPERATORS),)), []))) == 1


def test_what_has_a_role_in_the_operators_block_is_no_operator() -> None:
    everywhere = replace(network(), operators=(block("10.0.0.0/16"),))

    assert "open" == explain(everywhere, "edge", "controller", Traffic(443)).verdict
    assert "closed" == explain(everywhere, "operators", "controller", Traffic(443)).verdict


def test_a_peer_is_not_ours_to_judge() -> None:
    peer_is_open = both(
        interfaced("eni-other", public="203.0.113.77"),
        grouped("sg-other", (rule(80, "0.0.0.0/0"),)),
        routed("rtb-other", "0.0.0.0/0=igw-b"),
        lambda it: replace(it, internet_gateways={**it.internet_gateways, "igw-b": Gateway("igw-b", ("vpc-b",))}),
    )(network())

    assert "open" == explain(peer_is_open, FROM_OUTSIDE, "eni-other", Traffic(80)).verdict
    assert [] == list(find_exposed(peer_is_open, [parse("internet -> edge:443")]))


def test_what_is_exposed_is_judged_and_not_taken_for_nothing() -> None:
    assert ["broken"] == [it.outcome for it in judge(network(), [], [])]
    assert ["eni-edge"] == [it.about for it in prove(network(), [], [])]


def test_a_promise_to_a_block_is_to_whoever_is_there() -> None:
    assert judge_allow(network(), parse("10.0.0.0/24 -> controller:443")) is None


def test_a_promise_to_an_environment_in_which_nobody_stands_is_not_proven() -> None:
    found = judge_allow(replace(network(), environments={"empty": Environment(block("10.8.0.0/16"), "vpc-x")}),
                     parse("empty -> controller:443"))  # fmt: skip

    assert found is not None
    assert ("unproven", "no interface is in empty") == (found.outcome, found.says)


def test_an_opening_that_is_allowed_in_part_is_told_without_that_part() -> None:
    opened = grouped("sg-edge", (rule((400, 500), "0.0.0.0/0"),))(network())

    (found,) = find_exposed(opened, [parse("internet -> edge:450")])

    assert found.says.endswith("allows: tcp 400-449, tcp 451-500")


def test_stretches_are_told_in_words() -> None:
    asked = [
        ("tcp", 1, 21),
        ("tcp", 22, 22),
        ("udp", 53, 53),
        ("icmp", 772, 772),
        ("icmp", 2048, 2303),
        ("icmp", 0, 511),
    ]

    assert ["tcp 1-22", "udp 53", "icmp type 3 code 4", "icmp type 8", "icmp type 0-1", "protocol 47"] == list(
        joined_words(network(), [*asked, ("47", 0, 0)])
    )
    assert ["icmp", "other protocols"] == list(
        joined_words(network(), [("icmp", 0, 65535), (find_unnamed_protocol(network()), 0, 0)])
    )


def test_an_opening_for_a_part_of_the_internet_is_found() -> None:
    change = grouped("sg-edge", (rule((8000, 8100), "9.9.9.0/29"),))

    found = [str(it) for it in find_exposed(change(network()), [])]

    assert ["eni-edge: reachable from the Internet, which no intention allows: tcp 8000-8100"] == found
