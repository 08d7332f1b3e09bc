"""What stands beside a network, as AWS' own answers tell it: each call's request and answer are held to botocore's models."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from bootstrap.network import surroundings
from bootstrap.network.surroundings import DirectConnect, Surroundings, Zone

VPC, GATEWAY, DIRECT = "vpc-0a", "vgw-0a", "11111111-2222-3333-4444-555555555555"
Ask = Callable[..., Surroundings]
SERVERS = {"Name": "ci.example.org.", "Type": "NS", "TTL": 3600, "ResourceRecords": [{"Value": "ns-1.example."}]}


def interface(identity: str, state: str, gateway: str = DIRECT, vlan: int = 101) -> dict[str, Any]:
    return {
        "virtualInterfaceId": identity,
        "virtualInterfaceType": "private",
        "virtualInterfaceState": state,
        "vlan": vlan,
        "directConnectGatewayId": gateway,
    }


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    """A stub by service, of a network with a VPN gateway and nothing else; each test adds what it is about."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "stub")
    services = ("ec2", "route53", "route53resolver", "directconnect")
    made = {name: Stubber(boto3.client(name, region_name="eu-central-1")) for name in services}
    gateway = {"VpnGatewayId": GATEWAY, "AmazonSideAsn": 64512}
    made["ec2"].add_response(
        "describe_vpn_gateways",
        {"VpnGateways": [gateway]},
        {"Filters": [{"Name": "attachment.vpc-id", "Values": [VPC]}]},
    )
    made["ec2"].add_response("describe_customer_gateways", {"CustomerGateways": []})
    made["ec2"].add_response("describe_vpn_connections", {"VpnConnections": []})
    made["ec2"].add_response("describe_flow_logs", {"FlowLogs": []})
    made["route53resolver"].add_response(
        "list_resolver_query_log_config_associations", {"ResolverQueryLogConfigAssociations": []}
    )
    empty = {"HostedZoneSummaries": [], "MaxItems": "100"}
    made["route53"].add_response("list_hosted_zones_by_vpc", empty, {"VPCId": VPC, "VPCRegion": "eu-central-1"})
    return made


@pytest.fixture
def ask(stubs: dict[str, Stubber]) -> Ask:
    """Read, and see that everything that was to be asked was asked."""

    def run(*, with_direct_connect: bool = False, public_zones: dict[str, str] | None = None) -> Surroundings:
        for stub in stubs.values():
            stub.activate()
        found = surroundings.read(
            lambda name: stubs[name].client,
            VPC,
            "eu-central-1",
            lambda error: isinstance(error, ClientError),
            with_direct_connect=with_direct_connect,
            public_zones=public_zones or {},
        )
        for stub in stubs.values():
            stub.assert_no_pending_responses()
        return found

    return run


def test_a_direct_connect_gateway_is_told_with_the_interfaces_that_lead_to_it(
    stubs: dict[str, Stubber], ask: Ask
) -> None:
    told = [
        interface("dxvif-1", "available"),
        interface("dxvif-2", "down", vlan=102),
        interface("dxvif-3", "deleted", vlan=103),
        interface("dxvif-4", "available", gateway="of-somebody-else"),
    ]
    associations = [
        {"directConnectGatewayId": DIRECT, "virtualGatewayId": GATEWAY, "associationState": "associated"},
        {"directConnectGatewayId": "left", "virtualGatewayId": GATEWAY, "associationState": "disassociated"},
    ]
    stubs["directconnect"].add_response("describe_virtual_interfaces", {"virtualInterfaces": told}, {})
    stubs["directconnect"].add_response(
        "describe_direct_connect_gateway_associations",
        {"directConnectGatewayAssociations": associations},
        {"virtualGatewayId": GATEWAY},
    )

    found = ask(with_direct_connect=True)

    words = ("private interface, VLAN 101, available", "private interface, VLAN 102, down")
    assert (DirectConnect(DIRECT, GATEWAY, "associated", words),) == found.direct_connects
    assert () == found.unseen


def test_direct_connect_that_may_not_be_asked_is_left_out_and_named(stubs: dict[str, Stubber], ask: Ask) -> None:
    stubs["directconnect"].add_client_error("describe_virtual_interfaces", "AccessDeniedException", "not for you")

    found = ask(with_direct_connect=True)

    assert () == found.direct_connects
    assert [True] == [it.startswith("Direct Connect: ") and "not for you" in it for it in found.unseen]


def test_direct_connect_that_nobody_wished_for_is_not_asked(ask: Ask) -> None:
    found = ask()  # a call that is not stubbed is an error

    assert ((), ()) == (found.direct_connects, found.unseen)


def test_the_environments_public_zone_is_told_with_its_addresses(stubs: dict[str, Stubber], ask: Ask) -> None:
    address = {"Name": "jenkins.ci.example.org.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.4.9"}]}
    stubs["route53"].add_response(
        "list_resource_record_sets",
        {"ResourceRecordSets": [SERVERS, address], "IsTruncated": False, "MaxItems": "300"},
        {"HostedZoneId": "Z1"},
    )

    found = ask(public_zones={"Z1": "ci.example.org"})

    assert (Zone("ci.example.org", False, ("jenkins.ci.example.org = 10.0.4.9",)),) == found.zones


def test_a_public_zone_that_somebody_deleted_is_named_as_not_seen(stubs: dict[str, Stubber], ask: Ask) -> None:
    stubs["route53"].add_client_error("list_resource_record_sets", "NoSuchHostedZone", "no hosted zone Z1")

    found = ask(public_zones={"Z1": "ci.example.org"})

    assert ((), True) == (found.zones, found.unseen[0].startswith("public hosted zones: "))
