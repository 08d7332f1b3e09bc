"""The picture: what is there stands in it once, whatever it is called, and lines go where the routes go."""

import dataclasses
import ipaddress
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

from bootstrap.network.model import Interface, Network, Route
from bootstrap.network.picture import content, draw, rules
from bootstrap.network.surroundings import Surroundings
from bootstrap.views.network_diagram import run_graphviz
from tests.unit.network.everything import NAME, SERVICES, SURROUNDINGS, network

pytestmark = pytest.mark.skipif(
    shutil.which("dot") is None, reason="graphviz is not installed; './bootstrap.py test' installs it"
)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(it: Network, surroundings: Surroundings = SURROUNDINGS, name: str = NAME) -> ElementTree.Element:
    return ElementTree.fromstring(draw(it, surroundings, name, run_graphviz))


def words(root: ElementTree.Element) -> list[str]:
    return [(it.text or "").replace("\N{NO-BREAK SPACE}", " ") for it in root.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def whole() -> ElementTree.Element:
    return drawn(network())


def test_each_subnet_gateway_and_machine_stands_in_it_once(whole: ElementTree.Element) -> None:
    found = words(whole)

    subnets = [f"{kind}-{zone}" for kind in ("public", "private", "data") for zone in (1, 2, 3)]
    others = [f"203.0.113.{zone}" for zone in (1, 2, 3)] + [
        "bastion",
        "controller",
        "egress-only",
        "interface endpoints",
    ]
    others += ["customer gateway 198.51.100.7", "Direct Connect gateway", "VPC jenkins-production", "Internet"]
    others += [f"eu-central-1{zone}" for zone in "abc"]
    assert dict.fromkeys(subnets, 1) == {it: found.count(it) for it in subnets}
    assert [] == [it for it in others if it not in found]
    assert 3 == found.count("NAT gateway")
    assert ", ".join(SERVICES) in " ".join(found)


def test_a_tier_that_is_not_there_is_not_drawn() -> None:
    it = network()
    there = {key: subnet for key, subnet in it.subnets.items() if not key.startswith("data")}
    machines = {key: each for key, each in it.interfaces.items() if each.subnet_id in there}

    found = words(drawn(dataclasses.replace(it, subnets=there, interfaces=machines)))

    assert "isolated" in words(drawn(it))
    assert {"public", "private"} <= set(found)
    assert not [word for word in found if "isolated" in word or word.startswith("data-")]


def test_what_is_beside_is_told(whole: ElementTree.Element) -> None:
    found = words(whole)

    wanted = [
        "private hosted zone ci.internal",
        "public hosted zone ci.example.org",
        "flow logs: all traffic",
        "ASN 64512",
    ]
    wanted += ["DNS queries: every name asked for", "private interface, VLAN 101, available"]
    wanted += ["transit", "tgw-1", "transit interface, VLAN 102, down"]
    wanted += ["static: 172.16.0.0/12, 192.168.0.0/16", "jenkins.ci.internal = 10.0.11.4"]
    assert [] == [it for it in wanted if it not in found]


def test_each_rule_is_told_once_and_whether_anybody_gets_through() -> None:
    found = {(it.source, it.destination, it.port): it.passes for it in rules.list_rules(network(), NAME)}

    expected = {
        ("198.51.100.0/24", "bastion", "22"): True,
        ("bastion", "controller", "22"): True,
        ("operators 10.0.0.0/16", "controller", "443"): True,
        ("agents", "controller", "443"): False,  # nobody is there
        ("controller of jenkins-production", "controller", "443"): False,
        ("controller", "endpoints", "443"): True,
        ("controller", "Internet", "443"): True,
        ("controller", "Internet", "udp 123"): True,
        ("bastion", "Internet", "443"): True,
    }
    assert expected == found
    assert 9 == len(rules.list_rules(network(), NAME))


def test_a_group_of_agents_is_in_the_picture_as_long_as_it_has_agents() -> None:
    def can_reach(it: Network) -> dict[tuple[str, str], bool]:
        return {(rule.source, rule.port): rule.passes for rule in rules.list_rules(it, NAME) if rule.source == "agents"}

    without = network()
    place = (ipaddress.ip_address("10.0.11.9"),)
    agent = Interface("eni-agent", "private-1", place, ("agents",), roles=("agents",))
    there = dataclasses.replace(without, interfaces={**without.interfaces, agent.id: agent})

    assert ({("agents", "443"): True}, {("agents", "443"): False}) == (can_reach(there), can_reach(without))
    assert (1, 0) == tuple(words(drawn(it)).count("10.0.11.9") for it in (there, without))


def test_a_block_of_the_internet_is_marked_as_outside() -> None:
    outside = {it.source for it in rules.list_rules(network(), NAME) if it.is_from_outside}

    assert {"198.51.100.0/24"} == outside


def test_one_nat_gateway_is_where_all_private_subnets_lead() -> None:
    told = content.build_content(network("one"), SURROUNDINGS, NAME)

    assert {("private-1", "public-1"), ("private-2", "public-1"), ("private-3", "public-1")} == {
        (it.start, it.gate) for it in told.nat_ways
    }
    assert 1 == words(drawn(network("one"))).count("NAT gateway")


def test_a_route_that_some_subnets_have_alone_says_which() -> None:
    there = network()
    table = there.route_tables["private-2"]
    more = dataclasses.replace(table, routes=(*table.routes, Route(ipaddress.ip_network("10.9.0.0/16"), "pcx-1")))
    told = content.build_content(
        dataclasses.replace(there, route_tables={**there.route_tables, "private-2": more}), SURROUNDINGS, NAME
    )

    assert "10.9.0.0/16 (from b)" in next(it.to for it in told.ways if it.gate == "pcx-1")


def test_a_black_hole_is_told_in_its_subnet() -> None:
    there = network()
    table = there.route_tables["private-2"]
    more = dataclasses.replace(table, routes=(*table.routes, Route(ipaddress.ip_network("10.9.0.0/16"), "pcx-9", True)))

    assert "! 10.9.0.0/16 to nowhere" in words(
        drawn(dataclasses.replace(there, route_tables={**there.route_tables, "private-2": more}))
    )


@pytest.mark.parametrize("name", ['odd <name> & "more"', "back\\slash", "x" * 300, "\x07bell", "\N{SNOWMAN}", "]]>"])
def test_a_name_of_any_signs_is_shown_and_breaks_nothing(name: str) -> None:
    there = network(owner=name)

    found = words(drawn(there, name="another"))

    assert content.clip_text(name).replace("\x07", "\N{REPLACEMENT CHARACTER}") in found


def test_an_empty_vpc_is_drawn_too() -> None:
    there = network()
    bare = Network(vpc_id="vpc-1", vpcs={"vpc-1": there.vpcs["vpc-1"]})

    assert "no rule lets anybody in" in words(drawn(bare, Surroundings()))


def test_it_is_told_to_who_cannot_see_it_and_needs_nothing_from_elsewhere(whole: ElementTree.Element) -> None:
    title, description = (next(whole.iter(f"{SVG}{it}")) for it in ("title", "desc"))
    text = draw(network(), SURROUNDINGS, NAME, run_graphviz)

    assert "img" == whole.attrib["role"]
    assert f"{title.attrib['id']} {description.attrib['id']}" == whole.attrib["aria-labelledby"]
    assert "bastion to controller: 22" in (description.text or "")
    assert "agents to controller: 443 (no connection passes now)" in (description.text or "")
    assert [] == [it for it in ("href", "url(", "@import", "<image", "<script") if it in text]


def test_every_colour_follows_the_readers_light_or_dark(whole: ElementTree.Element) -> None:
    style = next(whole.iter(f"{SVG}style")).text or ""
    used = {(kind, it.attrib[kind]) for it in whole.iter() for kind in ("fill", "stroke") if kind in it.attrib}

    literal = {(kind, value) for kind, value in used if value not in {"none", "transparent"}}
    assert [] == [(kind, value) for kind, value in literal if f'[{kind}="{value}"]' not in style]
