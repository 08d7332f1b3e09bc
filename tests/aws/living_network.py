"""A network that lives: how it is changed, and what is there then, as the APIs tell it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from bootstrap import launch
from bootstrap.context import Context
from bootstrap.network import proof
from bootstrap.planning import look
from bootstrap.preconditions import interruptions, stack_inputs
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition
from bootstrap.values import Change, ChangeKind
from bootstrap.views import network_reading

HEAD = """\
environment: living
project: changing
cloud: local
owner: somebody
cost_center: none
network:
  cidr: 10.86.0.0/16
"""
IS_ALL = os.environ.get("TRANSITIONS") == "all"  # each option alone, too
Open = Callable[[str], tuple[Context, Run]]


def subnets(context: Context) -> dict[str, tuple[str, str]]:
    """Block and zone of every subnet, by id."""
    asked = [{"Name": "vpc-id", "Values": [context.outputs("network")["VpcId"]]}]
    found = context.world.aws("ec2").describe_subnets(Filters=asked)["Subnets"]
    return {it["SubnetId"]: (it["CidrBlock"], it["AvailabilityZone"]) for it in found}


def go(opened: Open, options: str) -> tuple[Context, tuple[Change, ...]]:
    """Plan, apply, see that nothing is left to do; the plan, and the context afterwards."""
    context, run = opened(options)
    before = subnets(context)
    is_widened = composition.is_widened(context.settings, context.stacks)
    planned = look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    told = len(run.changes)
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    context.forget()
    # What each stack does with a new zone is known only once there is one.
    done = set(run.changes[told:])
    assert set(planned) <= done if is_widened else set(planned) == done
    assert all("; costs: " in it.detail for it in planned if it.kind is ChangeKind.REPLACE)
    assert () == unproven(context)
    assert before.items() <= subnets(context).items() or len(before) > len(subnets(context))
    assert () == look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    return context, planned


def unproven(context: Context) -> tuple[proof.Finding, ...]:
    """What `network verify` would find wrong."""
    network = network_reading.add_planned_interfaces(context, network_reading.read(context))
    return proof.prove(network, *network_reading.list_intentions(context.settings))


# What the API tells of the VPC, by its call and the key of its answer; what counts, for their ids come and go.
COUNTED = {
    "describe_nat_gateways": "NatGateways",
    "describe_vpc_endpoints": "VpcEndpoints",
    "describe_network_interfaces": "NetworkInterfaces",
    "describe_security_groups": "SecurityGroups",
    "describe_network_acls": "NetworkAcls",
    "describe_egress_only_internet_gateways": "EgressOnlyInternetGateways",
    "describe_addresses": "Addresses",
    "describe_vpn_gateways": "VpnGateways",
    "describe_vpn_connections": "VpnConnections",
    "describe_customer_gateways": "CustomerGateways",
    "describe_flow_logs": "FlowLogs",
    "describe_transit_gateways": "TransitGateways",
    "describe_transit_gateway_vpc_attachments": "TransitGatewayVpcAttachments",
    "describe_dhcp_options": "DhcpOptions",
}


def everything(context: Context) -> dict[str, Any]:
    """The region's network as it is told: subnets by id, routes by table with the kind of their target, the rest counted."""
    ec2 = context.world.aws("ec2")
    tables = ec2.describe_route_tables()["RouteTables"]
    counted = {
        call: sum(it.get("State") not in ("deleted", "deleting") for it in getattr(ec2, call)()[key])
        for call, key in COUNTED.items()
    }
    return {
        "subnets": subnets(context),
        "routes": {
            it["RouteTableId"]: sorted(
                (str(route.get("DestinationCidrBlock")), str(route.get("DestinationIpv6CidrBlock")), target(route))
                for route in it["Routes"]
            )
            for it in tables
        },
        "rules": sum(len(it["Entries"]) for it in ec2.describe_network_acls()["NetworkAcls"]),
        "stacks": sorted(context.stacks),
        "logs": len(context.world.aws("logs").describe_log_groups()["logGroups"]),
        **counted,
    }


def target(route: dict[str, Any]) -> str:
    """The kind of what a route leads to."""
    found = next((key for key in route if key.endswith("Id") and key not in ("DestinationPrefixListId",)), "")
    return f"{found} {str(route.get(found, '')).partition('-')[0]}"


def replaced(planned: tuple[Change, ...]) -> list[str]:
    """The resources that a plan replaces."""
    return [it.name for it in planned if it.kind is ChangeKind.REPLACE]


def told(planned: tuple[Change, ...]) -> str:
    """What a plan says of interruptions."""
    return "\n".join(interruptions.explain_interruptions(planned))
