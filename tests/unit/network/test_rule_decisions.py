"""The analyser's decisions against a reference that is slow and obvious: it goes through everything one by one."""

from __future__ import annotations

import ipaddress
import itertools

from hypothesis import assume, given
from hypothesis import strategies as st

from bootstrap.network import rule_decisions
from bootstrap.network.model import (
    ALL_PORTS,
    Address,
    Block,
    GroupRule,
    Nacl,
    NaclEntry,
    Route,
    RouteTable,
    SecurityGroup,
)
from bootstrap.network.path_ends import choose_representatives

# Few bits and few ports, so that blocks nest and ranges overlap nearly always.
BITS = 4


def _block(bits: int, prefix: int, is_v6: bool = False) -> Block:
    if is_v6:
        return ipaddress.IPv6Network((0x20010DB8 << 96 | bits, 128 - BITS + prefix), strict=False)
    return ipaddress.IPv4Network((0x0A000000 | bits, 32 - BITS + prefix), strict=False)


blocks = st.builds(_block, st.integers(0, 2**BITS - 1), st.integers(0, BITS), st.booleans())
addresses = st.builds(lambda bits, is_v6: _block(bits, BITS, is_v6)[0], st.integers(0, 2**BITS - 1), st.booleans())
ports = st.integers(1, 12)
ranges = st.tuples(ports, ports).map(lambda pair: (min(pair), max(pair)))
# Of ICMP a type and a code are one number: of these few a range is codes of type 0.
packets = st.sampled_from(["tcp", "udp", "icmp", "icmpv6", "47"])
protocols = st.one_of(packets, st.just("all"))
entries = st.builds(NaclEntry, st.integers(1, 9), st.booleans(), st.booleans(), blocks, protocols, ranges)
nacls = st.lists(entries, max_size=8, unique_by=lambda it: (it.number, it.egress)).map(
    lambda it: Nacl("acl", tuple(it))
)
LISTS: dict[str, tuple[Block, ...]] = {"pl-low": (_block(0, 2), _block(6, 3), _block(4, 2, True)), "pl-none": ()}
# Entries that all speak of one packet, so that allowed and denied ports alternate.
nested = st.lists(
    st.builds(
        NaclEntry, st.integers(1, 9), st.just(True), st.booleans(), st.just(_block(0, 0)), st.just("tcp"), ranges
    ),
    max_size=6,
    unique_by=lambda it: it.number,
).map(lambda it: Nacl("acl", tuple(it)))
routes = st.builds(
    Route,
    st.one_of(blocks, st.sampled_from(sorted(LISTS))),
    st.sampled_from(["local", "igw", "nat", "pcx"]),
    st.booleans(),
    st.booleans(),
)


def obvious_nacl(nacl: Nacl, egress: bool, peer: Address, protocol: str, port: int) -> bool:
    """Number by number, from one to the last there can be; nothing fitting is a deny."""
    for number in range(1, 32767):
        for entry in nacl.entries:
            if entry.number != number or entry.egress != egress:
                continue
            in_block = str(peer) in [str(address) for address in entry.block]
            if entry.protocol == "all" and in_block:
                return entry.allow
            if entry.protocol == protocol and in_block and port in range(entry.ports[0], entry.ports[1] + 1):
                return entry.allow
        if number > 10:
            break  # the strategy numbers no higher
    return False


@given(nacls, st.booleans(), addresses, packets, ports)
def test_a_nacl_decides_as_reading_it_number_by_number_does(
    nacl: Nacl, egress: bool, peer: Address, protocol: str, port: int
) -> None:
    entry = rule_decisions.find_nacl_entry(nacl, egress=egress, peer=peer, protocol=protocol, port=port)

    assert obvious_nacl(nacl, egress, peer, protocol, port) == (entry is not None and entry.allow)


@given(nacls, st.booleans(), addresses, packets, ranges)
def test_the_ports_that_a_nacl_lets_pass_are_those_it_lets_pass_one_by_one(
    nacl: Nacl, egress: bool, peer: Address, protocol: str, asked: tuple[int, int]
) -> None:
    found = rule_decisions.find_allowed_ports(nacl, egress=egress, peer=peer, protocol=protocol, ports=asked)

    expected = [port for port in range(asked[0], asked[1] + 1) if obvious_nacl(nacl, egress, peer, protocol, port)]
    assert expected == [port for first, last in found for port in range(first, last + 1)]
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(found))


@given(nested, ranges)
def test_allowed_and_denied_ports_may_alternate(nacl: Nacl, asked: tuple[int, int]) -> None:
    peer = _block(0, BITS)[0]
    found = rule_decisions.find_allowed_ports(nacl, egress=True, peer=peer, protocol="tcp", ports=asked)

    expected = [port for port in range(asked[0], asked[1] + 1) if obvious_nacl(nacl, True, peer, "tcp", port)]
    assert expected == [port for first, last in found for port in range(first, last + 1)]
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(found))


def obvious_route(table: RouteTable, to: Address) -> tuple[int, int] | None:
    """How long the prefix of the right route is and how it ranks: from the longest prefix down, kind by kind."""
    has_local = any(
        it.target == "local" and str(to) in [str(one) for one in block]
        for it in table.routes
        for block in (LISTS[it.to] if isinstance(it.to, str) else (it.to,))
    )
    for prefix in range(128, -1, -1):
        for rank, is_kind in enumerate(
            (
                lambda it: it.target == "local",
                lambda it: it.target != "local" and not it.is_propagated and not isinstance(it.to, str),
                lambda it: it.target != "local" and not it.is_propagated and isinstance(it.to, str),
                lambda it: it.target != "local" and it.is_propagated and not has_local,
            )
        ):
            for it in table.routes:
                for block in LISTS[it.to] if isinstance(it.to, str) else (it.to,):
                    if is_kind(it) and block.prefixlen == prefix and str(to) in [str(one) for one in block]:
                        return prefix, rank
    return None


@given(st.lists(routes, max_size=8), addresses)
def test_a_route_is_the_one_that_trying_every_prefix_from_the_longest_finds(written: list[Route], to: Address) -> None:
    table = RouteTable("rtb", "vpc", tuple(written))
    found = rule_decisions.find_routes(table, to, LISTS)

    expected = obvious_route(table, to)
    assert (expected is None) == (not found)
    for it in found:
        told = LISTS[it.to] if isinstance(it.to, str) else (it.to,)
        assert expected is not None
        assert expected[0] in [block.prefixlen for block in told if to in block]
        assert expected == obvious_route(RouteTable("rtb", "vpc", (it,)), to)
    assert len(found) == len({it.target for it in found})


@given(st.lists(st.tuples(protocols, ranges, blocks), max_size=6), addresses, packets, ports)
def test_security_groups_allow_what_any_rule_of_any_group_allows(
    rules: list[tuple[str, tuple[int, int], Block]], peer: Address, protocol: str, port: int
) -> None:
    groups = [SecurityGroup(f"sg-{number}", "vpc", (GroupRule(*rule),)) for number, rule in enumerate(rules)]

    found = rule_decisions.find_group_rule(
        groups, egress=False, peer=peer, peer_groups=(), protocol=protocol, port=port, lists={}
    )

    expected = any(
        peer in block and (kind == "all" or (kind == protocol and first <= port <= last))
        for kind, (first, last), block in rules
    )
    assert expected == (found is not None)


@given(blocks, st.sets(blocks, max_size=8))
def test_the_pieces_of_a_block_speak_for_every_address_in_it(block: Block, boundaries: set[Block]) -> None:
    def mentioned_by(address: Address) -> frozenset[Block]:
        return frozenset(it for it in boundaries if address in it)

    found = list(choose_representatives(block, boundaries))

    assert {mentioned_by(address) for address in block} == {mentioned_by(address) for address in found}
    assert all(address in block for address in found)


@given(nacls, addresses, ports)
def test_what_a_nacl_says_of_the_one_way_is_nothing_for_the_other(nacl: Nacl, peer: Address, port: int) -> None:
    inward = Nacl("acl", tuple(entry for entry in nacl.entries if not entry.egress))
    assume(inward.entries)

    assert rule_decisions.find_nacl_entry(inward, egress=True, peer=peer, protocol="tcp", port=port) is None


def test_every_port_means_every_port() -> None:
    nacl = Nacl("acl", (NaclEntry(100, True, True, _block(0, 0)),))

    found = rule_decisions.find_allowed_ports(
        nacl, egress=True, peer=ipaddress.IPv4Address("10.0.0.1"), protocol="tcp", ports=ALL_PORTS
    )

    assert (ALL_PORTS,) == found
