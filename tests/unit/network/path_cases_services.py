"""Cases of paths: what routes leave open, what AWS itself answers, and the names of hops."""

from __future__ import annotations

from dataclasses import replace

from bootstrap.network.model import Gateway, Interface, Peering, Route, RouteTable
from bootstrap.network.path_explanation import Replies
from tests.unit.network.handmade_network import (
    ALL_OUT,
    FROM_OUTSIDE,
    Case,
    address,
    block,
    both,
    filtered,
    grouped,
    interfaced,
    joined,
    only_routed,
    routed,
    routes,
    rule,
    same,
)

CASES_OF_SERVICES = {
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
