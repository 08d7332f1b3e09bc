"""Cases of paths: what security groups and ACLs let through, with those that are not read."""

from __future__ import annotations

from dataclasses import replace

from bootstrap.network.model import NaclEntry, Peering, SecurityGroup, make_icmp_range
from bootstrap.network.path_explanation import ECHO, Replies
from tests.unit.network.handmade_network import (
    ALL_IN,
    ALL_OUT,
    EVERYWHERE,
    EVERYWHERE6,
    FROM_OUTSIDE,
    OPEN,
    Case,
    address,
    block,
    both,
    entry,
    filtered,
    grouped,
    interfaced,
    only_routed,
    routed,
    rule,
)

CASES_OF_FILTERS = {
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
}  # fmt: skip
