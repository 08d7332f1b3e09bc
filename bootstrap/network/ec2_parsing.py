"""Parses EC2's answers: each function makes a value of the model from one item of the answer of a describe call.

Nothing here calls AWS. States and names are those of the EC2 API reference.
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
    make_icmp_range,
)
from bootstrap.network.path_ends import ROLES

Answer = Mapping[str, Any]
_ICMP = frozenset({"icmp", "icmpv6"})
_TARGETS = (
    *("GatewayId", "NatGatewayId", "EgressOnlyInternetGatewayId", "VpcPeeringConnectionId", "TransitGatewayId"),
    *("NetworkInterfaceId", "InstanceId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)


def read_name(answer: Answer, default: str = "") -> str:
    """The value of the tag Name; for interfaces EC2 has another key for tags (TagSet)."""
    tags = answer.get("Tags") or answer.get("TagSet") or ()
    return next((str(tag["Value"]) for tag in tags if tag["Key"] == "Name"), default)


def _parse_blocks(answer: Answer, own: str | None) -> tuple[Block, ...]:
    """The associated blocks of a VPC or subnet, of both families."""
    texts = [own] if own else []
    for associations, key, state in (
        ("CidrBlockAssociationSet", "CidrBlock", "CidrBlockState"),
        ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState"),
    ):
        texts += [it[key] for it in answer.get(associations) or () if it[state]["State"] == "associated"]
    return tuple(ipaddress.ip_network(text) for text in dict.fromkeys(texts))


def parse_vpc(answer: Answer) -> Vpc:
    """A VPC with its blocks of both families."""
    return Vpc(answer["VpcId"], _parse_blocks(answer, answer.get("CidrBlock")), read_name(answer))


def parse_subnets(
    descriptions: Iterable[Answer], tables: Iterable[Answer], nacls: Iterable[Answer]
) -> dict[str, Subnet]:
    """The subnets by id, each with its route table and ACL: the associated ones, else the main and default ones of its VPC."""
    routed = {a["SubnetId"]: it["RouteTableId"] for it in tables for a in it["Associations"] if a.get("SubnetId")}
    main = {it["VpcId"]: it["RouteTableId"] for it in tables for a in it["Associations"] if a.get("Main")}
    filtered = {a["SubnetId"]: it["NetworkAclId"] for it in nacls for a in it["Associations"]}
    default = {it["VpcId"]: it["NetworkAclId"] for it in nacls if it["IsDefault"]}
    return {
        subnet["SubnetId"]: Subnet(
            id=subnet["SubnetId"],
            vpc_id=subnet["VpcId"],
            blocks=_parse_blocks(subnet, subnet.get("CidrBlock")),
            zone=subnet["AvailabilityZone"],
            route_table_id=routed.get(subnet["SubnetId"]) or main[subnet["VpcId"]],
            nacl_id=filtered.get(subnet["SubnetId"]) or default[subnet["VpcId"]],
            name=read_name(subnet),
        )
        for subnet in descriptions
    }


def parse_route_table(answer: Answer) -> RouteTable:
    """A route table; `parse_subnets` has its associations."""
    return RouteTable(
        answer["RouteTableId"], answer["VpcId"], tuple(_parse_route(it) for it in answer["Routes"]), read_name(answer)
    )


def _parse_route(answer: Answer) -> Route:
    block = answer.get("DestinationCidrBlock") or answer.get("DestinationIpv6CidrBlock")
    return Route(
        to=ipaddress.ip_network(block) if block else str(answer.get("DestinationPrefixListId")),
        target=next((str(answer[key]) for key in _TARGETS if answer.get(key)), "unknown"),
        is_blackhole=answer.get("State") == "blackhole",
        is_propagated=answer.get("Origin") == "EnableVgwRoutePropagation",
    )


def parse_nacl(answer: Answer) -> Nacl:
    """A network ACL."""
    return Nacl(answer["NetworkAclId"], tuple(_parse_nacl_entry(it) for it in answer["Entries"]), read_name(answer))


def _parse_nacl_entry(answer: Answer) -> NaclEntry:
    protocol = _parse_protocol(answer["Protocol"])
    port_range = answer.get("PortRange")
    ports = (int(port_range["From"]), int(port_range["To"])) if port_range and protocol in {"tcp", "udp"} else ALL_PORTS
    kind = answer.get("IcmpTypeCode") or {}
    return NaclEntry(
        number=answer["RuleNumber"],
        egress=answer["Egress"],
        allow=answer["RuleAction"] == "allow",
        block=ipaddress.ip_network(answer.get("CidrBlock") or answer["Ipv6CidrBlock"]),
        protocol=protocol,
        ports=make_icmp_range(kind.get("Type", -1), kind.get("Code", -1)) if protocol in _ICMP else ports,
    )


def _parse_protocol(answer: Any) -> str:
    return PROTOCOLS.get(str(answer), str(answer))


def parse_group(answer: Answer) -> SecurityGroup:
    """A security group; one permission of EC2 becomes a rule for each of its peers."""
    return SecurityGroup(
        id=answer["GroupId"],
        vpc_id=answer["VpcId"],
        ingress=tuple(rule for it in answer["IpPermissions"] for rule in _parse_rules(it)),
        egress=tuple(rule for it in answer["IpPermissionsEgress"] for rule in _parse_rules(it)),
        name=read_name(answer, answer["GroupName"]),
    )


def _parse_rules(answer: Answer) -> Iterator[GroupRule]:
    protocol = _parse_protocol(answer["IpProtocol"])
    first, last = (-1 if answer.get(key) is None else int(answer[key]) for key in ("FromPort", "ToPort"))
    ports = (first, last) if protocol in {"tcp", "udp"} and first >= 0 else ALL_PORTS
    if protocol in _ICMP:  # the two are a type and a code
        ports = make_icmp_range(first, last)
    for peer in answer.get("IpRanges", ()):
        yield GroupRule(protocol, ports, ipaddress.ip_network(peer["CidrIp"]))
    for peer in answer.get("Ipv6Ranges", ()):
        yield GroupRule(protocol, ports, ipaddress.ip_network(peer["CidrIpv6"]))
    for peer in (*answer.get("UserIdGroupPairs", ()), *answer.get("PrefixListIds", ())):
        yield GroupRule(protocol, ports, peer.get("GroupId") or peer["PrefixListId"])


def parse_interface(
    answer: Answer, groups: Mapping[str, SecurityGroup], prefix: str, configured_groups: tuple[str, ...] | None
) -> Interface:
    """An interface.

    `configured_groups` replace its groups if they are known from an endpoint; `prefix` is before roles in names.
    """
    private = sorted(answer.get("PrivateIpAddresses", ()), key=lambda it: not it.get("Primary"))
    addresses = (
        *(it["PrivateIpAddress"] for it in private),
        *(it["Ipv6Address"] for it in answer.get("Ipv6Addresses", ())),
    )
    associated = {it["PrivateIpAddress"]: (it.get("Association") or {}).get("PublicIp") for it in private}
    group_ids = (
        configured_groups if configured_groups is not None else tuple(it["GroupId"] for it in answer.get("Groups", ()))
    )
    names = {
        groups[it].name.removeprefix(prefix) for it in group_ids if it in groups and groups[it].name.startswith(prefix)
    }
    roles = tuple(role for role in ROLES if role in names)
    return Interface(
        id=answer["NetworkInterfaceId"],
        subnet_id=answer["SubnetId"],
        addresses=tuple(ipaddress.ip_address(it) for it in addresses),
        groups=group_ids,
        public=str((answer.get("Association") or {}).get("PublicIp") or ""),
        instance_id=str((answer.get("Attachment") or {}).get("InstanceId") or ""),
        kind=str(answer.get("InterfaceType", "interface")),
        roles=roles,
        name=read_name(answer) or ", ".join(roles),
        others_public=tuple(
            (ipaddress.ip_address(own), ipaddress.ip_address(public))
            for own, public in associated.items()
            if public and own != addresses[0]
        ),
    )


def parse_nat(answer: Answer) -> Nat:
    """A NAT gateway by its first address."""
    address = answer["NatGatewayAddresses"][0]
    return Nat(
        id=answer["NatGatewayId"],
        subnet_id=answer["SubnetId"],
        address=ipaddress.ip_address(address["PrivateIp"]),
        public=address.get("PublicIp") or "",
        is_available=answer["State"] == "available",
        name=read_name(answer),
    )


def parse_sides(answer: Answer) -> tuple[str, str]:
    """The two VPCs that a peering joins: first the requester's, then the accepter's."""
    return (answer["RequesterVpcInfo"].get("VpcId", ""), answer["AccepterVpcInfo"].get("VpcId", ""))


def parse_peering(answer: Answer) -> Peering:
    """A peering with the blocks of both sides."""

    def parse_side_blocks(side: Answer) -> tuple[Block, ...]:
        four = [it["CidrBlock"] for it in side.get("CidrBlockSet", ())] or [it for it in [side.get("CidrBlock")] if it]
        six = [it["Ipv6CidrBlock"] for it in side.get("Ipv6CidrBlockSet", ())]
        return tuple(ipaddress.ip_network(it) for it in (*four, *six))

    return Peering(
        id=answer["VpcPeeringConnectionId"],
        vpcs=parse_sides(answer),
        blocks=(parse_side_blocks(answer["RequesterVpcInfo"]), parse_side_blocks(answer["AccepterVpcInfo"])),
        is_active=answer["Status"]["Code"] == "active",
    )


def parse_endpoint(answer: Answer) -> Endpoint:
    """An endpoint; EC2 writes its state with and without capitals."""
    return Endpoint(
        id=answer["VpcEndpointId"],
        vpc_id=answer["VpcId"],
        kind=answer.get("VpcEndpointType", "Gateway"),
        service=answer["ServiceName"],
        is_available=str(answer.get("State", "available")).lower() == "available",
    )
