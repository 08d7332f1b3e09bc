"""The network as it is, read through EC2's API: all pages, every interface, the environment's VPC and those peered with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bootstrap.errors import StackMissing
from bootstrap.network import told
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
from bootstrap.network.told import Told


def read(
    ec2: Any,
    vpc_id: str,
    prefix: str,
    operators: str | None,
    environments: Mapping[str, tuple[str, str]] | None = None,
) -> Network:
    """Ask EC2 for everything that decides reachability in a VPC.

    `prefix` is what the names of the environment's security groups begin with ('jenkins-local-'): what follows is their role.
    `operators` is the environment's operators' block. `environments` are those that are spoken of, each by its project and
    its block: their VPCs, found by their tags, are read too. StackMissing where there is no such VPC.
    """
    peered = [
        it for it in _all(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections") if vpc_id in told.sides(it)
    ]
    every = _all(ec2, "describe_vpcs", "Vpcs")
    named = {
        name: Environment(ipaddress.ip_network(block), _tagged(every, project, name))
        for name, (project, block) in (environments or {}).items()
    }
    wanted = {vpc_id, *(side for it in peered for side in told.sides(it)), *(it.vpc_id for it in named.values())}
    vpcs = {it["VpcId"]: told.vpc(it) for it in every if it["VpcId"] in wanted}
    if vpc_id not in vpcs:
        raise StackMissing("reading the network", f"there is no VPC {vpc_id}", "Run: ./bootstrap.py network apply")
    in_them = {"Filters": [{"Name": "vpc-id", "Values": list(vpcs)}]}
    tables = _all(ec2, "describe_route_tables", "RouteTables", **in_them)
    nacls = _all(ec2, "describe_network_acls", "NetworkAcls", **in_them)
    groups = {
        it["GroupId"]: told.group(it) for it in _all(ec2, "describe_security_groups", "SecurityGroups", **in_them)
    }
    nats = {
        it["NatGatewayId"]: told.nat(it) for it in _all(ec2, "describe_nat_gateways", "NatGateways") if _lives(it, vpcs)
    }
    endpoints = _all(ec2, "describe_vpc_endpoints", "VpcEndpoints", **in_them)
    return Network(
        vpc_id=vpc_id,
        operators=ipaddress.ip_network(operators) if operators else None,
        vpcs=vpcs,
        subnets=told.subnets(_all(ec2, "describe_subnets", "Subnets", **in_them), tables, nacls),
        route_tables={it["RouteTableId"]: told.table(it) for it in tables},
        nacls={it["NetworkAclId"]: told.nacl(it) for it in nacls},
        groups=groups,
        interfaces=_interfaces(ec2, in_them, groups, prefix, nats, endpoints),
        internet_gateways=_gateways(ec2, "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        egress_only_gateways=_gateways(
            ec2, "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"
        ),
        vpn_gateways=_gateways(ec2, "describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
        transit_gateways=_transit_gateways(ec2, in_them),
        nats=nats,
        peerings={it["VpcPeeringConnectionId"]: told.peering(it) for it in peered},
        endpoints={it["VpcEndpointId"]: told.endpoint(it) for it in endpoints},
        prefix_lists=_prefix_lists(ec2, tables, groups),
        edges={a["GatewayId"]: it["RouteTableId"] for it in tables for a in it["Associations"] if a.get("GatewayId")},
        environments=named,
    )


def _all(ec2: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """Every page of an answer."""
    if not ec2.can_paginate(operation):
        return list(getattr(ec2, operation)(**arguments)[key])
    return [it for page in ec2.get_paginator(operation).paginate(**arguments) for it in page[key]]


def _tagged(vpcs: Iterable[Told], project: str, environment: str) -> str:
    """The VPC that carries an environment's tags; '' where there is none."""
    wished = {"Project": project, "Environment": environment}
    found = (it["VpcId"] for it in vpcs if wished.items() <= {t["Key"]: t["Value"] for t in it.get("Tags", ())}.items())
    return next(found, "")


def _interfaces(
    ec2: Any,
    in_them: Mapping[str, Any],
    groups: Mapping[str, SecurityGroup],
    prefix: str,
    nats: Mapping[str, Nat],
    endpoints: Iterable[Told],
) -> dict[str, Interface]:
    of_nats = {nat.address for nat in nats.values()}
    # An endpoint's groups are those of its interfaces; asked of the endpoint, for it is the one that is configured.
    of_endpoints = {
        name: tuple(it["GroupId"] for it in endpoint.get("Groups", ()))
        for endpoint in endpoints
        for name in endpoint.get("NetworkInterfaceIds", ())
    }
    found = {}
    for it in _all(ec2, "describe_network_interfaces", "NetworkInterfaces", **in_them):
        made = told.interface(it, groups, prefix, of_endpoints.get(it["NetworkInterfaceId"]))
        kind = "nat_gateway" if of_nats.intersection(made.addresses) else made.kind
        found[made.id] = replace(made, kind="vpc_endpoint" if made.id in of_endpoints else kind)
    return found


def _gateways(ec2: Any, operation: str, key: str, name: str) -> dict[str, Gateway]:
    """Gateways by id; a VPN gateway writes its attachments under another key."""
    found = {}
    for it in _all(ec2, operation, key):
        attachments = it.get("Attachments") or it.get("VpcAttachments") or ()
        vpcs = tuple(a["VpcId"] for a in attachments if a.get("State") in {"attached", "available"})
        found[it[name]] = Gateway(it[name], vpcs, told.name(it))
    return found


def _transit_gateways(ec2: Any, in_them: Mapping[str, Any]) -> dict[str, TransitGateway]:
    """Transit gateways as far as these VPCs are attached to them: whose they are, and what else is, is not asked."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for it in _all(ec2, "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments", **in_them):
        if it["State"] in {"available", "modifying"}:
            found.setdefault(it["TransitGatewayId"], {})[it["VpcId"]] = tuple(it["SubnetIds"])
    return {key: TransitGateway(key, attachments) for key, attachments in found.items()}


def _lives(nat: Told, vpcs: Mapping[str, Vpc]) -> bool:
    """Whether a NAT gateway is of these VPCs and not one that EC2 only still remembers."""
    return nat["VpcId"] in vpcs and nat["State"] not in {"deleted", "failed"} and bool(nat.get("NatGatewayAddresses"))


def _prefix_lists(
    ec2: Any, tables: Iterable[Told], groups: Mapping[str, SecurityGroup]
) -> dict[str, tuple[Block, ...]]:
    """The blocks of the prefix lists that routes and groups name; AWS tells those of its own at once, others one by one."""
    named = {
        str(it["DestinationPrefixListId"]) for t in tables for it in t["Routes"] if it.get("DestinationPrefixListId")
    }
    rules = [rule for group in groups.values() for rule in (*group.ingress, *group.egress)]
    named |= {rule.peer for rule in rules if isinstance(rule.peer, str) and rule.peer.startswith("pl-")}
    if not named:
        return {}
    of_aws = {it["PrefixListId"]: it.get("Cidrs") or () for it in _all(ec2, "describe_prefix_lists", "PrefixLists")}
    entries = {
        name: of_aws.get(name)
        or [it["Cidr"] for it in _all(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=name)]
        for name in sorted(named)
    }
    return {name: tuple(ipaddress.ip_network(block) for block in blocks) for name, blocks in entries.items()}
