"""Finds the resources that calls of EC2 create: their kinds by the operation, and their ids in the response."""

from __future__ import annotations

import re
from collections.abc import Iterator

KINDS_BY_PREFIX = {
    "i": "instance",
    "vol": "volume",
    "subnet": "subnet",
    "vpc": "vpc",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "rtb": "route-table",
    "acl": "network-acl",
    "eni": "network-interface",
    "eipalloc": "elastic-ip",
    "igw": "internet-gateway",
    "eigw": "egress-only-internet-gateway",
    "nat": "natgateway",
    "vpce": "vpc-endpoint",
    "vpce-svc": "vpc-endpoint-service",
    "dopt": "dhcp-options",
    "snap": "snapshot",
    "ami": "image",
    "key": "key-pair",
    "lt": "launch-template",
    "fl": "vpc-flow-log",
    "vgw": "vpn-gateway",
    "vpn": "vpn-connection",
    "cgw": "customer-gateway",
    "pcx": "vpc-peering-connection",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "pl": "prefix-list",
    "pg": "placement-group",
    "cr": "capacity-reservation",
}
# The kinds that an operation creates, if its name does not say it ("CreateRouteTable" creates a route-table).
_CREATES: dict[str, tuple[str, ...]] = {
    "RunInstances": ("instance", "volume", "network-interface"),
    "AllocateAddress": ("elastic-ip",),
    "CreateNatGateway": ("natgateway",),
    "CreateFlowLogs": ("vpc-flow-log",),
    "CreateSnapshots": ("snapshot",),
    "CreateManagedPrefixList": ("prefix-list",),
    "ImportKeyPair": ("key-pair",),
    "CopyImage": ("image",),
    "CopySnapshot": ("snapshot",),
    "RegisterImage": ("image",),
    "CreateTransitGatewayVpcAttachment": ("transit-gateway-attachment",),
    **dict.fromkeys(("CreateTags", "CreateRoute", "CreateNetworkAclEntry", "CreateVpnConnectionRoute"), ()),
    **dict.fromkeys(("CreateTransitGatewayRoute", "CreateLaunchTemplateVersion", "CreateDefaultVpc"), ()),
}
_ID = re.compile(r"([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}")
_ID_ELEMENT = re.compile(rb">([a-z]+(?:-[a-z]+)*-[0-9a-f]{8,17})<")


def list_created_kinds(operation: str) -> tuple[str, ...]:
    """The kinds of the resources that an operation creates."""
    if operation in _CREATES:
        return _CREATES[operation]
    if not operation.startswith("Create"):
        return ()
    return (re.sub(r"(?<!^)(?=[A-Z])", "-", operation.removeprefix("Create")).lower(),)


def find_create_operation(kind: str) -> str:
    """The operation that creates a kind of resource, as the condition key ec2:CreateAction names it."""
    operations = {kinds[0]: operation for operation, kinds in _CREATES.items() if kinds}
    return operations.get(kind) or "Create" + "".join(part.capitalize() for part in kind.split("-"))


def find_kind(identifier: str) -> str:
    """The kind of the resource with this id; '' if the text is not an id."""
    match = _ID.fullmatch(identifier)
    return KINDS_BY_PREFIX.get(match[1], "") if match else ""


def find_created_ids(operation: str, answer: bytes) -> Iterator[str]:
    """The ids of the resources that a call created, found in its response."""
    kinds = list_created_kinds(operation)
    if kinds:
        yield from (
            identifier
            for identifier in (match.decode() for match in _ID_ELEMENT.findall(answer))
            if find_kind(identifier) in kinds
        )
