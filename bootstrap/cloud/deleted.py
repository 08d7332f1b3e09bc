"""What EC2 itself calls gone, of the resources that it goes on describing, and the Tagging API listing, after their deletion.

A NAT gateway is described as deleted for about an hour; peerings, VPN connections and instances for some time, too (EC2 User
Guide; the states are those of the EC2 API reference). What it no longer describes at all is gone as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.cloud.tags import Tagged

_OVER = frozenset({"deleted", "deleting", "terminated", "shutting-down"})
# What comes to nothing and goes by itself, of these two kinds; a VPC endpoint that failed stays until it is deleted.
_NOTHING = frozenset({"failed", "rejected", "expired"})
_PASSING = frozenset({"ec2 natgateway", "ec2 vpc-peering-connection"})
# By kind: the call that describes all of it, the key of its answer, and that of an id.
_KINDS: Mapping[str, tuple[str, str, str]] = {
    "ec2 customer-gateway": ("describe_customer_gateways", "CustomerGateways", "CustomerGatewayId"),
    "ec2 natgateway": ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "ec2 transit-gateway": ("describe_transit_gateways", "TransitGateways", "TransitGatewayId"),
    "ec2 transit-gateway-attachment": (
        *("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"),
        "TransitGatewayAttachmentId",
    ),
    "ec2 vpc-endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "ec2 vpc-peering-connection": (
        *("describe_vpc_peering_connections", "VpcPeeringConnections"),
        "VpcPeeringConnectionId",
    ),
    "ec2 vpn-connection": ("describe_vpn_connections", "VpnConnections", "VpnConnectionId"),
    "ec2 vpn-gateway": ("describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
}


def among(ec2: Any, listed: Iterable[Tagged]) -> frozenset[str]:
    """The ARNs of those that EC2 describes as gone, or no longer describes; of other kinds than it describes so, none."""
    found: dict[str, list[Tagged]] = {}
    for it in listed:
        if it.kind in _KINDS or it.kind == "ec2 instance":
            found.setdefault(it.kind, []).append(it)
    living = {kind: _living(ec2, kind, [it.identity for it in those]) for kind, those in found.items()}
    return frozenset(it.arn for kind, those in found.items() for it in those if it.identity not in living[kind])


def _living(ec2: Any, kind: str, names: list[str]) -> frozenset[str]:
    over = _OVER | (_NOTHING if kind in _PASSING else frozenset())
    told = _instances(ec2, names) if kind == "ec2 instance" else _states(ec2, *_KINDS[kind])
    return frozenset(name for name, state in told if state not in over)


def _instances(ec2: Any, names: list[str]) -> list[tuple[str, str]]:
    """Id and state of these instances; a filter is no error where EC2 no longer knows one."""
    told = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": names}])["Reservations"]
    return [(it["InstanceId"], it["State"]["Name"]) for each in told for it in each["Instances"]]


def _states(ec2: Any, call: str, key: str, identity: str) -> list[tuple[str, str]]:
    """Id and state of all that a call describes; a peering writes its state apart."""
    pages = ec2.get_paginator(call).paginate() if ec2.can_paginate(call) else [getattr(ec2, call)()]
    every = [it for page in pages for it in page[key]]
    return [(it[identity], it["Status"]["Code"] if "Status" in it else it.get("State", "")) for it in every]
