"""Checks what only the account can confirm of an environment file: zones, instance types, gateways, keys, a peer's routes.

Launches, plans and `doctor` check them before anything is made. A fault has the line and column in the file, like the faults
that are found without the account. AWS is asked only about what the file names and what the existing stacks do not answer.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.errors import Fault, SettingsInvalid
from bootstrap.preconditions import boundaries, customer_keys, instance_types, user_secrets, zones

Found = tuple[tuple[str | int, ...], str]
_REMEDY = "Correct the file at these places; nothing was changed."
_PLACE_OF_PARENT = ("network", "public_zone", "parent")
_PLACE_OF_PEER = ("network", "peering", "environment")
_PLACE_OF_TRANSIT = ("network", "transit_gateway")


def check(context: Context, names: Sequence[str]) -> None:
    """SettingsInvalid, with every fault, if the account does not have what these stacks need."""
    all_faults = find_faults(context, names)
    if all_faults:
        raise SettingsInvalid(f"checking {context.environment_file} against the account", all_faults, _REMEDY)


def find_faults(context: Context, names: Sequence[str]) -> list[Fault]:
    """What these stacks need and the account does not have, as faults of the environment file; empty if there is nothing."""
    places: list[Found] = []
    if "network" in names:
        places += _find_zone_faults(context)
    if "public-zone" in names:
        places += _find_parent_faults(context)
    # Only operators change connections to other networks: the jobs on the machine have no permission to read these.
    if "transit-gateway" in names and not context.world.is_on_machine:
        places += _find_transit_gateway_faults(context)
    if "peering" in names:
        places += _find_peer_route_faults(context)
    places += [*boundaries.examine(context, names).faults, *customer_keys.examine(context, names).faults]
    places += instance_types.find_faults(context, names)
    if "controller" in names:
        places += user_secrets.find_faults(context)
    return environments.place_faults(context.environment_file, places) if places else []


# --- availability zones


def _find_zone_faults(context: Context) -> Iterator[Found]:
    network = context.settings.network
    existing = zones.list_existing(context) if "network" in context.stacks else ()
    named, place = network.zone_names, ("network", "zones")
    for number, (name, existing_zone) in enumerate(zip(named, existing, strict=False)):
        if name != existing_zone:
            reason = f"subnet {number + 1} of each tier is in {existing_zone}, and a subnet cannot move to another zone"
            remedy = f"name {', '.join(existing)} first, in this order, or destroy the network"
            yield (*place, number), f"'{name}': {reason}; {remedy}"
    if network.zone_count <= len(existing):
        return
    available = zones.list_available(context)
    reason = f"the account has {len(available)} in {context.settings.region}: {', '.join(available)}"
    for number, name in list(enumerate(named))[len(existing) :]:
        if name not in available:
            yield (*place, number), f"'{name}' is not an available zone; {reason}"
    if not named and network.zone_count > len(available):
        yield place, f"{network.zone_count} zones are needed; {reason}"
    elif not named and set(available[len(existing) : network.zone_count]) & set(existing):
        reason = f"the subnets are in {', '.join(existing)}, and the next zone by name is one of these"
        yield place, f"{reason}; name all {network.zone_count} zones, those first"


# --- the parent hosted zone


def find_parent_zone(context: Context) -> str:
    """The id of the parent zone of the environment's public hosted zone, or ''; SettingsInvalid if there is not exactly one."""
    zone = context.settings.network.public_zone
    if zone is None or zone.parent is None:
        return ""
    parents = _list_named_zones(context, zone.parent)
    if len(parents) != 1:
        check(context, ("public-zone",))
    return str(parents[0]["Id"]).rpartition("/")[2]


def _find_parent_faults(context: Context) -> Iterator[Found]:
    zone = context.settings.network.public_zone
    if zone is None or zone.parent is None:
        return
    parents = _list_named_zones(context, zone.parent)
    if not parents:
        reason = f"this account has no public hosted zone '{zone.parent}'"
        yield (
            _PLACE_OF_PARENT,
            f"{reason}; if another account has it, leave 'parent' out: the launch then prints the name servers to enter there",
        )
        return
    if len(parents) > 1:
        ids = ", ".join(sorted(str(it["Id"]).rpartition("/")[2] for it in parents))
        yield (
            _PLACE_OF_PARENT,
            f"this account has {len(parents)} public hosted zones '{zone.parent}': name one by its id: {ids}",
        )
        return
    parent_name = str(parents[0]["Name"]).rstrip(".")
    if not zone.domain.endswith(f".{parent_name}"):
        yield (
            _PLACE_OF_PARENT,
            f"{zone.parent} is the hosted zone '{parent_name}', and '{zone.domain}' does not lie below it",
        )
    elif servers := _read_delegation(context, str(parents[0]["Id"]), zone.domain):
        delegation = f"'{parent_name}' already delegates '{zone.domain}' to {', '.join(servers)}"
        reason = f"{delegation}, and no stack of this environment did that"
        yield _PLACE_OF_PARENT, f"{reason}; delete that NS record first, or choose another domain"


def _list_named_zones(context: Context, name: str) -> list[Mapping[str, Any]]:
    """The public hosted zones with an id or a domain."""
    route53 = context.world.aws("route53")
    if "." in name:
        candidates = route53.list_hosted_zones_by_name(DNSName=name)["HostedZones"]
    else:
        try:
            candidates = [route53.get_hosted_zone(Id=name)["HostedZone"]]
        except route53.exceptions.NoSuchHostedZone:
            candidates = []
    is_named = "." in name
    return [
        zone
        for zone in candidates
        if not zone.get("Config", {}).get("PrivateZone") and (not is_named or zone["Name"].rstrip(".") == name)
    ]


def _read_delegation(context: Context, parent: str, domain: str) -> tuple[str, ...]:
    """The name servers to which the parent zone delegates the domain; empty if this environment made that record."""
    public_zone_stack = context.stacks.get("public-zone")
    if public_zone_stack is not None and public_zone_stack.outputs.get("PublicDomain", domain) == domain:
        return ()
    records = context.world.aws("route53").list_resource_record_sets(
        HostedZoneId=parent, StartRecordName=domain, StartRecordType="NS", MaxItems="1"
    )["ResourceRecordSets"]
    return tuple(
        value["Value"]
        for record in records
        if (record["Name"].rstrip("."), record["Type"]) == (domain, "NS")
        for value in record["ResourceRecords"]
    )


# --- the transit gateway, and the Direct Connect gateway that it is associated with


def _find_transit_gateway_faults(context: Context) -> Iterator[Found]:
    """An existing transit gateway must be available, and the ASN of the Direct Connect gateway must be another one."""
    transit = context.settings.network.transit_gateway
    assert transit is not None  # the stack is wanted only where it is asked for
    asn = transit.asn
    if transit.id is not None:
        filters = [{"Name": "transit-gateway-id", "Values": [transit.id]}]
        gateways = context.world.aws("ec2").describe_transit_gateways(Filters=filters)["TransitGateways"]
        state = str(gateways[0]["State"]) if gateways else "absent"
        if state not in {"available", "modifying"}:
            remedy = f"name one of {context.settings.region} that is this account's or shared with it, or leave it out"
            yield (*_PLACE_OF_TRANSIT, "id"), f"{transit.id} is {state}; {remedy}"
            return
        asn = int(gateways[0].get("Options", {}).get("AmazonSideAsn", 0))
    # In the local cloud, Direct Connect is only recorded.
    if transit.direct_connect_gateway is not None and context.settings.cloud != "local":
        yield from _find_direct_connect_faults(context, transit.direct_connect_gateway, asn)


def _find_direct_connect_faults(context: Context, gateway: str, asn: int) -> Iterator[Found]:
    client, place = context.world.aws("directconnect"), (*_PLACE_OF_TRANSIT, "direct_connect_gateway")
    gateways = client.describe_direct_connect_gateways(directConnectGatewayId=gateway)["directConnectGateways"]
    if not gateways or gateways[0]["directConnectGatewayState"] in {"deleting", "deleted"}:
        yield place, f"this account has no Direct Connect gateway {gateway}; only its owner can associate it"
    elif int(gateways[0]["amazonSideAsn"]) == asn:
        remedy = "another 'asn', or another transit gateway if it is not this environment's own"
        yield (
            place,
            f"{gateway} has the ASN {asn} like the transit gateway, so they cannot be associated; use {remedy}",
        )


# --- the routes of a peer's network


def _find_peer_route_faults(context: Context) -> Iterator[Found]:
    """Faults if one of the two networks has other blocks or routes that conflict with the peering.

    The longest prefix decides. A route whose prefix is as long as that of the other VPC's block, or longer, takes the packets
    to it. A route with a shorter prefix does not, for example a default route or the block of a company that BGP propagates.
    """
    peering = context.settings.network.peering
    assert peering is not None  # the stack is wanted only where it is asked for
    peer = environments.load(context.environment_file.with_name(f"{peering.environment}.yaml"))
    outputs = _read_network(context, peer.name_stack("network"))
    if not outputs:
        return  # the launch says that it must be made first
    own_block, peer_block = (ipaddress.ip_network(it) for it in (context.settings.network.cidr, outputs["VpcCidr"]))
    own_peering = context.stacks["peering"].outputs.get("PeeringId", "") if "peering" in context.stacks else ""
    for block in _list_blocks(context, outputs["VpcId"]):
        if block.overlaps(own_block):
            yield _PLACE_OF_PEER, f"the VPC of '{peer.name}' has the block {block}, which overlaps with {own_block}"
    for text in _list_conflicting_routes(context, outputs["VpcId"], own_block, own_peering):
        yield _PLACE_OF_PEER, f"in the network of '{peer.name}', {text}, which would receive the replies to {own_block}"
    if "network" in context.stacks and context.stacks["network"].outputs.get("VpcId"):
        for text in _list_conflicting_routes(
            context, context.stacks["network"].outputs["VpcId"], peer_block, own_peering
        ):
            yield (
                _PLACE_OF_PEER,
                f"in the network of this environment, {text}, which would receive the packets to {peer_block} of '{peer.name}'",
            )


def _read_network(context: Context, stack: str) -> dict[str, str]:
    from bootstrap.acts import stack as stacks

    network = stacks.read(context.world.aws("cloudformation"), stack)
    return dict(network.outputs) if network is not None and "VpcId" in network.outputs else {}


def _list_blocks(context: Context, vpc: str) -> list[Any]:
    vpcs = context.world.aws("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    listed = [it for each_vpc in vpcs for it in each_vpc.get("CidrBlockAssociationSet", ())]
    return [
        ipaddress.ip_network(association["CidrBlock"])
        for association in listed
        if association.get("CidrBlockState", {}).get("State", "associated") in {"associated", "associating"}
    ]


def _list_conflicting_routes(context: Context, vpc: str, block: Any, own_peering: str) -> list[str]:
    """Routes of a VPC to the block or to a part of it, except local routes and those of the peering itself; each once."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    pages = context.world.aws("ec2").get_paginator("describe_route_tables").paginate(Filters=filters)
    routes: dict[str, None] = {}
    for route in (route for page in pages for table in page["RouteTables"] for route in table["Routes"]):
        text, target = route.get("DestinationCidrBlock"), _name_target(route)
        if text is None or target in {"local", own_peering}:
            continue
        if ipaddress.ip_network(text).subnet_of(block):
            way = "is learnt from" if route.get("Origin") == "EnableVgwRoutePropagation" else "leads to"
            routes[f"{text} {way} {target}"] = None
    return list(routes)


def _name_target(route: Mapping[str, Any]) -> str:
    keys = (
        "VpcPeeringConnectionId",
        "TransitGatewayId",
        "GatewayId",
        "NatGatewayId",
        "NetworkInterfaceId",
        "InstanceId",
    )
    return next((str(route[key]) for key in keys if route.get(key)), "another way")
