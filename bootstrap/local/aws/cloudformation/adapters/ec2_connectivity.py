"""VPN gateways and connections, transit gateways and their attachments, and VPC peering."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import EC2_TAGS
from bootstrap.local.aws.cloudformation.errors import Gone


class _DescribedAfterDeletion(TableAdapter):
    """A type that EC2 still describes for some time after its deletion, with the state 'deleted'."""

    def read_item(self, to: To) -> Any:
        """Read the resource. Raises Gone when its state is 'deleted' or 'deleting'."""
        description = super().read_item(to)
        state = description.get("State", description.get("Status", ""))
        code = state.get("Code", "") if isinstance(state, dict) else state
        if code in {"deleted", "deleting"}:
            raise Gone(f"{self.type} {to.physical_id} does not exist")
        return description


class _WithOptions(_DescribedAfterDeletion):
    """A type whose API takes some of its properties inside 'Options'."""

    OPTIONS: frozenset[str] = frozenset()

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Move the properties in OPTIONS into 'Options'."""
        parameters = super().make_parameters(to, names)
        options = {name: parameters.pop(name) for name in sorted(parameters.keys() & self.OPTIONS)}
        return {**parameters, "Options": options} if options else parameters


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
    """AWS::EC2::VPNConnectionRoute; Ref is its block and its connection. Every change replaces the resource."""

    type = "AWS::EC2::VPNConnectionRoute"

    def create(self, to: To) -> str:
        """Add the route. EC2 refuses that unless the connection has static routes."""
        to.call("ec2", "create_vpn_connection_route", **to.pick("DestinationCidrBlock", "VpnConnectionId"))
        return f"{to.get('DestinationCidrBlock')}|{to.get('VpnConnectionId')}"

    def delete(self, to: To) -> None:
        """Delete the route by its block and its connection."""
        block, _, connection = to.physical_id.partition("|")
        to.call("ec2", "delete_vpn_connection_route", DestinationCidrBlock=block, VpnConnectionId=connection)


class RoutePropagation(Adapter):
    """AWS::EC2::VPNGatewayRoutePropagation; Ref is a generated name, as EC2 gives a propagation no id."""

    type = "AWS::EC2::VPNGatewayRoutePropagation"

    def create(self, to: To) -> str:
        """Enable the propagation for each route table."""
        name = to.generate_name()
        to.initiated(name)
        self._call(to, "enable_vgw_route_propagation", _list_tables(to.properties))
        return name

    def update(self, to: To) -> None:
        """Enable the propagation for the new route tables, then disable it for those that are no longer named."""
        before, after = _list_tables(to.old), _list_tables(to.properties)
        self._call(to, "enable_vgw_route_propagation", after - before)
        self._call(to, "disable_vgw_route_propagation", before - after)

    def delete(self, to: To) -> None:
        """Disable the propagation for each route table; tables and gateways that no longer exist are ignored."""
        self._call(to, "disable_vgw_route_propagation", _list_tables(to.properties))

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the name as id."""
        return {"Id": to.physical_id}

    def _call(self, to: To, method: str, pairs: set[tuple[str, str]]) -> None:
        for gateway, table in sorted(pairs):
            try:
                to.call("ec2", method, GatewayId=gateway, RouteTableId=table)
            except Gone:
                if method.startswith("enable"):
                    raise


def _list_tables(properties: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the ids of gateway and route table of each propagation."""
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


class Peering(_DescribedAfterDeletion):
    """AWS::EC2::VPCPeeringConnection; Ref is its id. Inside one account CloudFormation accepts it at once."""

    def create(self, to: To) -> str:
        """Request the connection; accept it if both VPCs are in this account."""
        peering = super().create(to)
        if str(to.get("PeerOwnerId", to.account)) == to.account:
            to.call("ec2", "accept_vpc_peering_connection", VpcPeeringConnectionId=peering)
        return peering


def _change_subnets(to: To, subnet_ids: Any) -> None:
    """Add the new subnets, then remove the old ones: an attachment must always have a subnet."""
    before, after = set(to.old.get("SubnetIds") or ()), set(subnet_ids or ())
    for name, subnets in (("AddSubnetIds", after - before), ("RemoveSubnetIds", before - after)):
        if subnets:
            parameters: dict[str, Any] = {"TransitGatewayAttachmentId": to.physical_id, name: sorted(subnets)}
            to.call("ec2", "modify_transit_gateway_vpc_attachment", **parameters)


def _make_attachment(kind: str) -> TableAdapter:
    return _DescribedAfterDeletion(
        Entry(
            kind,
            "ec2",
            "create_transit_gateway_vpc_attachment",
            "delete_transit_gateway_vpc_attachment",
            "TransitGatewayAttachmentId",
            id_path="TransitGatewayVpcAttachment.TransitGatewayAttachmentId",
            update="modify_transit_gateway_vpc_attachment",
            takes=("Options",),
            alters={"SubnetIds": _change_subnets},
            read="describe_transit_gateway_vpc_attachments",
            read_key="TransitGatewayAttachmentIds",
            item="TransitGatewayVpcAttachments.0",
            attributes={"Id": "@id"},
            tags=EC2_TAGS,
        )
    )


ADAPTERS = (
    _DescribedAfterDeletion(
        Entry(
            "AWS::EC2::VPNGateway",
            "ec2",
            "create_vpn_gateway",
            "delete_vpn_gateway",
            "VpnGatewayId",
            id_path="VpnGateway.VpnGatewayId",
            read="describe_vpn_gateways",
            read_key="VpnGatewayIds",
            item="VpnGateways.0",
            attributes={"VPNGatewayId": "@id"},
            tags=EC2_TAGS,
        )
    ),
    _DescribedAfterDeletion(
        Entry(
            "AWS::EC2::CustomerGateway",
            "ec2",
            "create_customer_gateway",
            "delete_customer_gateway",
            "CustomerGatewayId",
            id_path="CustomerGateway.CustomerGatewayId",
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
            id_path="VpnConnection.VpnConnectionId",
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
            id_path="TransitGateway.TransitGatewayId",
            update="modify_transit_gateway",
            takes=("Description", "AutoAcceptSharedAttachments", "DnsSupport", "VpnEcmpSupport"),
            read="describe_transit_gateways",
            read_key="TransitGatewayIds",
            item="TransitGateways.0",
            attributes={"Id": "@id", "TransitGatewayArn": "TransitGatewayArn"},
            tags=EC2_TAGS,
        )
    ),
    _make_attachment("AWS::EC2::TransitGatewayAttachment"),
    _make_attachment("AWS::EC2::TransitGatewayVpcAttachment"),
    _DescribedAfterDeletion(
        Entry(
            "AWS::EC2::TransitGatewayRouteTable",
            "ec2",
            "create_transit_gateway_route_table",
            "delete_transit_gateway_route_table",
            "TransitGatewayRouteTableId",
            id_path="TransitGatewayRouteTable.TransitGatewayRouteTableId",
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
            id_path="VpcPeeringConnection.VpcPeeringConnectionId",
            read="describe_vpc_peering_connections",
            read_key="VpcPeeringConnectionIds",
            item="VpcPeeringConnections.0",
            attributes={"Id": "@id"},
            tags=EC2_TAGS,
        )
    ),
)
