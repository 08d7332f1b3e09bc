"""Additions to moto's VPN: options and tunnels of a connection, static routes, and routes that a VPN gateway propagates.

A VPC can have one attached VPN gateway (API reference of AttachVpnGateway); a second one is refused with EC2's message.

A static route of a connection is in every route table to which its gateway propagates routes, as long as the gateway is
attached to the table's VPC. A connection with BGP has no routes here, because there is no router at its other end.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import Any

from bootstrap.local.aws.patches import cidr_blocks

PROPAGATED = "EnableVgwRoutePropagation"
TUNNELS = 2
# The defaults of EC2 for options that a request does not have (API reference of VpnConnectionOptions).
DEFAULTS: dict[str, Any] = {
    "EnableAcceleration": False,
    "StaticRoutesOnly": False,
    "LocalIpv4NetworkCidr": "0.0.0.0/0",
    "RemoteIpv4NetworkCidr": "0.0.0.0/0",
    "OutsideIpAddressType": "PublicIpv4",
    "TunnelInsideIpVersion": "ipv4",
}
# Names in a request, and the different names in the response.
RESPONSE_NAMES = {
    "DPDTimeoutAction": "DpdTimeoutAction",
    "DPDTimeoutSeconds": "DpdTimeoutSeconds",
    "IKEVersions": "IkeVersions",
}


class VpnPatches:
    """One method for each module that is changed."""

    def _ec2_responses_vpn_connections(self, module: Any) -> None:
        create = module.VPNConnections.create_vpn_connection

        @functools.wraps(create)
        def create_vpn_connection(response: Any) -> Any:
            answer = create(response)
            connection = answer.result["VpnConnection"]
            connection.options = _complete_options(response._get_param("Options") or {})
            return answer

        def create_vpn_connection_route(response: Any) -> Any:
            connection = _find_connection(response)
            if not connection.options["StaticRoutesOnly"]:
                raise _make_refusal(
                    "InvalidVpnConnection.InvalidType", "The specified VPN connection does not support static routes."
                )
            block = _parse_block(response._get_param("DestinationCidrBlock"))
            connection.static_routes = sorted({*(connection.static_routes or ()), block})
            return module.EmptyResult()

        def delete_vpn_connection_route(response: Any) -> Any:
            connection, block = _find_connection(response), response._get_param("DestinationCidrBlock")
            if block not in (connection.static_routes or ()):
                raise _make_refusal("InvalidRoute.NotFound", f"{connection.id} has no static route to {block}")
            connection.static_routes.remove(block)
            return module.EmptyResult()

        module.VPNConnections.create_vpn_connection = create_vpn_connection
        module.VPNConnections.create_vpn_connection_route = create_vpn_connection_route
        module.VPNConnections.delete_vpn_connection_route = delete_vpn_connection_route

    def _ec2_models_vpn_connections(self, module: Any) -> None:
        module.VPNConnection.routes = property(_list_static_routes)
        tunnel = module._IPSEC_TUNNEL
        original = module.VPNConnection.customer_gateway_configuration.fget

        def configuration(connection: Any) -> str:
            head, _, tail = original(connection).partition(tunnel)
            tunnel_texts = [
                _fill_configuration(tunnel, connection, options) for options in connection.options["TunnelOptions"]
            ]
            return str("\n".join([head.rstrip(), *tunnel_texts]) + tail.partition(tunnel)[2])

        module.VPNConnection.customer_gateway_configuration = property(configuration)

    def _ec2_models_vpn_gateway(self, module: Any) -> None:
        attach = module.VpnGatewayBackend.attach_vpn_gateway

        @functools.wraps(attach)
        def attach_vpn_gateway(backend: Any, vpn_gateway_id: str, vpc_id: str) -> Any:
            others = (gateway for key, gateway in backend.vpn_gateways.items() if key != vpn_gateway_id)
            if any(_is_attached(gateway, vpc_id) for gateway in others):
                message = f"VPC {vpc_id} is currently attached to the Virtual Private Gateway."
                raise _make_refusal("InvalidVpcState", message)
            return attach(backend, vpn_gateway_id, vpc_id)

        module.VpnGatewayBackend.attach_vpn_gateway = attach_vpn_gateway

    def _ec2_responses_route_tables(self, module: Any) -> None:
        def enable_vgw_route_propagation(response: Any) -> Any:
            table, gateway = _find_table_and_gateway(response)
            if not _is_attached(gateway, table.vpc_id):
                raise _make_refusal("Gateway.NotAttached", f"{gateway.id} is not attached to {table.vpc_id}")
            table.propagating = sorted({*getattr(table, "propagating", ()), gateway.id})
            return module.EmptyResult()

        def disable_vgw_route_propagation(response: Any) -> Any:
            table, gateway = _find_table_and_gateway(response)
            table.propagating = [one for one in getattr(table, "propagating", ()) if one != gateway.id]
            return module.EmptyResult()

        module.RouteTables.enable_vgw_route_propagation = enable_vgw_route_propagation
        module.RouteTables.disable_vgw_route_propagation = disable_vgw_route_propagation

    def _ec2_models_route_tables(self, module: Any) -> None:
        class PropagatedRoute(module.Route):  # type: ignore[misc]
            """A route that a VPN gateway propagates."""

            origin = PROPAGATED

        def routes(table: Any) -> list[Any]:
            propagated = [
                (block, gateway)
                for gateway in _list_propagating_gateways(table)
                for block in _list_blocks(table, gateway)
            ]
            return [
                *table._routes.values(),
                *(PropagatedRoute(table, block, None, gateway=gateway) for block, gateway in propagated),
            ]

        cidr_blocks.make_canonical(module)
        module.RouteTable.routes = property(routes)
        module.RouteTable.propagating_vgws = property(
            lambda table: [{"GatewayId": gateway.id} for gateway in _list_propagating_gateways(table)]
        )


def _complete_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a connection as EC2 returns them: with defaults, and with two tunnels in each case."""
    tunnels = [*options.get("TunnelOptions", ()), {}, {}][:TUNNELS]
    return {
        **DEFAULTS,
        **options,
        "TunnelOptions": [_make_tunnel(tunnel, number) for number, tunnel in enumerate(tunnels)],
    }


def _make_tunnel(options: dict[str, Any], number: int) -> dict[str, Any]:
    from moto.moto_api._internal import mock_random

    inside = mock_random.randint(6, 168) * 256 + 4 * mock_random.randint(0, 63)  # the blocks below are reserved
    tunnel = {
        "OutsideIpAddress": f"203.0.113.{mock_random.randint(1, 126) + 128 * number}",  # no address of anybody
        "TunnelInsideCidr": str(ipaddress.ip_network((int(ipaddress.ip_address("169.254.0.0")) + inside, 30))),
        "PreSharedKey": "k" + mock_random.get_random_string(31),  # must not begin with a zero
    }
    return tunnel | {RESPONSE_NAMES.get(name, name): value for name, value in options.items()}


def _fill_configuration(text: str, connection: Any, tunnel: dict[str, Any]) -> str:
    """moto's text for one tunnel with the values of the connection; a connection with static routes has no BGP."""
    backend = connection.ec2_backend
    customer = backend.get_customer_gateway(connection.customer_gateway_id)
    ours, theirs = list(ipaddress.ip_network(tunnel["TunnelInsideCidr"]).hosts())[:2]
    replacements = {
        "12.1.2.3": customer.ip_address,
        "52.2.144.13": tunnel["OutsideIpAddress"],
        "169.254.44.41": str(ours),
        "169.254.44.42": str(theirs),
        "Iw2IAN9XUsQeYUrkMGP3kP59ugFDkfHg": tunnel["PreSharedKey"],
        "<asn>65000<": f"<asn>{customer.bgp_asn}<",
    }
    if gateway := backend.vpn_gateways.get(connection.vpn_gateway_id):
        replacements["<asn>7224<"] = f"<asn>{gateway.amazon_side_asn or 64512}<"
    for example, value in replacements.items():
        text = text.replace(example, value)
    return re.sub(r"\n *<bgp>.*?</bgp>", "", text, flags=re.DOTALL) if connection.options["StaticRoutesOnly"] else text


def _list_static_routes(connection: Any) -> list[dict[str, str]]:
    return [{"DestinationCidrBlock": block, "State": "available"} for block in connection.static_routes or ()]


def _list_propagating_gateways(table: Any) -> list[Any]:
    """The gateways that propagate routes to a table: those that exist and are attached to its VPC."""
    gateways = (table.ec2_backend.vpn_gateways.get(gateway_id) for gateway_id in getattr(table, "propagating", ()))
    return [gateway for gateway in gateways if gateway is not None and _is_attached(gateway, table.vpc_id)]


def _list_blocks(table: Any, gateway: Any) -> list[str]:
    connections = table.ec2_backend.vpn_connections.values()
    available = [
        connection
        for connection in connections
        if connection.vpn_gateway_id == gateway.id and connection.state == "available"
    ]
    return sorted({block for connection in available for block in connection.static_routes or ()})


def _is_attached(gateway: Any, vpc_id: str) -> bool:
    attachment = gateway.attachments.get(vpc_id)
    return gateway.state == "available" and attachment is not None and attachment.state == "attached"


def _find_connection(response: Any) -> Any:
    (connection,) = response.ec2_backend.describe_vpn_connections([response._get_param("VpnConnectionId")])
    if connection.state != "available":
        raise _make_refusal(
            "InvalidVpnConnection.InvalidState",
            "The VPN connection must be in the available state to complete the request.",
        )
    return connection


def _find_table_and_gateway(response: Any) -> tuple[Any, Any]:
    backend = response.ec2_backend
    table = backend.get_route_table(response._get_param("RouteTableId"))
    return table, backend.get_vpn_gateway(response._get_param("GatewayId"))


def _parse_block(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError:
        raise _make_refusal(
            "InvalidParameterValue", f"Value ({text}) for parameter destinationCidrBlock is invalid."
        ) from None


def _make_refusal(code: str, message: str) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    refusal: Exception = EC2ClientError(code, message)
    return refusal
