"""Finds deleted EC2 resources in a list of the Tagging API, which continues to list them for some time.

EC2 describes a NAT gateway as deleted for about an hour, and peerings, VPN connections and instances for some time, too (EC2
User Guide; the states are those of the EC2 API reference). A resource that EC2 does not describe at all is deleted as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.cloud.tags import Tagged

_DELETED_STATES = frozenset({"deleted", "deleting", "terminated", "shutting-down"})
# EC2 removes failed resources of _EXPIRING_KINDS by itself; a VPC endpoint that failed exists until somebody deletes it.
_FAILED_STATES = frozenset({"failed", "rejected", "expired"})
_EXPIRING_KINDS = frozenset({"ec2 natgateway", "ec2 vpc-peering-connection"})
# By kind: the call that describes all resources, the key of the list in its answer, and the key of an id.
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


def find_deleted(ec2: Any, tagged: Iterable[Tagged]) -> frozenset[str]:
    """The ARNs of resources that EC2 describes as deleted, or does not describe; only of kinds that this module knows."""
    by_kind: dict[str, list[Tagged]] = {}
    for resource in tagged:
        if resource.kind in _KINDS or resource.kind == "ec2 instance":
            by_kind.setdefault(resource.kind, []).append(resource)
    existing = {
        kind: _list_existing(ec2, kind, [resource.identity for resource in resources])
        for kind, resources in by_kind.items()
    }
    return frozenset(
        resource.arn
        for kind, resources in by_kind.items()
        for resource in resources
        if resource.identity not in existing[kind]
    )


def _list_existing(ec2: Any, kind: str, names: list[str]) -> frozenset[str]:
    deleted_states = _DELETED_STATES | (_FAILED_STATES if kind in _EXPIRING_KINDS else frozenset())
    states = _read_instance_states(ec2, names) if kind == "ec2 instance" else _read_states(ec2, *_KINDS[kind])
    return frozenset(name for name, state in states if state not in deleted_states)


def _read_instance_states(ec2: Any, names: list[str]) -> list[tuple[str, str]]:
    """Id and state of these instances; with a filter, an unknown id is no error."""
    reservations = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": names}])["Reservations"]
    return [
        (instance["InstanceId"], instance["State"]["Name"])
        for reservation in reservations
        for instance in reservation["Instances"]
    ]


def _read_states(ec2: Any, call: str, key: str, identity: str) -> list[tuple[str, str]]:
    """Id and state of everything that a call describes; a peering has its state under another key."""
    pages = ec2.get_paginator(call).paginate() if ec2.can_paginate(call) else [getattr(ec2, call)()]
    descriptions = [description for page in pages for description in page[key]]
    return [
        (
            description[identity],
            description["Status"]["Code"] if "Status" in description else description.get("State", ""),
        )
        for description in descriptions
    ]
