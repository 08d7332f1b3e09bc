"""The optional stacks that connect a network with others: VPN, transit gateway, peering; read back through EC2's API."""

from pathlib import Path
from typing import Any

import pytest
from optional_network import Client, Network, make_network

from bootstrap.stacks import parameters
from bootstrap.values import ChangeKind


@pytest.fixture(scope="module")
def network(client: Client, folder: Path) -> Network:
    return make_network(client, folder, "connected")


def test_a_vpn_gateway_is_attached_and_its_connection_speaks_bgp(network: Network) -> None:
    options = "vpn:\n  gateway_asn: 64513\n  customer_address: 198.51.100.7\n  customer_asn: 65010"
    network.apply("vpn", options)
    ec2 = network.client("ec2")

    gateway = ec2.describe_vpn_gateways(VpnGatewayIds=[network.output("VpnGatewayId")])["VpnGateways"][0]
    connection = ec2.describe_vpn_connections(VpnConnectionIds=[network.output("VpnConnectionId")])["VpnConnections"][0]
    customer = ec2.describe_customer_gateways(CustomerGatewayIds=[connection["CustomerGatewayId"]])

    (attached,) = gateway["VpcAttachments"]
    assert (network.output("VpcId"), "attached") == (attached["VpcId"], attached["State"])
    assert ("65010", "198.51.100.7") == tuple(customer["CustomerGateways"][0][key] for key in ("BgpAsn", "IpAddress"))
    assert "<customer_gateway>" in connection["CustomerGatewayConfiguration"]
    assert () == network.destroy("vpn")


def test_static_routes_of_a_vpn_reach_the_private_subnets_alone_and_go_with_it(network: Network) -> None:
    ec2, private = network.client("ec2"), network.output("PrivateRouteTableIds").split(",")

    def propagated() -> dict[str, set[tuple[str, str]]]:
        asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]
        return {
            table["RouteTableId"]: {
                (route["DestinationCidrBlock"], route["GatewayId"])
                for route in table["Routes"]
                if route["Origin"] == "EnableVgwRoutePropagation"
            }
            for table in ec2.describe_route_tables(Filters=asked)["RouteTables"]
        }

    options = "vpn:\n  customer_address: 198.51.100.7\n  routes: [10.9.0.0/16, 10.8.0.0/16]"
    network.apply("vpn", options)
    gateway = network.output("VpnGatewayId")
    found = propagated()
    connection = ec2.describe_vpn_connections(VpnConnectionIds=[network.output("VpnConnectionId")])["VpnConnections"][0]
    tables = ec2.describe_route_tables(RouteTableIds=private)["RouteTables"]

    assert [{("10.9.0.0/16", gateway), ("10.8.0.0/16", gateway)}] * len(private) == [found.pop(one) for one in private]
    assert found and not any(found.values())
    assert [[{"GatewayId": gateway}]] * len(private) == [table["PropagatingVgws"] for table in tables]
    assert connection["Options"]["StaticRoutesOnly"] is True
    assert {"10.9.0.0/16", "10.8.0.0/16"} == {one["DestinationCidrBlock"] for one in connection["Routes"]}
    configuration = connection["CustomerGatewayConfiguration"]
    for tunnel in connection["Options"]["TunnelOptions"]:
        assert tunnel["OutsideIpAddress"] in configuration and tunnel["PreSharedKey"] in configuration
    assert (2, 0) == (configuration.count("<ipsec_tunnel>"), configuration.count("<bgp>"))

    network.apply("vpn", "vpn:\n  customer_address: 198.51.100.7\n  routes: [10.9.0.0/16]")
    assert {("10.9.0.0/16", gateway)} == propagated()[private[0]]
    assert () == network.destroy("vpn")
    assert not any(propagated().values())
    assert [] == ec2.describe_route_tables(RouteTableIds=private)["RouteTables"][0]["PropagatingVgws"]


def test_a_vpc_takes_one_vpn_gateway_at_a_time(network: Network) -> None:
    network.apply("vpn", "vpn: {customer_address: 198.51.100.7}")
    ec2 = network.client("ec2")
    second = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]

    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.attach_vpn_gateway(VpcId=network.output("VpcId"), VpnGatewayId=second)

    assert "InvalidVpcState" == caught.value.response["Error"]["Code"]
    ec2.delete_vpn_gateway(VpnGatewayId=second)
    network.destroy("vpn")


@pytest.mark.parametrize(
    ("before", "after", "asn", "goes"),
    [
        ("gateway_asn: 64513", "gateway_asn: 64514", 64514, {"GatewayAttachment", "Propagation", "Connection"}),
        ("routes: [10.9.0.0/16]", "customer_asn: 65000", 64512, {"ConnectionRoute1"}),
        ("customer_asn: 65000", "routes: [10.9.0.0/16]", 64512, set()),
    ],
    ids=["another number", "static to BGP", "BGP to static"],
)
def test_another_vpn_gateway_comes_after_the_old_one_has_gone_and_another_routing_leaves_it(
    network: Network, before: str, after: str, asn: int, goes: set[str]
) -> None:
    def there() -> tuple[Any, Any]:
        vpc = {"Name": "attachment.vpc-id", "Values": [network.output("VpcId")]}
        living = {"Name": "state", "Values": ["available"]}
        (gateway,) = ec2.describe_vpn_gateways(Filters=[vpc, living])["VpnGateways"]
        found = ec2.describe_vpn_connections(Filters=[{"Name": "state", "Values": ["available"]}])["VpnConnections"]
        (connection,) = [it for it in found if it["VpnGatewayId"] == gateway["VpnGatewayId"]]
        return gateway, connection

    ec2 = network.client("ec2")
    network.apply("vpn", f"vpn:\n  customer_address: 198.51.100.7\n  {before}")
    old, connection = there()

    changes = network.apply("vpn", f"vpn:\n  customer_address: 198.51.100.7\n  {after}")

    gateway, again = there()
    tables = ec2.describe_route_tables(RouteTableIds=network.output("PrivateRouteTableIds").split(","))["RouteTables"]
    assert connection["VpnConnectionId"] != again["VpnConnectionId"]
    assert ("gateway" in before) == (old["VpnGatewayId"] != gateway["VpnGatewayId"])
    assert (network.output("VpnGatewayId"), asn) == (gateway["VpnGatewayId"], int(gateway["AmazonSideAsn"]))
    assert after.startswith("routes") == again["Options"]["StaticRoutesOnly"]
    assert [[{"GatewayId": gateway["VpnGatewayId"]}]] * len(tables) == [it["PropagatingVgws"] for it in tables]
    assert goes == {it.name.partition("/")[2] for it in changes if it.kind is ChangeKind.REMOVE}
    assert [] == network.apply("vpn", f"vpn:\n  customer_address: 198.51.100.7\n  {after}")
    assert () == network.destroy("vpn")


def attached(network: Network) -> list[tuple[str, str, set[str]]]:
    """The VPC's attachments: transit gateway, state, subnets."""
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]
    found = network.client("ec2").describe_transit_gateway_vpc_attachments(Filters=asked)
    return [(it["TransitGatewayId"], it["State"], set(it["SubnetIds"])) for it in found["TransitGatewayVpcAttachments"]]


def led(network: Network) -> dict[str, set[tuple[str, str]]]:
    """By route table of the VPC, the blocks that lead to a transit gateway."""
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]
    return {
        table["RouteTableId"]: {
            (it["DestinationCidrBlock"], it["TransitGatewayId"]) for it in table["Routes"] if it.get("TransitGatewayId")
        }
        for table in network.client("ec2").describe_route_tables(Filters=asked)["RouteTables"]
    }


GATEWAY = "00000000-0000-0000-0000-000000000001"


def test_a_transit_gateway_joins_the_private_subnets_alone_and_goes_with_its_routes(network: Network) -> None:
    ec2 = network.client("ec2")
    private = set(network.output("PrivateSubnetIds").split(","))
    tables = network.output("PrivateRouteTableIds").split(",")
    options = f"  routes: [10.9.0.0/16, 10.8.0.0/16]\n  direct_connect_gateway: {GATEWAY}"

    network.apply("transit-gateway", f"transit_gateway:\n  asn: 64514\n{options}")

    gateway = network.output("TransitGatewayId")
    (made,) = ec2.describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"]
    ways = led(network)
    assert ("64514", "disable") == tuple(
        str(made["Options"][it]) for it in ("AmazonSideAsn", "AutoAcceptSharedAttachments")
    )
    assert [(gateway, "available", private)] == attached(network)
    assert [{("10.9.0.0/16", gateway), ("10.8.0.0/16", gateway)}] * len(tables) == [ways.pop(it) for it in tables]
    assert ways and not any(ways.values())
    assert [] == network.apply("transit-gateway", f"transit_gateway:\n  asn: 64514\n{options}")

    network.apply("transit-gateway", "transit_gateway:\n  asn: 64514\n  routes: [10.9.0.0/16]")
    assert {("10.9.0.0/16", gateway)} == led(network)[tables[0]]
    assert () == network.destroy("transit-gateway")
    assert ([], False) == (attached(network), any(led(network).values()))
    assert [] == ec2.describe_transit_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["TransitGateways"]


def test_a_transit_gateway_that_is_there_is_joined_and_stays(network: Network) -> None:
    ec2 = network.client("ec2")
    there = ec2.create_transit_gateway(Description="a company's")["TransitGateway"]["TransitGatewayId"]
    tables = network.output("PrivateRouteTableIds").split(",")
    network.apply("transit-gateway", f"transit_gateway:\n  routes: [10.9.0.0/16]\n  direct_connect_gateway: {GATEWAY}")
    own = network.output("TransitGatewayId")

    changes = network.apply(
        "transit-gateway",
        f"transit_gateway:\n  id: {there}\n  routes: [10.9.0.0/16]\n  direct_connect_gateway: {GATEWAY}",
    )

    kinds = [(it.kind, it.name.partition("/")[2]) for it in changes]
    assert kinds.index((ChangeKind.REMOVE, "DirectConnect")) < kinds.index((ChangeKind.ADD, "DirectConnect"))
    assert [there] == [it[0] for it in attached(network)]
    assert [{("10.9.0.0/16", there)}] * len(tables) == [led(network)[it] for it in tables]
    assert own not in {it["TransitGatewayId"] for it in ec2.describe_transit_gateways()["TransitGateways"]}
    assert () == network.destroy("transit-gateway")
    assert there in {it["TransitGatewayId"] for it in ec2.describe_transit_gateways()["TransitGateways"]}
    ec2.delete_transit_gateway(TransitGatewayId=there)


def test_a_third_zone_comes_to_the_attachment_in_place_and_goes(client: Client, folder: Path) -> None:
    network = Network(client, folder, "transit", "10.84.0.0/16")
    network.apply("network")
    option = "transit_gateway: {routes: [10.9.0.0/16]}"
    network.apply("transit-gateway", option)
    before = network.output("TransitGatewayAttachmentId")

    network.apply("network", f"zones: 3\n{option}")
    network.apply("transit-gateway", f"zones: 3\n{option}")

    assert [set(network.output("PrivateSubnetIds").split(","))] == [it[2] for it in attached(network)]
    assert 3 == len([it for it in led(network).values() if it])
    network.apply("transit-gateway", option)
    assert [set(network.output("PrivateSubnetIds").split(",")[:2])] == [it[2] for it in attached(network)]
    assert (before, 2) == (
        network.output("TransitGatewayAttachmentId"),
        len([it for it in led(network).values() if it]),
    )
    network.destroy("transit-gateway")
    network.destroy("network")


def test_peering_brings_the_routes_to_both_and_opens_the_one_that_asked(
    client: Client, folder: Path, network: Network
) -> None:
    peer = Network(client, folder, "peer", "10.83.0.0/16")
    peer.apply("network", "zones: 3")
    ours, theirs = network.output("ControllerSecurityGroupId"), peer.output("ControllerSecurityGroupId")
    entries = set(network.acl("PrivateAclId"))

    def ways(of: Network) -> list[tuple[str, bool]]:
        asked = [{"Name": "vpc-id", "Values": [of.output("VpcId")]}]
        tables = client("ec2").describe_route_tables(Filters=asked)["RouteTables"]
        private = of.output("PrivateRouteTableIds").split(",")
        return sorted(
            (route["DestinationCidrBlock"], table["RouteTableId"] in private)
            for table in tables
            for route in table["Routes"]
            if route.get("VpcPeeringConnectionId")
        )

    def let_in(group: str) -> set[tuple[int, str]]:
        found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        return {(rule["FromPort"], pair["GroupId"]) for rule in found for pair in rule["UserIdGroupPairs"]}

    before = let_in(ours), let_in(theirs)
    network.apply(
        "peering", "peering:\n  environment: peer", **parameters.make_peer_parameters(peer.made["network"].outputs)
    )

    assert [("10.83.0.0/16", True)] * 2 == ways(network)
    assert [("10.81.0.0/16", True)] * 3 == ways(peer)
    assert ({(443, theirs)}, set()) == (let_in(ours) - before[0], let_in(theirs) - before[1])
    assert {(False, 300, "10.83.0.0/16", "443"), (True, 300, "10.83.0.0/16", "1024")} == set(
        network.acl("PrivateAclId")
    ) - entries
    assert () == network.destroy("peering")
    assert ([], [], before) == (ways(network), ways(peer), (let_in(ours), let_in(theirs)))
