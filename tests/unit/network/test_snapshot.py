"""The model made from EC2's answers: all pages, both families, and EC2's implicit associations."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from bootstrap.network import snapshot
from bootstrap.network.model import ALL_PORTS, make_icmp_range

SIDES = {
    "RequesterVpcInfo": {"VpcId": "vpc-a", "CidrBlockSet": [{"CidrBlock": "10.0.0.0/16"}]},
    "AccepterVpcInfo": {
        "VpcId": "vpc-b",
        "CidrBlock": "10.1.0.0/16",
        "Ipv6CidrBlockSet": [{"Ipv6CidrBlock": "2a00::/56"}],
    },
}
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "describe_vpc_peering_connections": [
        {"VpcPeeringConnectionId": "pcx", "Status": {"Code": "pending-acceptance"}, **SIDES},
    ],
    "describe_vpcs": [
        {"VpcId": "vpc-x", "CidrBlock": "10.9.0.0/16",
         "Tags": [{"Key": "Project", "Value": "p"}, {"Key": "Environment", "Value": "x"}]},
        {
            "VpcId": "vpc-a",
            "CidrBlock": "10.0.0.0/16",
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": "2a01::/56", "Ipv6CidrBlockState": {"State": "associated"}},
                {"Ipv6CidrBlock": "2a02::/56", "Ipv6CidrBlockState": {"State": "disassociated"}},
            ],
        },
        {"VpcId": "vpc-b", "CidrBlock": "10.1.0.0/16"},
    ],
    "describe_subnets": [
        {"SubnetId": "one", "VpcId": "vpc-a", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "z1"},
        {"SubnetId": "two", "VpcId": "vpc-a", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "z1"},
    ],
    "describe_route_tables": [
        {
            "RouteTableId": "main",
            "VpcId": "vpc-a",
            "Associations": [{"Main": True}],
            "Routes": [
                {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw", "State": "blackhole"},
                {"DestinationPrefixListId": "pl-aws", "GatewayId": "vpce", "State": "active"},
                {"DestinationCidrBlock": "10.5.0.0/16", "GatewayId": "vgw", "Origin": "EnableVgwRoutePropagation"},
            ],
        },
        {"RouteTableId": "own", "VpcId": "vpc-a", "Associations": [{"Main": False, "SubnetId": "two"}], "Routes": []},
        {"RouteTableId": "edge", "VpcId": "vpc-a", "Associations": [{"Main": False, "GatewayId": "igw"}], "Routes": []},
    ],
    "describe_network_acls": [
        {
            "NetworkAclId": "acl",
            "IsDefault": True,
            "VpcId": "vpc-a",
            "Associations": [],
            "Entries": [
                {"RuleNumber": 9, "Egress": False, "RuleAction": "allow", "Protocol": "6", "CidrBlock": "10.0.0.0/8",
                 "PortRange": {"From": 80, "To": 90}},
                {"RuleNumber": 10, "Egress": True, "RuleAction": "deny", "Protocol": "58", "Ipv6CidrBlock": "::/0",
                 "IcmpTypeCode": {"Type": 128, "Code": -1}},
                {"RuleNumber": 11, "Egress": True, "RuleAction": "deny", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
            ],
        }
    ],
    "describe_security_groups": [
        {
            "GroupId": "sg",
            "GroupName": "made-up",
            "VpcId": "vpc-a",
            "Tags": [{"Key": "Name", "Value": "jenkins-x-agents"}],
            "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23, "UserIdGroupPairs": [{"GroupId": "sg-other"}],
                 "PrefixListIds": [{"PrefixListId": "pl-own"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
                {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
            ],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        }
    ],
    "describe_nat_gateways": [
        {"NatGatewayId": "gone", "VpcId": "vpc-a", "State": "deleted", "NatGatewayAddresses": [{}]},
        {"NatGatewayId": "nat", "VpcId": "vpc-a", "SubnetId": "one", "State": "pending",
         "NatGatewayAddresses": [{"PrivateIp": "10.0.0.5"}]},
    ],
    "describe_vpc_endpoints": [],
    "describe_network_interfaces": [
        {"NetworkInterfaceId": "eni-nat", "SubnetId": "one", "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5"}]},
        {
            "NetworkInterfaceId": "eni",
            "SubnetId": "two",
            "Groups": [{"GroupId": "sg"}],
            "Attachment": {"InstanceId": "i-1"},
            "Association": {"PublicIp": "192.0.2.1"},
            "PrivateIpAddresses": [
                {"PrivateIpAddress": "10.0.1.6", "Primary": False, "Association": {"PublicIp": "192.0.2.2"}},
                {"PrivateIpAddress": "10.0.1.5", "Primary": True, "Association": {"PublicIp": "192.0.2.1"}},
            ],
            "Ipv6Addresses": [{"Ipv6Address": "2a01::5"}],
        },
    ],
    "describe_internet_gateways": [
        {"InternetGatewayId": "igw", "Attachments": [{"VpcId": "vpc-a", "State": "available"}]}
    ],
    "describe_egress_only_internet_gateways": [
        {"EgressOnlyInternetGatewayId": "eigw", "Attachments": [{"VpcId": "vpc-a", "State": "attached"}]}
    ],
    "describe_vpn_gateways": [
        {"VpnGatewayId": "vgw", "VpcAttachments": [{"VpcId": "vpc-a", "State": "attached"}]},
        {"VpnGatewayId": "old", "VpcAttachments": [{"VpcId": "vpc-a", "State": "detached"}]},
    ],
    "describe_transit_gateway_vpc_attachments": [
        {"TransitGatewayId": "tgw", "VpcId": "vpc-a", "State": "available", "SubnetIds": ["one"]},
        {"TransitGatewayId": "tgw", "VpcId": "vpc-b", "State": "pendingAcceptance", "SubnetIds": ["far"]},
        {"TransitGatewayId": "tgw-old", "VpcId": "vpc-a", "State": "deleted", "SubnetIds": ["one"]},
    ],
    "describe_prefix_lists": [{"PrefixListId": "pl-aws", "Cidrs": ["52.0.0.0/8"]}],
    "get_managed_prefix_list_entries": [{"Cidr": "10.7.0.0/16"}],
}  # fmt: skip


class Ec2:
    """Answers as EC2 does, one thing a page; what has no paginator answers at once, as describe_vpn_gateways does."""

    def can_paginate(self, operation: str) -> bool:
        return operation != "describe_vpn_gateways"

    def describe_vpn_gateways(self) -> dict[str, Any]:
        return {"VpnGateways": ANSWERS["describe_vpn_gateways"]}

    def get_paginator(self, operation: str) -> Any:
        class Pages:
            def paginate(self, **_: Any) -> Iterator[Any]:
                return (Page(it) for it in (*ANSWERS[operation], None))

        return Pages()


class Page:
    """A page that has its one thing, or nothing, under whatever key is asked for."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __getitem__(self, _: str) -> list[Any]:
        return [] if self.thing is None else [self.thing]


FOUND = snapshot.read(Ec2(), "vpc-a", "jenkins-x-", ["10.0.0.0/8"])
block = ipaddress.ip_network


def test_a_transit_gateway_is_read_as_far_as_a_vpc_is_attached_to_it() -> None:
    assert {"tgw": {"vpc-a": ("one",)}} == {key: it.subnets for key, it in FOUND.transit_gateways.items()}


def test_the_vpc_and_its_peers_are_read_and_no_other() -> None:
    assert {"vpc-a", "vpc-b"} == set(FOUND.vpcs)
    assert (block("10.0.0.0/16"), block("2a01::/56")) == FOUND.vpcs["vpc-a"].blocks
    assert (False, (block("10.1.0.0/16"), block("2a00::/56"))) == (
        FOUND.peerings["pcx"].is_active,
        FOUND.peerings["pcx"].blocks[1],
    )


def test_a_subnet_without_associations_of_its_own_has_the_vpcs() -> None:
    assert [("main", "acl"), ("own", "acl")] == [(it.route_table_id, it.nacl_id) for it in FOUND.subnets.values()]


def test_routes_tell_their_targets_and_states() -> None:
    told = [(str(it.to), it.target, it.is_blackhole, it.is_propagated) for it in FOUND.route_tables["main"].routes]

    assert [
        ("10.0.0.0/16", "local", False, False),
        ("::/0", "eigw", True, False),
        ("pl-aws", "vpce", False, False),
        ("10.5.0.0/16", "vgw", False, True),
    ] == told


def test_entries_and_rules_have_their_ports() -> None:
    assert [("tcp", (80, 90)), ("icmpv6", make_icmp_range(128, -1)), ("all", ALL_PORTS)] == [
        (it.protocol, it.ports) for it in FOUND.nacls["acl"].entries
    ]
    assert {
        ("tcp", (22, 23), "sg-other"),
        ("tcp", (22, 23), "pl-own"),
        ("tcp", (22, 23), "::/0"),
        ("icmp", make_icmp_range(8, -1), "10.0.0.0/8"),
    } == {(it.protocol, it.ports, str(it.peer)) for it in FOUND.groups["sg"].ingress}
    assert [("all", ALL_PORTS)] == [(it.protocol, it.ports) for it in FOUND.groups["sg"].egress]


def test_interfaces_have_addresses_of_both_families_roles_and_machines() -> None:
    found = FOUND.interfaces["eni"]

    assert ["10.0.1.5", "10.0.1.6", "2a01::5"] == [str(it) for it in found.addresses]
    assert (("agents",), "i-1", "192.0.2.1") == (found.roles, found.instance_id, found.public)
    assert "nat_gateway" == FOUND.interfaces["eni-nat"].kind


def test_a_further_address_with_a_public_one_is_known() -> None:
    found = FOUND.interfaces["eni"]

    assert [True, True, False] == [found.is_public(it) for it in found.addresses]
    assert {"192.0.2.1": "10.0.1.5", "192.0.2.2": "10.0.1.6"} == {
        str(public): str(own) for public, own in found.mapped.items()
    }


def test_a_gateways_own_table_is_no_subnets() -> None:
    assert {"igw": "edge"} == FOUND.edges


def test_environments_are_found_by_their_tags_and_read_with_the_rest() -> None:
    named = {"x": ("p", "10.9.0.0/16"), "y": ("p", "10.8.0.0/16")}

    found = snapshot.read(Ec2(), "vpc-a", "jenkins-x-", (), named)

    assert {"vpc-a", "vpc-b", "vpc-x"} == set(found.vpcs)
    assert {"x": "vpc-x", "y": ""} == {name: it.vpc_id for name, it in found.environments.items()}


def test_gateways_that_are_gone_or_loose_are_not_used() -> None:
    assert {"nat": False} == {name: it.is_available for name, it in FOUND.nats.items()}
    assert {"vgw": ("vpc-a",), "old": ()} == {name: it.vpcs for name, it in FOUND.vpn_gateways.items()}
    assert ("vpc-a",) == FOUND.egress_only_gateways["eigw"].vpcs


def test_prefix_lists_are_told_at_once_or_entry_by_entry() -> None:
    assert {"pl-aws": (block("52.0.0.0/8"),), "pl-own": (block("10.7.0.0/16"),)} == FOUND.prefix_lists
