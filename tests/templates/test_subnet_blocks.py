"""Which block each subnet gets, worked out from the template: fixed for each place, whatever else there is or comes."""

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from bootstrap.environment import models
from bootstrap.stacks import parameters

TEMPLATE = Path(__file__).resolve().parents[2] / "cloudformation" / "network.yaml"
# The place of each tier's three subnets, as the first version of the template had them: counted in blocks of SubnetBits.
FIRST = {
    f"{tier}Subnet{zone}": 3 * number + zone - 1
    for number, tier in enumerate(("Public", "Private"))
    for zone in (1, 2, 3)
}
BLOCKS = [f"10.{prefix}.0.0/{prefix}" for prefix in range(16, 25)]


def parameters_for(cidr: str) -> dict[str, str]:
    common = {"environment": "trial", "cloud": "local", "owner": "x", "cost_center": "x"}
    return parameters.make_parameters(
        models.Settings.model_validate({**common, "network": {"cidr": cidr}}), "network", {}
    )


def block_of(subnet: dict[str, Any], given: dict[str, str]) -> ipaddress.IPv4Network:
    """Fn::Select of Fn::Cidr, as CloudFormation's reference of functions describes it."""
    place, cut = subnet["Properties"]["CidrBlock"]["Fn::Select"]
    whole, count, bits = cut["Fn::Cidr"]
    assert whole == {"Fn::GetAtt": ["Vpc", "CidrBlock"]}
    size = 32 - int(given[bits["Ref"]])
    pieces = list(ipaddress.IPv4Network(given["VpcCidr"]).subnets(new_prefix=size))
    assert place < count <= len(pieces), "CloudFormation cuts no more pieces than fit"
    return pieces[place]


def blocks(text: str, cidr: str) -> dict[str, ipaddress.IPv4Network]:
    document, _ = decode_str(text)
    given = parameters_for(cidr)
    subnets = {name: it for name, it in document["Resources"].items() if it["Type"] == "AWS::EC2::Subnet"}
    return {name: block_of(it, given) for name, it in subnets.items()}


def moved(found: dict[str, ipaddress.IPv4Network], cidr: str) -> list[str]:
    """The subnets that are not where the first version put them."""
    size = 32 - min(8, 29 - int(cidr.rpartition("/")[2]))
    places = list(ipaddress.IPv4Network(cidr).subnets(new_prefix=size))
    return [name for name, place in FIRST.items() if found[name] != places[place]]


@pytest.mark.parametrize("cidr", BLOCKS)
def test_no_subnet_of_the_first_version_has_moved(cidr: str) -> None:
    assert [] == moved(blocks(TEMPLATE.read_text(), cidr), cidr)


def test_a_subnet_that_moved_is_noticed() -> None:
    text = TEMPLATE.read_text().replace("!Select [3, !Cidr", "!Select [5, !Cidr", 1)

    assert ["PrivateSubnet1"] == moved(blocks(text, "10.16.0.0/16"), "10.16.0.0/16")


@pytest.mark.parametrize("cidr", BLOCKS)
def test_the_nine_subnets_lie_in_the_vpc_apart_from_each_other_and_are_no_smaller_than_aws_takes(cidr: str) -> None:
    found = list(blocks(TEMPLATE.read_text(), cidr).values())

    assert 9 == len(found)
    assert [] == [it for it in found if not it.subnet_of(ipaddress.IPv4Network(cidr)) or it.prefixlen > 28]
    assert [] == [(a, b) for a in found for b in found if a is not b and a.overlaps(b)]


def test_no_place_depends_on_how_many_zones_or_tiers_there_are() -> None:
    document, _ = decode_str(TEMPLATE.read_text())
    subnets = [it for it in document["Resources"].values() if it["Type"] == "AWS::EC2::Subnet"]

    assert [] == [it for it in subnets if re.search("Zones|Isolated|Fn::If", str(it["Properties"]["CidrBlock"]))]


def test_without_the_isolated_tier_the_places_are_the_same_and_its_own_are_nobodys() -> None:
    common = {"environment": "trial", "cloud": "local", "owner": "x", "cost_center": "x"}
    with_and_without = [
        parameters.make_parameters(
            models.Settings.model_validate({**common, "network": {"isolated": isolated}}), "network", {}
        )
        for isolated in (True, False)
    ]

    assert {("Isolated", "yes"), ("Isolated", "no")} == set.symmetric_difference(
        *(set(it.items()) for it in with_and_without)
    )
    document, _ = decode_str(TEMPLATE.read_text())
    optional = {name for name, it in document["Resources"].items() if "Isolated" in it.get("Condition", "")}
    assert {name for name in document["Resources"] if re.match(r"Data(Subnet|Routes)", name)} == optional
