"""What EC2's answers mean, one thing at a time: each function makes a value of the model from what one describe call told.

Nothing here asks anybody. States and names are those of the EC2 API reference.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bootstrap.network.model import (
    ALL_PORTS,
    PROTOCOLS,
    Block,
    Endpoint,
    GroupRule,
    Interface,
    Nacl,
    NaclEntry,
    Nat,
    Peering,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
    icmp_ports,
)
from bootstrap.network.places import ROLES

Told = Mapping[str, Any]
_ICMP = frozenset({"icmp", "icmpv6"})
_TARGETS = (
    *("GatewayId", "NatGatewayId", "EgressOnlyInternetGatewayId", "VpcPeeringConnectionId", "TransitGatewayId"),
    *("NetworkInterfaceId", "InstanceId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)


def name(told: Told, default: str = "") -> str:
    """The tag Name; of an interface EC2 calls its tags otherwise."""
    tags = told.get("Tags") or told.get("TagSet") or ()
    return next((str(tag["Value"]) for tag in tags if tag["Key"] == "Name"), default)


def _blocks(told: Told, own: str | None) -> tuple[Block, ...]:
    """A VPC's or subnet's blocks of both families, those that are still associated."""
    found = [own] if own else []
    for associations, key, state in (
        ("CidrBlockAssociationSet", "CidrBlock", "CidrBlockState"),
        ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState"),
    ):
        found += [it[key] for it in told.get(associations) or () if it[state]["State"] == "associated"]
    return tuple(ipaddress.ip_network(text) for text in dict.fromkeys(found))


def vpc(told: Told) -> Vpc:
    """A VPC with its blocks of both families."""
    return Vpc(told["VpcId"], _blocks(told, told.get("CidrBlock")), name(told))


def subnets(told: Iterable[Told], tables: Iterable[Told], nacls: Iterable[Told]) -> dict[str, Subnet]:
    """The subnets, each with the route table and the NACL that hold for it: its own, else its VPC's."""
    routed = {a["SubnetId"]: it["RouteTableId"] for it in tables for a in it["Associations"] if a.get("SubnetId")}
    main = {it["VpcId"]: it["RouteTableId"] for it in tables for a in it["Associations"] if a.get("Main")}
    filtered = {a["SubnetId"]: it["NetworkAclId"] for it in nacls for a in it["Associations"]}
    default = {it["VpcId"]: it["NetworkAclId"] for it in nacls if it["IsDefault"]}
    return {
        it["SubnetId"]: Subnet(
            id=it["SubnetId"],
            vpc_id=it["VpcId"],
            blocks=_blocks(it, it.get("CidrBlock")),
            zone=it["AvailabilityZone"],
            route_table_id=routed.get(it["SubnetId"]) or main[it["VpcId"]],
            nacl_id=filtered.get(it["SubnetId"]) or default[it["VpcId"]],
            name=name(it),
        )
        for it in told
    }


def table(told: Told) -> RouteTable:
    """A route table; what it is associated with, `subnets` tells."""
    return RouteTable(told["RouteTableId"], told["VpcId"], tuple(_route(it) for it in told["Routes"]), name(told))


def _route(told: Told) -> Route:
    block = told.get("DestinationCidrBlock") or told.get("DestinationIpv6CidrBlock")
    return Route(
        to=ipaddress.ip_network(block) if block else str(told.get("DestinationPrefixListId")),
        target=next((str(told[key]) for key in _TARGETS if told.get(key)), "unknown"),
        is_blackhole=told.get("State") == "blackhole",
        is_propagated=told.get("Origin") == "EnableVgwRoutePropagation",
    )


def nacl(told: Told) -> Nacl:
    """A network ACL."""
    return Nacl(told["NetworkAclId"], tuple(_entry(it) for it in told["Entries"]), name(told))


def _entry(told: Told) -> NaclEntry:
    protocol = _protocol(told["Protocol"])
    given = told.get("PortRange")
    ports = (int(given["From"]), int(given["To"])) if given and protocol in {"tcp", "udp"} else ALL_PORTS
    kind = told.get("IcmpTypeCode") or {}
    return NaclEntry(
        number=told["RuleNumber"],
        egress=told["Egress"],
        allow=told["RuleAction"] == "allow",
        block=ipaddress.ip_network(told.get("CidrBlock") or told["Ipv6CidrBlock"]),
        protocol=protocol,
        ports=icmp_ports(kind.get("Type", -1), kind.get("Code", -1)) if protocol in _ICMP else ports,
    )


def _protocol(told: Any) -> str:
    return PROTOCOLS.get(str(told), str(told))


def group(told: Told) -> SecurityGroup:
    """A security group; a permission is a rule for each of its peers."""
    return SecurityGroup(
        id=told["GroupId"],
        vpc_id=told["VpcId"],
        ingress=tuple(rule for it in told["IpPermissions"] for rule in _rules(it)),
        egress=tuple(rule for it in told["IpPermissionsEgress"] for rule in _rules(it)),
        name=name(told, told["GroupName"]),
    )


def _rules(told: Told) -> Iterator[GroupRule]:
    protocol = _protocol(told["IpProtocol"])
    first, last = (-1 if told.get(key) is None else int(told[key]) for key in ("FromPort", "ToPort"))
    ports = (first, last) if protocol in {"tcp", "udp"} and first >= 0 else ALL_PORTS
    if protocol in _ICMP:  # the two are a type and a code
        ports = icmp_ports(first, last)
    for it in told.get("IpRanges", ()):
        yield GroupRule(protocol, ports, ipaddress.ip_network(it["CidrIp"]))
    for it in told.get("Ipv6Ranges", ()):
        yield GroupRule(protocol, ports, ipaddress.ip_network(it["CidrIpv6"]))
    for it in (*told.get("UserIdGroupPairs", ()), *told.get("PrefixListIds", ())):
        yield GroupRule(protocol, ports, it.get("GroupId") or it["PrefixListId"])


def interface(told: Told, groups: Mapping[str, SecurityGroup], prefix: str, known: tuple[str, ...] | None) -> Interface:
    """An interface; `known` are its groups where somebody else tells them, `prefix` is what the names of roles begin with."""
    private = sorted(told.get("PrivateIpAddresses", ()), key=lambda it: not it.get("Primary"))
    addresses = (
        *(it["PrivateIpAddress"] for it in private),
        *(it["Ipv6Address"] for it in told.get("Ipv6Addresses", ())),
    )
    associated = {it["PrivateIpAddress"]: (it.get("Association") or {}).get("PublicIp") for it in private}
    mine = known if known is not None else tuple(it["GroupId"] for it in told.get("Groups", ()))
    names = {groups[it].name.removeprefix(prefix) for it in mine if it in groups and groups[it].name.startswith(prefix)}
    roles = tuple(role for role in ROLES if role in names)
    return Interface(
        id=told["NetworkInterfaceId"],
        subnet_id=told["SubnetId"],
        addresses=tuple(ipaddress.ip_address(it) for it in addresses),
        groups=mine,
        public=str((told.get("Association") or {}).get("PublicIp") or ""),
        instance_id=str((told.get("Attachment") or {}).get("InstanceId") or ""),
        kind=str(told.get("InterfaceType", "interface")),
        roles=roles,
        name=name(told) or ", ".join(roles),
        others_public=tuple(
            (ipaddress.ip_address(own), ipaddress.ip_address(public))
            for own, public in associated.items()
            if public and own != addresses[0]
        ),
    )


def nat(told: Told) -> Nat:
    """A NAT gateway by its first address."""
    address = told["NatGatewayAddresses"][0]
    return Nat(
        id=told["NatGatewayId"],
        subnet_id=told["SubnetId"],
        address=ipaddress.ip_address(address["PrivateIp"]),
        public=address.get("PublicIp") or "",
        is_available=told["State"] == "available",
        name=name(told),
    )


def sides(told: Told) -> tuple[str, str]:
    """The two VPCs that a peering joins, who asked for it first."""
    return (told["RequesterVpcInfo"].get("VpcId", ""), told["AccepterVpcInfo"].get("VpcId", ""))


def peering(told: Told) -> Peering:
    """A peering with the blocks of both sides."""

    def blocks(side: Told) -> tuple[Block, ...]:
        four = [it["CidrBlock"] for it in side.get("CidrBlockSet", ())] or [it for it in [side.get("CidrBlock")] if it]
        six = [it["Ipv6CidrBlock"] for it in side.get("Ipv6CidrBlockSet", ())]
        return tuple(ipaddress.ip_network(it) for it in (*four, *six))

    return Peering(
        id=told["VpcPeeringConnectionId"],
        vpcs=sides(told),
        blocks=(blocks(told["RequesterVpcInfo"]), blocks(told["AccepterVpcInfo"])),
        is_active=told["Status"]["Code"] == "active",
    )


def endpoint(told: Told) -> Endpoint:
    """An endpoint; EC2 writes its state in more than one way."""
    return Endpoint(
        id=told["VpcEndpointId"],
        vpc_id=told["VpcId"],
        kind=told.get("VpcEndpointType", "Gateway"),
        service=told["ServiceName"],
        is_available=str(told.get("State", "available")).lower() == "available",
    )
