"""Whole paths through random networks: the analyser and the reference agree on the verdict and on the hop that stops."""

from __future__ import annotations

import ipaddress
import os
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.network.intentions import Intention
from bootstrap.network.model import (
    ALL_PORTS,
    Block,
    Endpoint,
    Gateway,
    GroupRule,
    Interface,
    Nacl,
    NaclEntry,
    Nat,
    Network,
    Peering,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    TransitGateway,
    Vpc,
    make_icmp_range,
)
from bootstrap.network.path_ends import Spot, resolve_ends
from bootstrap.network.path_explanation import ECHO, Path, Replies, Traffic, follow
from bootstrap.network.proof import judge_deny
from tests.unit.network.reference import Trip
from tests.unit.network.reference_packet import EDGES, HIGHEST, SAMPLE, Answer

block, address = ipaddress.ip_network, ipaddress.ip_address
BLOCKS = {
    "vpc-a": (block("10.0.0.0/24"), block("2001:db8:a::/56")),
    "vpc-b": (block("10.1.0.0/24"), block("2001:db8:b::/56")),
}
FAR = block("10.2.0.0/24")  # of a VPC that nobody reads, beyond a peering
# Two subnets of one VPC and one of another; each can carry both families, and has an interface or two.
SUBNETS = {
    "a1": ("vpc-a", "10.0.0.0/26", "2001:db8:a:1::/64"),
    "a2": ("vpc-a", "10.0.0.64/26", "2001:db8:a:2::/64"),
    "b1": ("vpc-b", "10.1.0.0/26", "2001:db8:b:1::/64"),
}
ZONES = {"a1": "one", "a2": "two", "b1": "one"}
ENDS = {
    "eni-1": ("a1", "10.0.0.10", "2001:db8:a:1::10"),
    "eni-2": ("a1", "10.0.0.20", ""),
    "eni-3": ("a2", "10.0.0.70", "2001:db8:a:2::70"),
    "eni-4": ("b1", "10.1.0.10", "2001:db8:b:1::10"),
}
NATS = {
    "nat-a": Interface("eni-nat", "a1", (address("10.0.0.5"),), (), "203.0.113.5", kind="nat_gateway"),
    "nat-b": Interface("eni-nat-b", "a2", (address("10.0.0.75"),), (), kind="nat_gateway"),
}
OUTSIDE = (
    "8.8.8.8",
    "9.9.9.9",
    "192.168.7.7",
    "10.2.0.9",
    "10.0.0.99",
    "10.0.0.200",
    "2a00::1",
    "2a01::1",
    "fd00::1",
    "10.0.0.2",
    "169.254.169.254",
)
PUBLIC = ("203.0.113.11", "203.0.113.5")  # of eni-1, where it has one, and of a NAT gateway
EVERYBODY = (*(it for end in ENDS.values() for it in end[1:] if it), "10.0.0.5", *PUBLIC, *OUTSIDE)
LISTS: dict[str, tuple[Block, ...]] = {
    "pl-one": (block("8.8.8.0/24"), block("2a00::/16"), block("10.1.0.0/24")),
    "pl-two": (block("8.8.8.0/24"), block("9.0.0.0/8"), block("10.0.0.64/26")),
}
PEERS = tuple(
    block(it)
    for it in (
        *("0.0.0.0/0", "10.0.0.0/24", "10.0.0.0/27", "10.0.0.64/26", "10.0.0.10/32", "10.1.0.0/24", "8.0.0.0/7"),
        *("8.8.8.8/32", "192.168.0.0/16", "::/0", "2001:db8:a::/56", "2001:db8:b:1::/64", "2a00::/16"),
    )
)
WAYS = ("igw-a", "igw-b", "eigw-a", "vgw-a", "nat-a", "nat-b", "pcx-ab", "pcx-x", "vpce-s3", "tgw-1", "eni-appliance")
QUESTIONS = (
    ("tcp", 443),
    ("tcp", 5000),
    ("udp", 443),
    ("udp", 53),
    ("tcp", 80),
    ("icmp", ECHO),
    ("icmp", 772),
    ("47", 0),
)  # 772: type 3, code 4

ports = st.sampled_from([(a, b) for a in EDGES for b in EDGES if a <= b])
icmps = st.sampled_from(
    [make_icmp_range(*it) for it in ((-1, -1), (8, -1), (8, 0), (8, 3), (0, -1), (3, 4), (128, -1), (129, 0))]
)
matches = st.one_of(
    st.just(("all", ALL_PORTS)),
    st.tuples(st.sampled_from(["tcp", "udp"]), ports),
    st.tuples(st.sampled_from(["icmp", "icmpv6"]), icmps),
    st.tuples(st.sampled_from(["47", "50"]), st.just(ALL_PORTS)),
)
attached = st.sampled_from(
    [{}, {"vpc-b": ("b1",)}, {"vpc-a": ("a1",)}, {"vpc-a": ("a1", "a2"), "vpc-b": ("b1",)}, {"vpc-a": ("a2",)}]
)
often = st.sampled_from([True, True, True, False])
OPEN = tuple(
    NaclEntry(number, egress, True, block(everybody))
    for egress in (False, True)
    for number, everybody in ((HIGHEST - 1, "0.0.0.0/0"), (HIGHEST, "::/0"))
)
EVERYTHING = tuple(GroupRule("all", ALL_PORTS, block(it)) for it in ("0.0.0.0/0", "::/0"))


def narrow(let: tuple[int, int], egress: bool) -> tuple[NaclEntry, ...]:
    """Everything one way; the other way the port that is asked for, and these for replies."""
    other = [it for it in OPEN if it.egress != egress]
    both = [block("0.0.0.0/0"), block("::/0")]
    tcp = [NaclEntry(HIGHEST - n, egress, True, both[n % 2], "tcp", let if n > 1 else (443, 443)) for n in range(4)]
    return (*other, *tcp)


CLIENTS = ((1024, 65535), (32768, 60999), (32768, 65535), (1, 1024), (40000, 40000))
usual = st.one_of(st.just(OPEN), st.just(OPEN), st.just(()), st.builds(narrow, st.sampled_from(CLIENTS), st.booleans()))


@st.composite
def nacls(draw: st.DrawFn, name: str) -> Nacl:
    made = st.builds(
        lambda number, out, allow, peer, it: NaclEntry(number, out, allow, peer, *it),
        st.integers(1, HIGHEST - 4), st.booleans(), st.booleans(), st.sampled_from(PEERS), matches,
    )  # fmt: skip
    entries = draw(st.lists(made, max_size=3, unique_by=lambda it: (it.number, it.egress)))
    return Nacl(name, (*entries, *draw(usual)))


@st.composite
def groups(draw: st.DrawFn, name: str) -> SecurityGroup:
    others = ("sg-1", "sg-2", "sg-3", "sg-far", *LISTS)
    rules = st.lists(
        st.builds(
            lambda it, peer: GroupRule(*it, peer), matches, st.one_of(st.sampled_from(PEERS), st.sampled_from(others))
        ),
        max_size=3,
    ).map(tuple)
    ingress, egress = draw(rules), draw(rules)
    return SecurityGroup(
        name, "", (*ingress, *(EVERYTHING if draw(st.booleans()) else ())), EVERYTHING if draw(often) else egress
    )


@st.composite
def tables(draw: st.DrawFn, vpc: str, name: str) -> RouteTable:
    local = [Route(it, "local") for it in BLOCKS[vpc]]
    ways_out = st.sampled_from(
        [{}, {"0.0.0.0/0": "igw-a", "::/0": "igw-a"}, {"0.0.0.0/0": "nat-a", "::/0": "eigw-a"}, {"pl-one": "vpce-s3"}]
    )
    to = st.sampled_from([*(str(it) for it in PEERS if it not in BLOCKS[vpc]), str(FAR), *LISTS])
    written = {**draw(ways_out), **draw(st.dictionaries(to, st.sampled_from(WAYS), max_size=3))}
    if draw(often):
        far = BLOCKS["vpc-b" if vpc == "vpc-a" else "vpc-a"]
        written |= {str(it): "pcx-ab" for it in far}
    gone = draw(st.sampled_from([None, None, None, *WAYS]))
    static = [Route(to if to.startswith("pl-") else block(to), it, it == gone) for to, it in written.items()]
    told = draw(st.lists(st.sampled_from(PEERS), max_size=2, unique=True))
    propagated = [Route(it, "vgw-a", is_propagated=True) for it in told] if draw(st.booleans()) else []
    return RouteTable(name, vpc, (*draw(st.permutations([*static, *propagated])), *local))


@st.composite
def interfaces(draw: st.DrawFn, name: str) -> Interface:
    subnet, four, six = ENDS[name]
    member = draw(st.lists(st.sampled_from(["sg-1", "sg-2", "sg-3", "sg-unread"]), min_size=1, max_size=2, unique=True))
    has_public = draw(st.booleans())
    return Interface(
        name,
        subnet,
        tuple(address(it) for it in (four, six) if it),
        tuple(member),
        f"203.0.113.{10 + int(name[-1])}" if has_public else "",
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Two VPCs, peered or not quite, with every kind of gateway, at odds with each other in every way."""

    def gateways(name: str, *usual: str) -> dict[str, Gateway]:
        return {name: Gateway(name, usual if draw(often) else ())}

    def each(make: Any, *names: str) -> dict[str, Any]:
        return {name: draw(make(name)) for name in names}

    sides = {"pcx-ab": ("vpc-a", "vpc-b"), "pcx-x": ("vpc-a", "vpc-x")}
    blocks = {**BLOCKS, "vpc-x": (FAR, block("2001:db8:c::/56"))}
    return Network(
        vpc_id="vpc-a",
        vpcs={name: Vpc(name, blocks[name]) for name in BLOCKS},
        subnets={
            name: Subnet(name, it[0], tuple(block(b) for b in it[1:]), ZONES[name], f"rtb-{name}", f"acl-{name}")
            for name, it in SUBNETS.items()
        },
        route_tables={
            **{f"rtb-{name}": draw(tables(it[0], f"rtb-{name}")) for name, it in SUBNETS.items()},
            "rtb-edge": draw(tables("vpc-a", "rtb-edge")),
        },
        nacls=each(nacls, *(f"acl-{name}" for name in SUBNETS)),
        groups=each(groups, "sg-1", "sg-2", "sg-3"),
        interfaces={**each(interfaces, *ENDS), **{it.id: it for it in NATS.values()}},
        internet_gateways={**gateways("igw-a", "vpc-a"), **gateways("igw-b", "vpc-b")},
        egress_only_gateways=gateways("eigw-a", "vpc-a"),
        vpn_gateways=gateways("vgw-a", "vpc-a"),
        nats={name: Nat(name, it.subnet_id, it.addresses[0], it.public, draw(often)) for name, it in NATS.items()},
        transit_gateways={"tgw-1": TransitGateway("tgw-1", draw(attached))} if draw(often) else {},
        peerings={
            name: Peering(name, it, (blocks[it[0]], blocks[it[1]]), draw(often)) for name, it in sides.items()
        },
        endpoints={"vpce-s3": Endpoint("vpce-s3", "vpc-a", "Gateway", "s3", draw(often))},
        prefix_lists=LISTS,
        edges={draw(st.sampled_from(["igw-a", "vgw-a"])): "rtb-edge"} if not draw(often) else {},
    )  # fmt: skip


SEEDS = int(os.environ.get("SEEDS", "250"))  # random networks; fewer do not meet every kind of hop


def told(path: Path) -> Answer:
    """What the analyser says, as the reference says it."""
    hop = path.stopped_by
    return (path.verdict, hop.kind, hop.name) if hop else (path.verdict, "", "")


def is_asked(one: Spot, other: Spot) -> bool:
    return one.address != other.address and one.address.version == other.address.version


def test_whole_paths_end_as_the_reference_says() -> None:
    met: Counter[tuple[str, str]] = Counter()

    @settings(max_examples=SEEDS)
    @given(networks(), st.sampled_from(QUESTIONS), st.sampled_from(list(Replies)))
    def agree(network: Network, question: tuple[str, int], replies: Replies) -> None:
        protocol, port = question
        ends = [spot for it in EVERYBODY for spot in resolve_ends(network, it)]
        for source in ends:
            for destination in (it for it in ends if is_asked(source, it)):
                path = follow(network, source, destination, Traffic(port, protocol, replies))
                ours = (source.address, destination.address)
                expected = Trip(network, ours, protocol, path.port, replies is Replies.EVERY).answer()
                assert expected == told(path), (source, destination, path.hops)
                met[expected[0], expected[1]] += 1

    agree()
    kinds = {"address", "route", "ACL", "security group", "peering", "nat gateway", "internet gateway"}
    kinds |= {"transit gateway", "service", "egress-only gateway", "vpn gateway", "gateway endpoint"}
    assert {("open", ""), ("unknown", ""), *(("closed", it) for it in kinds)} == set(met), met


BANS = (
    "203.0.113.10/31",
    "10.0.0.8/30",
    "10.0.0.64/29",
    "10.1.0.10/32",
    "8.8.8.8/31",
    "192.168.7.0/30",
    "2001:db8:a:1::10/127",
    "2a00::/127",
)
PROTOCOLS = (
    *(("tcp", it) for it in SAMPLE if it),
    *(("udp", it) for it in SAMPLE if it),
    ("47", 0),
    ("50", 0),
    ("99", 0),
)
TYPES = tuple(("icmp", kind * 256 + code) for kind in (0, 3, 8, 9, 128, 129, 255) for code in (0, 3, 4, 5, 255))


@settings(max_examples=SEEDS // 4)
@given(networks(), st.sampled_from(BANS), st.sampled_from(BANS))
def test_a_ban_of_everything_between_blocks_holds_where_no_address_and_port_gets_through(
    network: Network, source: str, destination: str
) -> None:
    found = judge_deny(network, Intention(source, destination, ALL_PORTS, None))

    pairs = [(a, b) for a in block(source) for b in block(destination) if a != b and a.version == b.version]
    gets_through = (
        Trip(network, pair, protocol, port, every=False).answer()[0] != "closed"
        for pair in pairs
        for protocol, port in (*PROTOCOLS, *TYPES)
    )
    assert any(gets_through) == (found is not None)
