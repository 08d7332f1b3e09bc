"""Reads from EC2 everything that the ruleset of one region is compiled from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.packet_filter import safe_values

Description = Mapping[str, Any]
"""A resource, or a part of one, as EC2's describe calls return it."""


@dataclass(frozen=True)
class NetworkState:
    """The VPCs of one region that have machines, and what belongs to them.

    Each list has all pages of the describe call of the same name. `prefix_lists` has the blocks of each prefix list by its id.
    """

    vpcs: list[Description]
    subnets: list[Description]
    route_tables: list[Description]
    network_acls: list[Description]
    security_groups: list[Description]
    network_interfaces: list[Description]
    vpc_peering_connections: list[Description]
    internet_gateways: list[Description]
    prefix_lists: Mapping[str, list[str]]


def read_network_state(ec2: Any, vpcs: list[str]) -> NetworkState:
    """Read from EC2 what the ruleset needs: `ec2` is the client of a region, `vpcs` has ids. Raises botocore's errors."""

    def list_all(operation: str, key: str, **arguments: Any) -> list[Description]:
        pages = ec2.get_paginator(operation).paginate(**arguments)
        return [description for page in pages for description in page[key]]

    of_vpcs: Any = {"Filters": [{"Name": "vpc-id", "Values": vpcs}]}
    groups = list_all("describe_security_groups", "SecurityGroups", **of_vpcs)
    rules = [rule for group in safe_values.keep_valid(groups) for rule in list_rules(group)]
    lists = {it["PrefixListId"] for rule in rules for it in rule.get("PrefixListIds", ())}
    return NetworkState(
        list_all("describe_vpcs", "Vpcs", **of_vpcs),
        list_all("describe_subnets", "Subnets", **of_vpcs),
        list_all("describe_route_tables", "RouteTables", **of_vpcs),
        list_all("describe_network_acls", "NetworkAcls", **of_vpcs),
        groups,
        list_all("describe_network_interfaces", "NetworkInterfaces", **of_vpcs),
        list_all("describe_vpc_peering_connections", "VpcPeeringConnections"),
        list_all("describe_internet_gateways", "InternetGateways"),
        {name: _read_prefix_list(ec2, name) for name in sorted(lists)},
    )


def list_rules(group: Description) -> list[Description]:
    """The rules of a security group: inbound rules first, then outbound rules."""
    return [*group["IpPermissions"], *group["IpPermissionsEgress"]]


def _read_prefix_list(ec2: Any, name: str) -> list[str]:
    return [it["Cidr"] for it in ec2.get_managed_prefix_list_entries(PrefixListId=name)["Entries"]]
