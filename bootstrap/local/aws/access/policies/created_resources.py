"""What calls of EC2 make: the kinds by the call's name, and the ids that an answer tells of."""

from __future__ import annotations

import re
from collections.abc import Iterator

KINDS = {
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
# What a call makes, where its name does not say so ("CreateRouteTable" makes a route-table).
_MAKES: dict[str, tuple[str, ...]] = {
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
_TOLD = re.compile(rb">([a-z]+(?:-[a-z]+)*-[0-9a-f]{8,17})<")


def kinds(operation: str) -> tuple[str, ...]:
    """The kinds of what a call makes."""
    if operation in _MAKES:
        return _MAKES[operation]
    if not operation.startswith("Create"):
        return ()
    return (re.sub(r"(?<!^)(?=[A-Z])", "-", operation.removeprefix("Create")).lower(),)


def creation_of(kind: str) -> str:
    """The call that makes a kind of thing, as the condition ec2:CreateAction names it."""
    found = {made[0]: operation for operation, made in _MAKES.items() if made}
    return found.get(kind) or "Create" + "".join(part.capitalize() for part in kind.split("-"))


def kind_of(identifier: str) -> str:
    """What an id is of; '' for what is no id."""
    match = _ID.fullmatch(identifier)
    return KINDS.get(match[1], "") if match else ""


def ids(operation: str, answer: bytes) -> Iterator[str]:
    """The ids of what the call has made, by its answer."""
    wanted = kinds(operation)
    if wanted:
        yield from (one for one in (match.decode() for match in _TOLD.findall(answer)) if kind_of(one) in wanted)
