"""Connections between networks: VPN, transit gateways, peering, Direct Connect."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading.network import describe_ec2
from bootstrap.local.aws.cloudformation.reading.read import Read, Way

VPN_OPTIONS = (
    "EnableAcceleration StaticRoutesOnly LocalIpv4NetworkCidr LocalIpv6NetworkCidr OutsideIpAddressType "
    "RemoteIpv4NetworkCidr RemoteIpv6NetworkCidr TransportTransitGatewayAttachmentId TunnelBandwidth "
    "TunnelInsideIpVersion"
)
HUB_OPTIONS = (
    "AmazonSideAsn AutoAcceptSharedAttachments DefaultRouteTableAssociation DefaultRouteTablePropagation DnsSupport "
    "MulticastSupport SecurityGroupReferencingSupport TransitGatewayCidrBlocks VpnEcmpSupport"
)
TUNNEL = {
    "DpdTimeoutAction": "DPDTimeoutAction",
    "DpdTimeoutSeconds": "DPDTimeoutSeconds",
    "IkeVersions": "IKEVersions",
}


def _read_options(names: str) -> dict[str, Way]:
    return {name: f"Options.{name}" for name in names.split()}


def _read_tunnels(part: Any, to: Context) -> Any:
    """The options of tunnels: only as many as in the template, because a connection always has two."""
    listed = part.get("Options", {}).get("TunnelOptions", ())[: len(to.get("VpnTunnelOptionsSpecifications") or ())]
    return listed and [{TUNNEL.get(key, key): value for key, value in item.items()} for item in listed]


def _read_static_route(part: Any, to: Context) -> Any:
    connection = find_at(part, "VpnConnections.0") or {}
    routes = [item for item in connection.get("Routes", ()) if connection.get("State") != "deleted"]
    block = to.physical_id.partition("|")[0]
    return next(
        (
            {**item, "VpnConnectionId": to.get("VpnConnectionId")}
            for item in routes
            if item["DestinationCidrBlock"] == block
        ),
        None,
    )


def _read_propagation(part: Any, to: Context) -> Any:
    gateway = to.get("VpnGatewayId")
    tables = [item["RouteTableId"] for item in part["RouteTables"] if {"GatewayId": gateway} in item["PropagatingVgws"]]
    return {"VpnGatewayId": gateway, "RouteTableIds": tables} if tables else None


_ATTACHMENT = (
    describe_ec2(
        "describe_transit_gateway_vpc_attachments",
        "TransitGatewayAttachmentIds",
        "TransitGatewayVpcAttachments",
    ),
)
READS: dict[str, tuple[Read, ...]] = {
    "AWS::EC2::VPNGateway": (describe_ec2("describe_vpn_gateways", "VpnGatewayIds", "VpnGateways"),),
    "AWS::EC2::CustomerGateway": (
        describe_ec2("describe_customer_gateways", "CustomerGatewayIds", "CustomerGateways"),
    ),
    "AWS::EC2::VPNConnection": (
        describe_ec2(
            "describe_vpn_connections",
            "VpnConnectionIds",
            "VpnConnections",
            **_read_options(VPN_OPTIONS),
            VpnTunnelOptionsSpecifications=_read_tunnels,
        ),
    ),
    "AWS::EC2::VPNConnectionRoute": (
        Read("ec2", "describe_vpn_connections", {"VpnConnectionIds": ["#VpnConnectionId"]}, _read_static_route),
    ),
    "AWS::EC2::VPNGatewayRoutePropagation": (
        Read(
            "ec2",
            "describe_route_tables",
            {"Filters": [{"Name": "route-table-id", "Values": "#RouteTableIds"}]},
            _read_propagation,
        ),
    ),
    "AWS::EC2::TransitGateway": (
        describe_ec2("describe_transit_gateways", "TransitGatewayIds", "TransitGateways", **_read_options(HUB_OPTIONS)),
    ),
    "AWS::EC2::TransitGatewayAttachment": _ATTACHMENT,
    "AWS::EC2::TransitGatewayVpcAttachment": _ATTACHMENT,
    "AWS::EC2::TransitGatewayRouteTable": (
        describe_ec2(
            "describe_transit_gateway_route_tables", "TransitGatewayRouteTableIds", "TransitGatewayRouteTables"
        ),
    ),
    "AWS::EC2::VPCPeeringConnection": (
        describe_ec2(
            "describe_vpc_peering_connections",
            "VpcPeeringConnectionIds",
            "VpcPeeringConnections",
            VpcId="RequesterVpcInfo.VpcId",
            PeerVpcId="AccepterVpcInfo.VpcId",
            PeerOwnerId="AccepterVpcInfo.OwnerId",
            PeerRegion="AccepterVpcInfo.Region",
        ),
    ),
    "AWS::DirectConnect::Connection": (
        Read("directconnect", "describe_connections", {"connectionId": "@id"}, "connections.0"),
    ),
}
