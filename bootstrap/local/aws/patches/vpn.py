"""The additions to moto's VPN: options and tunnels of a connection, static routes, and what a VPN gateway propagates.

A VPC takes one VPN gateway at a time (API reference of AttachVpnGateway); a second is refused in EC2's words.

A static route of a connection stands in every route table that its gateway propagates to, as long as the gateway is attached
to the table's VPC. A connection that speaks BGP has no routes here: nobody is on its other side.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import Any

PROPAGATED = "EnableVgwRoutePropagation"
TUNNELS = 2
# What EC2 says of a connection that leaves them out (API reference of VpnConnectionOptions).
DEFAULTS: dict[str, Any] = {
    "EnableAcceleration": False,
    "StaticRoutesOnly": False,
    "LocalIpv4NetworkCidr": "0.0.0.0/0",
    "RemoteIpv4NetworkCidr": "0.0.0.0/0",
    "OutsideIpAddressType": "PublicIpv4",
    "TunnelInsideIpVersion": "ipv4",
}
# What a request calls otherwise than an answer.
TOLD = {"DPDTimeoutAction": "DpdTimeoutAction", "DPDTimeoutSeconds": "DpdTimeoutSeconds", "IKEVersions": "IkeVersions"}


class VpnPatches:
    """One method for each module that is changed."""

    def _ec2_responses_vpn_connections(self, module: Any) -> None:
        create = module.VPNConnections.create_vpn_connection

        @functools.wraps(create)
        def create_vpn_connection(response: Any) -> Any:
            answer = create(response)
            connection = answer.result["VpnConnection"]
            connection.options = _options(response._get_param("Options") or {})
            return answer

        def create_vpn_connection_route(response: Any) -> Any:
            connection = _connection(response)
            if not connection.options["StaticRoutesOnly"]:
                raise _refusal(
                    "InvalidVpnConnection.InvalidType", "The specified VPN connection does not support static routes."
                )
            block = _block(response._get_param("DestinationCidrBlock"))
            connection.static_routes = sorted({*(connection.static_routes or ()), block})
            return module.EmptyResult()

        def delete_vpn_connection_route(response: Any) -> Any:
            connection, block = _connection(response), response._get_param("DestinationCidrBlock")
            if block not in (connection.static_routes or ()):
                raise _refusal("InvalidRoute.NotFound", f"{connection.id} has no static route to {block}")
            connection.static_routes.remove(block)
            return module.EmptyResult()

        module.VPNConnections.create_vpn_connection = create_vpn_connection
        module.VPNConnections.create_vpn_connection_route = create_vpn_connection_route
        module.VPNConnections.delete_vpn_connection_route = delete_vpn_connection_route

    def _ec2_models_vpn_connections(self, module: Any) -> None:
        module.VPNConnection.routes = property(_static_routes)
        tunnel = module._IPSEC_TUNNEL
        original = module.VPNConnection.customer_gateway_configuration.fget

        def configuration(connection: Any) -> str:
            head, _, tail = original(connection).partition(tunnel)
            told = [_configured(tunnel, connection, one) for one in connection.options["TunnelOptions"]]
            return str("\n".join([head.rstrip(), *told]) + tail.partition(tunnel)[2])

        module.VPNConnection.customer_gateway_configuration = property(configuration)

    def _ec2_models_vpn_gateway(self, module: Any) -> None:
        attach = module.VpnGatewayBackend.attach_vpn_gateway

        @functools.wraps(attach)
        def attach_vpn_gateway(backend: Any, vpn_gateway_id: str, vpc_id: str) -> Any:
            others = (one for key, one in backend.vpn_gateways.items() if key != vpn_gateway_id)
            if any(_is_attached(one, vpc_id) for one in others):
                message = f"VPC {vpc_id} is currently attached to the Virtual Private Gateway."
                raise _refusal("InvalidVpcState", message)
            return attach(backend, vpn_gateway_id, vpc_id)

        module.VpnGatewayBackend.attach_vpn_gateway = attach_vpn_gateway

    def _ec2_responses_route_tables(self, module: Any) -> None:
        def enable_vgw_route_propagation(response: Any) -> Any:
            table, gateway = _propagation(response)
            if not _is_attached(gateway, table.vpc_id):
                raise _refusal("Gateway.NotAttached", f"{gateway.id} is not attached to {table.vpc_id}")
            table.propagating = sorted({*getattr(table, "propagating", ()), gateway.id})
            return module.EmptyResult()

        def disable_vgw_route_propagation(response: Any) -> Any:
            table, gateway = _propagation(response)
            table.propagating = [one for one in getattr(table, "propagating", ()) if one != gateway.id]
            return module.EmptyResult()

        module.RouteTables.enable_vgw_route_propagation = enable_vgw_route_propagation
        module.RouteTables.disable_vgw_route_propagation = disable_vgw_route_propagation

    def _ec2_models_route_tables(self, module: Any) -> None:
        class Propagated(module.Route):  # type: ignore[misc]
            """A route that nobody wrote."""

            origin = PROPAGATED

        def routes(table: Any) -> list[Any]:
            found = [(block, gateway) for gateway in _propagating(table) for block in _blocks_behind(table, gateway)]
            return [*table._routes.values(), *(Propagated(table, block, None, gateway=by) for block, by in found)]

        module.RouteTable.routes = property(routes)
        module.RouteTable.propagating_vgws = property(
            lambda table: [{"GatewayId": gateway.id} for gateway in _propagating(table)]
        )


def _options(asked: dict[str, Any]) -> dict[str, Any]:
    """A connection's options as EC2 tells them: two tunnels, whatever was asked for."""
    wanted = [*asked.get("TunnelOptions", ()), {}, {}][:TUNNELS]
    return {**DEFAULTS, **asked, "TunnelOptions": [_tunnel(one, number) for number, one in enumerate(wanted)]}


def _tunnel(asked: dict[str, Any], number: int) -> dict[str, Any]:
    from moto.moto_api._internal import mock_random

    inside = mock_random.randint(6, 168) * 256 + 4 * mock_random.randint(0, 63)  # the blocks below are reserved
    made = {
        "OutsideIpAddress": f"203.0.113.{mock_random.randint(1, 126) + 128 * number}",  # no address of anybody
        "TunnelInsideCidr": str(ipaddress.ip_network((int(ipaddress.ip_address("169.254.0.0")) + inside, 30))),
        "PreSharedKey": "k" + mock_random.get_random_string(31),  # must not begin with a zero
    }
    return made | {TOLD.get(name, name): value for name, value in asked.items()}


def _configured(text: str, connection: Any, tunnel: dict[str, Any]) -> str:
    """moto's text for one tunnel with what the connection says of it; one with static routes speaks no BGP."""
    backend = connection.ec2_backend
    customer = backend.get_customer_gateway(connection.customer_gateway_id)
    ours, theirs = list(ipaddress.ip_network(tunnel["TunnelInsideCidr"]).hosts())[:2]
    told = {
        "12.1.2.3": customer.ip_address,
        "52.2.144.13": tunnel["OutsideIpAddress"],
        "169.254.44.41": str(ours),
        "169.254.44.42": str(theirs),
        "Iw2IAN9XUsQeYUrkMGP3kP59ugFDkfHg": tunnel["PreSharedKey"],
        "<asn>65000<": f"<asn>{customer.bgp_asn}<",
    }
    if gateway := backend.vpn_gateways.get(connection.vpn_gateway_id):
        told["<asn>7224<"] = f"<asn>{gateway.amazon_side_asn or 64512}<"
    for example, value in told.items():
        text = text.replace(example, value)
    return re.sub(r"\n *<bgp>.*?</bgp>", "", text, flags=re.DOTALL) if connection.options["StaticRoutesOnly"] else text


def _static_routes(connection: Any) -> list[dict[str, str]]:
    return [{"DestinationCidrBlock": block, "State": "available"} for block in connection.static_routes or ()]


def _propagating(table: Any) -> list[Any]:
    """The gateways that tell their routes to a table: those that are there and attached to its VPC."""
    gateways = (table.ec2_backend.vpn_gateways.get(one) for one in getattr(table, "propagating", ()))
    return [one for one in gateways if one is not None and _is_attached(one, table.vpc_id)]


def _blocks_behind(table: Any, gateway: Any) -> list[str]:
    connections = table.ec2_backend.vpn_connections.values()
    living = [one for one in connections if one.vpn_gateway_id == gateway.id and one.state == "available"]
    return sorted({block for one in living for block in one.static_routes or ()})


def _is_attached(gateway: Any, vpc_id: str) -> bool:
    attachment = gateway.attachments.get(vpc_id)
    return gateway.state == "available" and attachment is not None and attachment.state == "attached"


def _connection(response: Any) -> Any:
    (found,) = response.ec2_backend.describe_vpn_connections([response._get_param("VpnConnectionId")])
    if found.state != "available":
        raise _refusal(
            "InvalidVpnConnection.InvalidState",
            "The VPN connection must be in the available state to complete the request.",
        )
    return found


def _propagation(response: Any) -> tuple[Any, Any]:
    backend = response.ec2_backend
    table = backend.get_route_table(response._get_param("RouteTableId"))
    return table, backend.get_vpn_gateway(response._get_param("GatewayId"))


def _block(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError:
        raise _refusal(
            "InvalidParameterValue", f"Value ({text}) for parameter destinationCidrBlock is invalid."
        ) from None


def _refusal(code: str, message: str) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    refusal: Exception = EC2ClientError(code, message)
    return refusal
