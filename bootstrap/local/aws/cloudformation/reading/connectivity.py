"""What connects networks: VPN, transit gateways, peering, Direct Connect."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.reading.network import ec2
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


def _options(names: str) -> dict[str, Way]:
    return {name: f"Options.{name}" for name in names.split()}


def _tunnels(found: Any, to: Context) -> Any:
    """As many as the template describes: there are always two."""
    listed = found.get("Options", {}).get("TunnelOptions", ())[: len(to.get("VpnTunnelOptionsSpecifications") or ())]
    return listed and [{TUNNEL.get(key, key): value for key, value in one.items()} for one in listed]


def _static_route(found: Any, to: Context) -> Any:
    connection = at(found, "VpnConnections.0") or {}
    routes = [one for one in connection.get("Routes", ()) if connection.get("State") != "deleted"]
    block = to.physical_id.partition("|")[0]
    return next(
        (
            {**one, "VpnConnectionId": to.get("VpnConnectionId")}
            for one in routes
            if one["DestinationCidrBlock"] == block
        ),
        None,
    )


def _propagation(found: Any, to: Context) -> Any:
    gateway = to.get("VpnGatewayId")
    tables = [one["RouteTableId"] for one in found["RouteTables"] if {"GatewayId": gateway} in one["PropagatingVgws"]]
    return {"VpnGatewayId": gateway, "RouteTableIds": tables} if tables else None


_ATTACHMENT = (
    ec2(
        "describe_transit_gateway_vpc_attachments",
        "TransitGatewayAttachmentIds",
        "TransitGatewayVpcAttachments",
    ),
)
READS: dict[str, tuple[Read, ...]] = {
    "AWS::EC2::VPNGateway": (ec2("describe_vpn_gateways", "VpnGatewayIds", "VpnGateways"),),
    "AWS::EC2::CustomerGateway": (ec2("describe_customer_gateways", "CustomerGatewayIds", "CustomerGateways"),),
    "AWS::EC2::VPNConnection": (
        ec2(
            "describe_vpn_connections",
            "VpnConnectionIds",
            "VpnConnections",
            **_options(VPN_OPTIONS),
            VpnTunnelOptionsSpecifications=_tunnels,
        ),
    ),
    "AWS::EC2::VPNConnectionRoute": (
        Read("ec2", "describe_vpn_connections", {"VpnConnectionIds": ["#VpnConnectionId"]}, _static_route),
    ),
    "AWS::EC2::VPNGatewayRoutePropagation": (
        Read(
            "ec2",
            "describe_route_tables",
            {"Filters": [{"Name": "route-table-id", "Values": "#RouteTableIds"}]},
            _propagation,
        ),
    ),
    "AWS::EC2::TransitGateway": (
        ec2("describe_transit_gateways", "TransitGatewayIds", "TransitGateways", **_options(HUB_OPTIONS)),
    ),
    "AWS::EC2::TransitGatewayAttachment": _ATTACHMENT,
    "AWS::EC2::TransitGatewayVpcAttachment": _ATTACHMENT,
    "AWS::EC2::TransitGatewayRouteTable": (
        ec2("describe_transit_gateway_route_tables", "TransitGatewayRouteTableIds", "TransitGatewayRouteTables"),
    ),
    "AWS::EC2::VPCPeeringConnection": (
        ec2(
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
