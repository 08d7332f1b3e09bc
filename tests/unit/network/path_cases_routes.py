"""Cases of paths: where routes, NAT, IPv6, peerings, endpoints and VPNs lead."""

from __future__ import annotations

from dataclasses import replace

from bootstrap.network.model import Gateway, Peering, TransitGateway
from tests.unit.network.handmade_network import (
    ALL_IN,
    ALL_OUT,
    FROM_OUTSIDE,
    Case,
    address,
    block,
    both,
    entry,
    filtered,
    grouped,
    interfaced,
    joined,
    only_routed,
    routed,
    rule,
    without,
)

CASES_OF_ROUTES = {
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
}  # fmt: skip
