"""What EC2 tells of one region's VPCs that have machines: everything that the ruleset is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.packet_filter import safe_values

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Described:
    """EC2's answers to the describe calls of the same names, all pages, of one region's VPCs that have machines."""

    vpcs: list[Told]
    subnets: list[Told]
    route_tables: list[Told]
    network_acls: list[Told]
    security_groups: list[Told]
    network_interfaces: list[Told]
    vpc_peering_connections: list[Told]
    internet_gateways: list[Told]
    prefix_lists: Mapping[str, list[str]]


def describe(ec2: Any, vpcs: list[str]) -> Described:
    """Ask one region's EC2 for everything that the ruleset of these VPCs is made from."""

    def every(operation: str, key: str, **asked: Any) -> list[Told]:
        pages = ec2.get_paginator(operation).paginate(**asked)
        return [it for page in pages for it in page[key]]

    within: Any = {"Filters": [{"Name": "vpc-id", "Values": vpcs}]}
    groups = every("describe_security_groups", "SecurityGroups", **within)
    rules = [rule for group in safe_values.only_valid(groups) for rule in rules_of(group)]
    lists = {it["PrefixListId"] for rule in rules for it in rule.get("PrefixListIds", ())}
    return Described(
        every("describe_vpcs", "Vpcs", **within),
        every("describe_subnets", "Subnets", **within),
        every("describe_route_tables", "RouteTables", **within),
        every("describe_network_acls", "NetworkAcls", **within),
        groups,
        every("describe_network_interfaces", "NetworkInterfaces", **within),
        every("describe_vpc_peering_connections", "VpcPeeringConnections"),
        every("describe_internet_gateways", "InternetGateways"),
        {name: _entries(ec2, name) for name in sorted(lists)},
    )


def rules_of(group: Told) -> list[Told]:
    """A security group's rules in both directions."""
    return [*group["IpPermissions"], *group["IpPermissionsEgress"]]


def _entries(ec2: Any, name: str) -> list[str]:
    return [it["Cidr"] for it in ec2.get_managed_prefix_list_entries(PrefixListId=name)["Entries"]]
