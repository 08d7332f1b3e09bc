"""Reads the network through EC2's API: all pages, every interface, the environment's VPC and those peered with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bootstrap.errors import StackMissing
from bootstrap.network import ec2_parsing
from bootstrap.network.ec2_parsing import Answer
from bootstrap.network.model import (
    Block,
    Environment,
    Gateway,
    Interface,
    Nat,
    Network,
    SecurityGroup,
    TransitGateway,
    Vpc,
)


def read(
    ec2: Any,
    vpc_id: str,
    prefix: str,
    operators: Sequence[str],
    environments: Mapping[str, tuple[str, str]] | None = None,
) -> Network:
    """Read everything from EC2 that decides reachability in a VPC.

    `prefix` is the prefix of the names of the environment's security groups ('jenkins-local-'); the rest of a name is the role.
    `operators` are their blocks. `environments` has other environments that intentions name: by name, project and block;
    their VPCs are found by their tags and read too. StackMissing if there is no VPC `vpc_id`.
    """
    peered = _list_peerings(ec2, vpc_id)
    all_vpcs = _list_all(ec2, "describe_vpcs", "Vpcs")
    named = {
        name: Environment(ipaddress.ip_network(block), _find_tagged_vpc(all_vpcs, project, name))
        for name, (project, block) in (environments or {}).items()
    }
    vpc_ids = {
        vpc_id,
        *(side for it in peered for side in ec2_parsing.parse_sides(it)),
        *(it.vpc_id for it in named.values()),
    }
    vpcs = {it["VpcId"]: ec2_parsing.parse_vpc(it) for it in all_vpcs if it["VpcId"] in vpc_ids}
    if vpc_id not in vpcs:
        raise StackMissing("reading the network", f"there is no VPC {vpc_id}", "Run: ./bootstrap.py network apply")
    of_vpcs = {"Filters": [{"Name": "vpc-id", "Values": list(vpcs)}]}
    tables = _list_all(ec2, "describe_route_tables", "RouteTables", **of_vpcs)
    nacls = _list_all(ec2, "describe_network_acls", "NetworkAcls", **of_vpcs)
    answers = _list_all(ec2, "describe_security_groups", "SecurityGroups", **of_vpcs)
    groups = {it["GroupId"]: ec2_parsing.parse_group(it) for it in answers}
    answers = _list_all(ec2, "describe_nat_gateways", "NatGateways")
    nats = {it["NatGatewayId"]: ec2_parsing.parse_nat(it) for it in answers if _is_in(it, vpcs)}
    endpoints = _list_all(ec2, "describe_vpc_endpoints", "VpcEndpoints", **of_vpcs)
    return Network(
        vpc_id=vpc_id,
        operators=tuple(map(ipaddress.ip_network, operators)),
        vpcs=vpcs,
        subnets=ec2_parsing.parse_subnets(_list_all(ec2, "describe_subnets", "Subnets", **of_vpcs), tables, nacls),
        route_tables={it["RouteTableId"]: ec2_parsing.parse_route_table(it) for it in tables},
        nacls={it["NetworkAclId"]: ec2_parsing.parse_nacl(it) for it in nacls},
        groups=groups,
        interfaces=_read_interfaces(ec2, of_vpcs, groups, prefix, nats, endpoints),
        internet_gateways=_read_gateways(ec2, "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        egress_only_gateways=_read_gateways(
            ec2, "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"
        ),
        vpn_gateways=_read_gateways(ec2, "describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
        transit_gateways=_read_transit_gateways(ec2, of_vpcs),
        nats=nats,
        peerings={it["VpcPeeringConnectionId"]: ec2_parsing.parse_peering(it) for it in peered},
        endpoints={it["VpcEndpointId"]: ec2_parsing.parse_endpoint(it) for it in endpoints},
        prefix_lists=_read_prefix_lists(ec2, tables, groups),
        edges={a["GatewayId"]: it["RouteTableId"] for it in tables for a in it["Associations"] if a.get("GatewayId")},
        environments=named,
    )


def _list_all(ec2: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """The items of all pages of an answer."""
    if not ec2.can_paginate(operation):
        return list(getattr(ec2, operation)(**arguments)[key])
    return [it for page in ec2.get_paginator(operation).paginate(**arguments) for it in page[key]]


def _list_peerings(ec2: Any, vpc_id: str) -> list[Answer]:
    """The peering connections that have the VPC on one side."""
    every = _list_all(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections")
    return [it for it in every if vpc_id in ec2_parsing.parse_sides(it)]


def _find_tagged_vpc(vpcs: Iterable[Answer], project: str, environment: str) -> str:
    """The VPC with an environment's tags; '' if there is none."""
    tags = {"Project": project, "Environment": environment}
    vpc_ids = (it["VpcId"] for it in vpcs if tags.items() <= {t["Key"]: t["Value"] for t in it.get("Tags", ())}.items())
    return next(vpc_ids, "")


def _read_interfaces(
    ec2: Any,
    of_vpcs: Mapping[str, Any],
    groups: Mapping[str, SecurityGroup],
    prefix: str,
    nats: Mapping[str, Nat],
    endpoints: Iterable[Answer],
) -> dict[str, Interface]:
    of_nats = {nat.address for nat in nats.values()}
    # The groups of an endpoint apply to its interfaces; they are read from the endpoint, where they are configured.
    of_endpoints = {
        name: tuple(it["GroupId"] for it in endpoint.get("Groups", ()))
        for endpoint in endpoints
        for name in endpoint.get("NetworkInterfaceIds", ())
    }
    interfaces = {}
    for described in _list_all(ec2, "describe_network_interfaces", "NetworkInterfaces", **of_vpcs):
        read_interface = ec2_parsing.parse_interface(
            described, groups, prefix, of_endpoints.get(described["NetworkInterfaceId"])
        )
        kind = "nat_gateway" if of_nats.intersection(read_interface.addresses) else read_interface.kind
        interfaces[read_interface.id] = replace(
            read_interface, kind="vpc_endpoint" if read_interface.id in of_endpoints else kind
        )
    return interfaces


def _read_gateways(ec2: Any, operation: str, key: str, name: str) -> dict[str, Gateway]:
    """Gateways by id; the attachments of a VPN gateway have another key."""
    gateways = {}
    for gateway in _list_all(ec2, operation, key):
        attachments = gateway.get("Attachments") or gateway.get("VpcAttachments") or ()
        vpcs = tuple(a["VpcId"] for a in attachments if a.get("State") in {"attached", "available"})
        gateways[gateway[name]] = Gateway(gateway[name], vpcs, ec2_parsing.read_name(gateway))
    return gateways


def _read_transit_gateways(ec2: Any, of_vpcs: Mapping[str, Any]) -> dict[str, TransitGateway]:
    """Transit gateways with their attachments to these VPCs; their owners and their other attachments are not read."""
    attached: dict[str, dict[str, tuple[str, ...]]] = {}
    for attachment in _list_all(
        ec2, "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments", **of_vpcs
    ):
        if attachment["State"] in {"available", "modifying"}:
            attached.setdefault(attachment["TransitGatewayId"], {})[attachment["VpcId"]] = tuple(
                attachment["SubnetIds"]
            )
    return {key: TransitGateway(key, attachments) for key, attachments in attached.items()}


def _is_in(nat: Answer, vpcs: Mapping[str, Vpc]) -> bool:
    """Whether a NAT gateway is in these VPCs and exists: EC2 also lists deleted ones for a while."""
    return nat["VpcId"] in vpcs and nat["State"] not in {"deleted", "failed"} and bool(nat.get("NatGatewayAddresses"))


def _read_prefix_lists(
    ec2: Any, tables: Iterable[Answer], groups: Mapping[str, SecurityGroup]
) -> dict[str, tuple[Block, ...]]:
    """The blocks of the prefix lists that routes and groups name. AWS' own lists come in one answer, others in one each."""
    list_ids = {
        str(it["DestinationPrefixListId"]) for t in tables for it in t["Routes"] if it.get("DestinationPrefixListId")
    }
    rules = [rule for group in groups.values() for rule in (*group.ingress, *group.egress)]
    list_ids |= {rule.peer for rule in rules if isinstance(rule.peer, str) and rule.peer.startswith("pl-")}
    if not list_ids:
        return {}
    of_aws = {
        it["PrefixListId"]: it.get("Cidrs") or () for it in _list_all(ec2, "describe_prefix_lists", "PrefixLists")
    }
    entries = {
        name: of_aws.get(name)
        or [it["Cidr"] for it in _list_all(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=name)]
        for name in sorted(list_ids)
    }
    return {name: tuple(ipaddress.ip_network(block) for block in blocks) for name, blocks in entries.items()}
