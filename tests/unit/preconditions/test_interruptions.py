"""What a change interrupts is said in plain words; what only comes, or is only told another tag, is not."""

import pytest

from bootstrap.preconditions import interruptions
from bootstrap.values import Change, ChangeKind

ROUTE = "AWS::EC2::Route: NatGatewayId"


def change(kind: ChangeKind, name: str, detail: str = "") -> Change:
    return Change("stack", kind, name, detail)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            change(ChangeKind.ALTER, "p-e-network/PrivateDefaultRoute2", ROUTE),
            "private subnets 2: outbound connections",
        ),
        (
            change(ChangeKind.REMOVE, "p-e-network/PrivateDefaultRoute1", ROUTE),
            "private subnets 1: no access to the Internet",
        ),
        (change(ChangeKind.REMOVE, "p-e-network/Ipv6Block", "AWS::EC2::VPCCidrBlock"), "IPv6 connections end"),
        (
            change(ChangeKind.REMOVE, "p-e-network/DataSubnet3", "AWS::EC2::Subnet"),
            "the subnets of a zone are deleted; if anything still uses them, this is refused before anything is changed",
        ),
        (
            change(ChangeKind.REMOVE, "p-e-network/DataSubnet1", "AWS::EC2::Subnet"),
            "the isolated subnets are deleted; if anything still uses them, this is refused before anything is changed",
        ),
        (change(ChangeKind.REMOVE, "p-e-vpn"), "connections over the VPN"),
        (change(ChangeKind.REMOVE, "p-e-transit-gateway"), "connections over the transit gateway end"),
        (
            change(ChangeKind.REPLACE, "p-e-transit-gateway/Attachment", "AWS::EC2::TransitGatewayAttachment: VpcId"),
            "lead to the new transit gateway at once",
        ),
        (
            change(
                ChangeKind.REPLACE,
                "p-e-transit-gateway/DirectConnect",
                "AWS::DirectConnect::DirectConnectGatewayAssociation: AssociatedGatewayId",
            ),
            "Direct Connect is down until the new one exists",
        ),
        (change(ChangeKind.REMOVE, "p-e-peering"), "connections over the peering end"),
        (change(ChangeKind.REMOVE, "p-e-endpoints"), "by the Internet, or not at all"),
        (change(ChangeKind.REMOVE, "p-e-traffic-logs"), "are deleted with their log groups"),
        (change(ChangeKind.REPLACE, "p-e-network/Vpc", "AWS::EC2::VPC: CidrBlock"), "must be created again"),
        (
            change(ChangeKind.REPLACE, "p-e-vpn/Gateway", "AWS::EC2::VPNGateway: AmazonSideAsn"),
            "the old one is deleted first: VPN and Direct Connect are down",
        ),
        (
            change(ChangeKind.REPLACE, "p-e-vpn/Connection", "AWS::EC2::VPNConnection: StaticRoutesOnly"),
            "the tunnels end",
        ),
    ],
)
def test_what_stops_for_somebody_has_a_line(given: Change, words: str) -> None:
    (found,) = interruptions.explain_interruptions([given])

    assert words in found


@pytest.mark.parametrize(
    "given",
    [
        change(ChangeKind.ADD, "p-e-network/PrivateDefaultRoute1", ROUTE),
        change(ChangeKind.ADD, "p-e-network/PrivateSubnet3", "AWS::EC2::Subnet"),
        change(ChangeKind.ADD, "p-e-network/DataSubnet1", "AWS::EC2::Subnet"),
        change(ChangeKind.ADD, "p-e-acls/DataSubnet1Acl", "AWS::EC2::SubnetNetworkAclAssociation"),
        change(ChangeKind.ALTER, "p-e-network/Vpc", "AWS::EC2::VPC: Tags"),
        change(ChangeKind.REMOVE, "p-e-vpn/ConnectionRoute2", "AWS::EC2::VPNConnectionRoute"),
    ],
)
def test_what_stops_for_nobody_has_none(given: Change) -> None:
    assert () == interruptions.explain_interruptions([given])


def test_a_tier_that_goes_takes_no_zone_and_a_zone_that_goes_with_it_has_a_line_of_its_own() -> None:
    tier = [change(ChangeKind.REMOVE, f"p-e-network/DataSubnet{n}", "AWS::EC2::Subnet") for n in (1, 2, 3)]
    zone = [change(ChangeKind.REMOVE, f"p-e-network/{it}Subnet3", "AWS::EC2::Subnet") for it in ("Public", "Private")]

    assert 1 == len(interruptions.explain_interruptions(tier))
    assert 2 == len(interruptions.explain_interruptions([*tier, *zone]))


def test_three_routes_are_one_line() -> None:
    routes = [change(ChangeKind.ALTER, f"p-e-network/PrivateDefaultRoute{n}", ROUTE) for n in (3, 1)]

    (found,) = interruptions.explain_interruptions(routes)

    assert found.startswith("private subnets 1, 3:")
