"""Paths through networks made by hand: each case changes one thing, and says what becomes of the path and what stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.errors import UsageError
from bootstrap.network.model import NaclEntry, Protocol
from bootstrap.network.path_explanation import ECHO, Replies, Traffic, explain
from tests.unit.network.handmade_network import (
    ALL_IN,
    ALL_OUT,
    EVERYWHERE,
    FROM_OUTSIDE,
    both,
    entry,
    filtered,
    grouped,
    network,
    rule,
)
from tests.unit.network.path_cases_filters import CASES_OF_FILTERS
from tests.unit.network.path_cases_routes import CASES_OF_ROUTES
from tests.unit.network.path_cases_services import CASES_OF_SERVICES

CASES = {**CASES_OF_FILTERS, **CASES_OF_ROUTES, **CASES_OF_SERVICES}


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
