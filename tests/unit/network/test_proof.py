"""Intentions are proved on networks made by hand: promises, bans and openings, between roles, blocks and environments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.network.intentions import parse
from bootstrap.network.model import Environment, Gateway, NaclEntry
from bootstrap.network.path_explanation import Traffic, explain
from bootstrap.network.port_ranges import find_unnamed_protocol
from bootstrap.network.port_ranges import format_stretches as joined_words
from bootstrap.network.proof import find_exposed, judge, judge_allow, judge_deny, prove
from tests.unit.network.handmade_network import (
    ALL_IN,
    ALL_OUT,
    EVERYWHERE,
    FROM_OUTSIDE,
    OPEN,
    OPERATORS,
    Change,
    address,
    block,
    both,
    entry,
    filtered,
    grouped,
    interfaced,
    network,
    only_routed,
    routed,
    rule,
    same,
    without,
)

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
