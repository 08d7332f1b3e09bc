"""What connects networks: VPN gateways and connections, transit gateways and their attachments, VPC peering."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import EC2_TAGS
from bootstrap.local.aws.cloudformation.errors import Gone


class _Fading(TableAdapter):
    """What EC2 still describes for a time after its deletion, as 'deleted'."""

    def item(self, to: To) -> Any:
        """Gone when its state says so."""
        found = super().item(to)
        state = found.get("State", found.get("Status", ""))
        code = state.get("Code", "") if isinstance(state, dict) else state
        if code in {"deleted", "deleting"}:
            raise Gone(f"{self.type} {to.physical_id} does not exist")
        return found


class _WithOptions(_Fading):
    """A type whose API takes some properties inside 'Options'."""

    OPTIONS: frozenset[str] = frozenset()

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """Options apart."""
        flat = super().given(to, names)
        options = {name: flat.pop(name) for name in sorted(flat.keys() & self.OPTIONS)}
        return {**flat, "Options": options} if options else flat


class VpnConnection(_WithOptions):
    """AWS::EC2::VPNConnection; Ref is its id."""

    OPTIONS = frozenset(
        (
            "EnableAcceleration",
            "LocalIpv4NetworkCidr",
            "LocalIpv6NetworkCidr",
            "OutsideIpAddressType",
            "RemoteIpv4NetworkCidr",
            "RemoteIpv6NetworkCidr",
            "StaticRoutesOnly",
            "TransportTransitGatewayAttachmentId",
            "TunnelBandwidth",
            "TunnelInsideIpVersion",
            "TunnelOptions",
        )
    )


class VpnConnectionRoute(Adapter):
    """AWS::EC2::VPNConnectionRoute; Ref is its block and its connection. Every change replaces it."""

    type = "AWS::EC2::VPNConnectionRoute"

    def create(self, to: To) -> str:
        """Only a connection with static routes takes it."""
        to.call("ec2", "create_vpn_connection_route", **to.pick("DestinationCidrBlock", "VpnConnectionId"))
        return f"{to.get('DestinationCidrBlock')}|{to.get('VpnConnectionId')}"

    def delete(self, to: To) -> None:
        """By both."""
        block, _, connection = to.physical_id.partition("|")
        to.call("ec2", "delete_vpn_connection_route", DestinationCidrBlock=block, VpnConnectionId=connection)


class RoutePropagation(Adapter):
    """AWS::EC2::VPNGatewayRoutePropagation; Ref is a name of CloudFormation's own, as no API knows such a thing."""

    type = "AWS::EC2::VPNGatewayRoutePropagation"

    def create(self, to: To) -> str:
        """Each table by a call of its own."""
        name = to.name()
        to.initiated(name)
        self._call(to, "enable_vgw_route_propagation", _tables(to.properties))
        return name

    def update(self, to: To) -> None:
        """The new ones first; those that are no longer meant afterwards."""
        before, after = _tables(to.old), _tables(to.properties)
        self._call(to, "enable_vgw_route_propagation", after - before)
        self._call(to, "disable_vgw_route_propagation", before - after)

    def delete(self, to: To) -> None:
        """A table or a gateway that is gone needs no call."""
        self._call(to, "disable_vgw_route_propagation", _tables(to.properties))

    def attributes(self, to: To) -> dict[str, Any]:
        """Its name."""
        return {"Id": to.physical_id}

    def _call(self, to: To, method: str, pairs: set[tuple[str, str]]) -> None:
        for gateway, table in sorted(pairs):
            try:
                to.call("ec2", method, GatewayId=gateway, RouteTableId=table)
            except Gone:
                if method.startswith("enable"):
                    raise


def _tables(properties: dict[str, Any]) -> set[tuple[str, str]]:
    """Gateway and table of each propagation."""
    listed = properties.get("RouteTableIds") or ()
    return {(str(properties["VpnGatewayId"]), str(one)) for one in ([listed] if isinstance(listed, str) else listed)}


class TransitGateway(_WithOptions):
    """AWS::EC2::TransitGateway; Ref is its id."""

    OPTIONS = frozenset(
        (
            "AmazonSideAsn",
            "AutoAcceptSharedAttachments",
            "DefaultRouteTableAssociation",
            "DefaultRouteTablePropagation",
            "DnsSupport",
            "MulticastSupport",
            "SecurityGroupReferencingSupport",
            "TransitGatewayCidrBlocks",
            "VpnEcmpSupport",
        )
    )


class Peering(_Fading):
    """AWS::EC2::VPCPeeringConnection; Ref is its id. Within an account CloudFormation accepts it at once."""

    def create(self, to: To) -> str:
        """Asked for, then accepted."""
        made = super().create(to)
        if str(to.get("PeerOwnerId", to.account)) == to.account:
            to.call("ec2", "accept_vpc_peering_connection", VpcPeeringConnectionId=made)
        return made


def _other_subnets(to: To, wished: Any) -> None:
    """The new ones first, for an attachment stands in one subnet at least."""
    before, after = set(to.old.get("SubnetIds") or ()), set(wished or ())
    for name, subnets in (("AddSubnetIds", after - before), ("RemoveSubnetIds", before - after)):
        if subnets:
            asked: dict[str, Any] = {"TransitGatewayAttachmentId": to.physical_id, name: sorted(subnets)}
            to.call("ec2", "modify_transit_gateway_vpc_attachment", **asked)


def _attachment(kind: str) -> TableAdapter:
    return _Fading(
        Entry(
            kind,
            "ec2",
            "create_transit_gateway_vpc_attachment",
            "delete_transit_gateway_vpc_attachment",
            "TransitGatewayAttachmentId",
            found="TransitGatewayVpcAttachment.TransitGatewayAttachmentId",
            update="modify_transit_gateway_vpc_attachment",
            takes=("Options",),
            alters={"SubnetIds": _other_subnets},
            read="describe_transit_gateway_vpc_attachments",
            read_key="TransitGatewayAttachmentIds",
            item="TransitGatewayVpcAttachments.0",
            attributes={"Id": "@id"},
            tags=EC2_TAGS,
        )
    )


ADAPTERS = (
    _Fading(
        Entry(
            "AWS::EC2::VPNGateway",
            "ec2",
            "create_vpn_gateway",
            "delete_vpn_gateway",
            "VpnGatewayId",
            found="VpnGateway.VpnGatewayId",
            read="describe_vpn_gateways",
            read_key="VpnGatewayIds",
            item="VpnGateways.0",
            attributes={"VPNGatewayId": "@id"},
            tags=EC2_TAGS,
        )
    ),
    _Fading(
        Entry(
            "AWS::EC2::CustomerGateway",
            "ec2",
            "create_customer_gateway",
            "delete_customer_gateway",
            "CustomerGatewayId",
            found="CustomerGateway.CustomerGatewayId",
            read="describe_customer_gateways",
            read_key="CustomerGatewayIds",
            item="CustomerGateways.0",
            attributes={"CustomerGatewayId": "@id"},
            tags=EC2_TAGS,
        )
    ),
    VpnConnection(
        Entry(
            "AWS::EC2::VPNConnection",
            "ec2",
            "create_vpn_connection",
            "delete_vpn_connection",
            "VpnConnectionId",
            found="VpnConnection.VpnConnectionId",
            renamed={"VpnTunnelOptionsSpecifications": "TunnelOptions"},
            read="describe_vpn_connections",
            read_key="VpnConnectionIds",
            item="VpnConnections.0",
            attributes={"VpnConnectionId": "@id"},
            tags=EC2_TAGS,
        )
    ),
    VpnConnectionRoute(),
    RoutePropagation(),
    TransitGateway(
        Entry(
            "AWS::EC2::TransitGateway",
            "ec2",
            "create_transit_gateway",
            "delete_transit_gateway",
            "TransitGatewayId",
            found="TransitGateway.TransitGatewayId",
            update="modify_transit_gateway",
            takes=("Description", "AutoAcceptSharedAttachments", "DnsSupport", "VpnEcmpSupport"),
            read="describe_transit_gateways",
            read_key="TransitGatewayIds",
            item="TransitGateways.0",
            attributes={"Id": "@id", "TransitGatewayArn": "TransitGatewayArn"},
            tags=EC2_TAGS,
        )
    ),
    _attachment("AWS::EC2::TransitGatewayAttachment"),
    _attachment("AWS::EC2::TransitGatewayVpcAttachment"),
    _Fading(
        Entry(
            "AWS::EC2::TransitGatewayRouteTable",
            "ec2",
            "create_transit_gateway_route_table",
            "delete_transit_gateway_route_table",
            "TransitGatewayRouteTableId",
            found="TransitGatewayRouteTable.TransitGatewayRouteTableId",
            read="describe_transit_gateway_route_tables",
            read_key="TransitGatewayRouteTableIds",
            item="TransitGatewayRouteTables.0",
            attributes={"TransitGatewayRouteTableId": "@id"},
            tags=EC2_TAGS,
        )
    ),
    Peering(
        Entry(
            "AWS::EC2::VPCPeeringConnection",
            "ec2",
            "create_vpc_peering_connection",
            "delete_vpc_peering_connection",
            "VpcPeeringConnectionId",
            found="VpcPeeringConnection.VpcPeeringConnectionId",
            read="describe_vpc_peering_connections",
            read_key="VpcPeeringConnectionIds",
            item="VpcPeeringConnections.0",
            attributes={"Id": "@id"},
            tags=EC2_TAGS,
        )
    ),
)
