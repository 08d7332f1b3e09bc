"""What an environment file names and only the account knows: zones, the DNS zone above, the ways that a peer's network has.

Asked before anything is made, by launches, plans and `doctor`; a fault is told at its place in the file, as those are that the
file alone tells. Nothing is asked that the file does not name and the stacks do not leave open.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.errors import Fault, SettingsInvalid

Found = tuple[tuple[str | int, ...], str]
_REMEDY = "Correct the file at these places; nothing was changed."
_PLACE_OF_PARENT = ("network", "public_zone", "parent")
_PLACE_OF_PEER = ("network", "peering", "environment")
_PLACE_OF_TRANSIT = ("network", "transit_gateway")


def check(context: Context, names: Sequence[str]) -> None:
    """SettingsInvalid, with every place, where the account does not have what these stacks would need."""
    found = faults(context, names)
    if found:
        raise SettingsInvalid(f"checking {context.environment_file} against the account", found, _REMEDY)


def faults(context: Context, names: Sequence[str]) -> list[Fault]:
    """The same, as faults of the environment file."""
    found: list[Found] = []
    if "network" in names:
        found += _zones(context)
    if "public-zone" in names:
        found += _parent(context)
    # Ways to other networks are an operator's to change: the machine's jobs have no rights there.
    if "transit-gateway" in names and not context.world.is_on_machine:
        found += _transit(context)
    if "peering" in names:
        found += _ways(context)
    return environments.placed(context.environment_file, found) if found else []


# --- availability zones


def _zones(context: Context) -> Iterator[Found]:
    network = context.settings.network
    standing = _standing(context) if "network" in context.stacks else ()
    wanted, place = network.zone_names, ("network", "zones")
    for number, (name, stands) in enumerate(zip(wanted, standing, strict=False)):
        if name != stands:
            told = f"subnet {number + 1} of each tier is in {stands}, and a subnet cannot move to another zone"
            remedy = f"name {', '.join(standing)} first, in this order, or destroy the network"
            yield (*place, number), f"'{name}': {told}; {remedy}"
    if network.zone_count <= len(standing):
        return
    there = _available(context)
    told = f"the account has {len(there)} in {context.settings.region}: {', '.join(there)}"
    for number, name in list(enumerate(wanted))[len(standing) :]:
        if name not in there:
            yield (*place, number), f"'{name}' is not an available zone; {told}"
    if not wanted and network.zone_count > len(there):
        yield place, f"{network.zone_count} zones are needed; {told}"
    elif not wanted and set(there[len(standing) : network.zone_count]) & set(standing):
        told = f"the subnets are in {', '.join(standing)}, and the next zone by name is one of these"
        yield place, f"{told}; name all {network.zone_count} zones, those first"


def _standing(context: Context) -> tuple[str, ...]:
    """The zones in which the network's subnets stand, in their order."""
    outputs = context.stacks["network"].outputs
    if outputs.get("ZoneNames"):
        return tuple(outputs["ZoneNames"].split(","))
    subnets = [it for it in outputs.get("PrivateSubnetIds", "").split(",") if it]
    if not subnets:  # of a stack that was never finished
        return ()
    told = context.world.aws("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    zone_of = {it["SubnetId"]: str(it["AvailabilityZone"]) for it in told}
    return tuple(zone_of[it] for it in subnets)


def _available(context: Context) -> tuple[str, ...]:
    """The availability zones that the account can use now, by name, as GetAZs lists them."""
    told = context.world.aws("ec2").describe_availability_zones()["AvailabilityZones"]
    return tuple(
        sorted(
            it["ZoneName"]
            for it in told
            if it.get("State", "available") == "available"
            and it.get("ZoneType", "availability-zone") == "availability-zone"
        )
    )


# --- the DNS zone above


def parent_of(context: Context) -> str:
    """The id of the public zone above the environment's own, or '' where the file names none; SettingsInvalid without one."""
    zone = context.settings.network.public_zone
    if zone is None or zone.parent is None:
        return ""
    found = _named_zones(context, zone.parent)
    if len(found) != 1:
        check(context, ("public-zone",))
    return str(found[0]["Id"]).rpartition("/")[2]


def _parent(context: Context) -> Iterator[Found]:
    zone = context.settings.network.public_zone
    if zone is None or zone.parent is None:
        return
    found = _named_zones(context, zone.parent)
    if not found:
        told = f"this account has no public zone '{zone.parent}'"
        yield (
            _PLACE_OF_PARENT,
            f"{told}; if another account has the zone, leave it out: the launch then prints the name servers to enter there",
        )
        return
    if len(found) > 1:
        ids = ", ".join(sorted(str(it["Id"]).rpartition("/")[2] for it in found))
        yield _PLACE_OF_PARENT, f"this account has {len(found)} public zones '{zone.parent}': name one by its id: {ids}"
        return
    above = str(found[0]["Name"]).rstrip(".")
    if not zone.domain.endswith(f".{above}"):
        yield _PLACE_OF_PARENT, f"{zone.parent} is the zone '{above}', and '{zone.domain}' does not lie below it"
    elif servers := _delegated(context, str(found[0]["Id"]), zone.domain):
        told = f"'{above}' already delegates '{zone.domain}' to {', '.join(servers)}, and no stack of this environment did that"
        yield _PLACE_OF_PARENT, f"{told}; delete that NS record first, or choose another domain"


def _named_zones(context: Context, name: str) -> list[Mapping[str, Any]]:
    """The public zones of that id or domain."""
    route53 = context.world.aws("route53")
    if "." in name:
        told = route53.list_hosted_zones_by_name(DNSName=name)["HostedZones"]
    else:
        try:
            told = [route53.get_hosted_zone(Id=name)["HostedZone"]]
        except route53.exceptions.NoSuchHostedZone:
            told = []
    is_named = "." in name
    return [
        it
        for it in told
        if not it.get("Config", {}).get("PrivateZone") and (not is_named or it["Name"].rstrip(".") == name)
    ]


def _delegated(context: Context, parent: str, domain: str) -> tuple[str, ...]:
    """The servers to which the zone above leads for this domain, where that is not this environment's own record."""
    made = context.stacks.get("public-zone")
    if made is not None and made.outputs.get("PublicDomain", domain) == domain:
        return ()
    told = context.world.aws("route53").list_resource_record_sets(
        HostedZoneId=parent, StartRecordName=domain, StartRecordType="NS", MaxItems="1"
    )["ResourceRecordSets"]
    return tuple(
        value["Value"]
        for it in told
        if (it["Name"].rstrip("."), it["Type"]) == (domain, "NS")
        for value in it["ResourceRecords"]
    )


# --- the transit gateway, and the Direct Connect gateway that it is associated with


def _transit(context: Context) -> Iterator[Found]:
    """A transit gateway that is there must be one to attach a VPC to; the Direct Connect gateway has another number."""
    wished = context.settings.network.transit_gateway
    assert wished is not None  # the stack is wanted only where it is asked for
    asn = wished.asn
    if wished.id is not None:
        asked = [{"Name": "transit-gateway-id", "Values": [wished.id]}]
        told = context.world.aws("ec2").describe_transit_gateways(Filters=asked)["TransitGateways"]
        state = str(told[0]["State"]) if told else "absent"
        if state not in {"available", "modifying"}:
            remedy = f"name one of {context.settings.region} that is this account's or shared with it, or leave it out"
            yield (*_PLACE_OF_TRANSIT, "id"), f"{wished.id} is {state}; {remedy}"
            return
        asn = int(told[0].get("Options", {}).get("AmazonSideAsn", 0))
    # The AWS on this machine only records Direct Connect.
    if wished.direct_connect_gateway is not None and context.settings.cloud != "local":
        yield from _direct_connect_gateway(context, wished.direct_connect_gateway, asn)


def _direct_connect_gateway(context: Context, gateway: str, asn: int) -> Iterator[Found]:
    client, place = context.world.aws("directconnect"), (*_PLACE_OF_TRANSIT, "direct_connect_gateway")
    told = client.describe_direct_connect_gateways(directConnectGatewayId=gateway)["directConnectGateways"]
    if not told or told[0]["directConnectGatewayState"] in {"deleting", "deleted"}:
        yield place, f"this account has no Direct Connect gateway {gateway}; only its owner can associate it"
    elif int(told[0]["amazonSideAsn"]) == asn:
        remedy = "another 'asn', or another transit gateway if it is not this environment's own"
        yield (
            place,
            f"{gateway} has the ASN {asn} like the transit gateway, so they cannot be associated; use {remedy}",
        )


# --- the ways that a peer's network has


def _ways(context: Context) -> Iterator[Found]:
    """Blocks that either network really has or leads to, and that the peering would lead elsewhere.

    By longest prefix: what is as long as the other VPC's block, or longer, would take its replies. A shorter one, as a whole
    company's that BGP tells, does not. So a default route is none of these.
    """
    peering = context.settings.network.peering
    assert peering is not None  # the stack is wanted only where it is asked for
    other = environments.load(context.environment_file.with_name(f"{peering.environment}.yaml"))
    outputs = _network_of(context, other.stack_name("network"))
    if not outputs:
        return  # the launch says that it must be made first
    ours, theirs = (ipaddress.ip_network(it) for it in (context.settings.network.cidr, outputs["VpcCidr"]))
    own = context.stacks["peering"].outputs.get("PeeringId", "") if "peering" in context.stacks else ""
    for block in _blocks(context, outputs["VpcId"]):
        if block.overlaps(ours):
            yield _PLACE_OF_PEER, f"the VPC of '{other.name}' has the block {block}, which overlaps with {ours}"
    for text in _taken(context, outputs["VpcId"], ours, own):
        yield _PLACE_OF_PEER, f"in the network of '{other.name}', {text}, which would receive the replies to {ours}"
    if "network" in context.stacks and context.stacks["network"].outputs.get("VpcId"):
        for text in _taken(context, context.stacks["network"].outputs["VpcId"], theirs, own):
            yield _PLACE_OF_PEER, f"here, {text}, which would receive the packets to {theirs} of '{other.name}'"


def _network_of(context: Context, stack: str) -> dict[str, str]:
    from bootstrap.acts import stack as stacks

    found = stacks.read(context.world.aws("cloudformation"), stack)
    return dict(found.outputs) if found is not None and "VpcId" in found.outputs else {}


def _blocks(context: Context, vpc: str) -> list[Any]:
    told = context.world.aws("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    listed = [it for one in told for it in one.get("CidrBlockAssociationSet", ())]
    return [
        ipaddress.ip_network(it["CidrBlock"])
        for it in listed
        if it.get("CidrBlockState", {}).get("State", "associated") in {"associated", "associating"}
    ]


def _taken(context: Context, vpc: str, block: Any, own: str) -> list[str]:
    """Routes of a VPC that are for a part of the block, or for it as a whole, and are not the peering's own; each once."""
    asked = [{"Name": "vpc-id", "Values": [vpc]}]
    pages = context.world.aws("ec2").get_paginator("describe_route_tables").paginate(Filters=asked)
    found: dict[str, None] = {}
    for route in (route for page in pages for table in page["RouteTables"] for route in table["Routes"]):
        text, target = route.get("DestinationCidrBlock"), _target(route)
        if text is None or target in {"local", own}:
            continue
        if ipaddress.ip_network(text).subnet_of(block):
            way = "is learnt from" if route.get("Origin") == "EnableVgwRoutePropagation" else "leads to"
            found[f"{text} {way} {target}"] = None
    return list(found)


def _target(route: Mapping[str, Any]) -> str:
    keys = (
        "VpcPeeringConnectionId",
        "TransitGatewayId",
        "GatewayId",
        "NatGatewayId",
        "NetworkInterfaceId",
        "InstanceId",
    )
    return next((str(route[key]) for key in keys if route.get(key)), "another way")
