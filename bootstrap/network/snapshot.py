"""The network as it is, read through EC2's API: all pages, every interface, the environment's VPC and those peered with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bootstrap.errors import StackMissing
from bootstrap.network.model import (
    ALL_PORTS,
    PROTOCOLS,
    Block,
    Endpoint,
    Environment,
    Gateway,
    GroupRule,
    Interface,
    Nacl,
    NaclEntry,
    Nat,
    Network,
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
        it for it in _all(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections") if vpc_id in _sides(it)
    ]
    every = _all(ec2, "describe_vpcs", "Vpcs")
    named = {
        name: Environment(ipaddress.ip_network(block), _tagged(every, project, name))
        for name, (project, block) in (environments or {}).items()
    }
    wanted = {vpc_id, *(side for it in peered for side in _sides(it)), *(it.vpc_id for it in named.values())}
    vpcs = {it["VpcId"]: _vpc(it) for it in every if it["VpcId"] in wanted}
    if vpc_id not in vpcs:
        raise StackMissing("reading the network", f"there is no VPC {vpc_id}", "Run: ./bootstrap.py network apply")
    in_them = {"Filters": [{"Name": "vpc-id", "Values": list(vpcs)}]}
    tables = _all(ec2, "describe_route_tables", "RouteTables", **in_them)
    nacls = _all(ec2, "describe_network_acls", "NetworkAcls", **in_them)
    groups = {it["GroupId"]: _group(it) for it in _all(ec2, "describe_security_groups", "SecurityGroups", **in_them)}
    nats = {
        it["NatGatewayId"]: _nat(it) for it in _all(ec2, "describe_nat_gateways", "NatGateways") if _lives(it, vpcs)
    }
    endpoints = _all(ec2, "describe_vpc_endpoints", "VpcEndpoints", **in_them)
    return Network(
        vpc_id=vpc_id,
        operators=ipaddress.ip_network(operators) if operators else None,
        vpcs=vpcs,
        subnets=_subnets(_all(ec2, "describe_subnets", "Subnets", **in_them), tables, nacls),
        route_tables={it["RouteTableId"]: _table(it) for it in tables},
        nacls={it["NetworkAclId"]: _nacl(it) for it in nacls},
        groups=groups,
        interfaces=_interfaces(ec2, in_them, groups, prefix, nats, endpoints),
        internet_gateways=_gateways(ec2, "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        egress_only_gateways=_gateways(
            ec2, "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"
        ),
        vpn_gateways=_gateways(ec2, "describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
        nats=nats,
        peerings={it["VpcPeeringConnectionId"]: _peering(it) for it in peered},
        endpoints={it["VpcEndpointId"]: _endpoint(it) for it in endpoints},
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


def _name(told: Told, default: str = "") -> str:
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


def _vpc(told: Told) -> Vpc:
    return Vpc(told["VpcId"], _blocks(told, told.get("CidrBlock")), _name(told))


def _subnets(told: Iterable[Told], tables: Iterable[Told], nacls: Iterable[Told]) -> dict[str, Subnet]:
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
            name=_name(it),
        )
        for it in told
    }


def _table(told: Told) -> RouteTable:
    return RouteTable(told["RouteTableId"], told["VpcId"], tuple(_route(it) for it in told["Routes"]), _name(told))


def _route(told: Told) -> Route:
    block = told.get("DestinationCidrBlock") or told.get("DestinationIpv6CidrBlock")
    return Route(
        to=ipaddress.ip_network(block) if block else str(told.get("DestinationPrefixListId")),
        target=next((str(told[key]) for key in _TARGETS if told.get(key)), "unknown"),
        is_blackhole=told.get("State") == "blackhole",
        is_propagated=told.get("Origin") == "EnableVgwRoutePropagation",
    )


def _nacl(told: Told) -> Nacl:
    return Nacl(told["NetworkAclId"], tuple(_entry(it) for it in told["Entries"]), _name(told))


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


def _group(told: Told) -> SecurityGroup:
    return SecurityGroup(
        id=told["GroupId"],
        vpc_id=told["VpcId"],
        ingress=tuple(rule for it in told["IpPermissions"] for rule in _rules(it)),
        egress=tuple(rule for it in told["IpPermissionsEgress"] for rule in _rules(it)),
        name=_name(told, told["GroupName"]),
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
        made = _interface(it, groups, prefix, of_endpoints.get(it["NetworkInterfaceId"]))
        kind = "nat_gateway" if of_nats.intersection(made.addresses) else made.kind
        found[made.id] = replace(made, kind="vpc_endpoint" if made.id in of_endpoints else kind)
    return found


def _interface(
    told: Told, groups: Mapping[str, SecurityGroup], prefix: str, known: tuple[str, ...] | None
) -> Interface:
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
        name=_name(told) or ", ".join(roles),
        others_public=tuple(
            (ipaddress.ip_address(own), ipaddress.ip_address(public))
            for own, public in associated.items()
            if public and own != addresses[0]
        ),
    )


def _gateways(ec2: Any, operation: str, key: str, name: str) -> dict[str, Gateway]:
    """Gateways by id; a VPN gateway writes its attachments under another key."""
    found = {}
    for it in _all(ec2, operation, key):
        attachments = it.get("Attachments") or it.get("VpcAttachments") or ()
        vpcs = tuple(a["VpcId"] for a in attachments if a.get("State") in {"attached", "available"})
        found[it[name]] = Gateway(it[name], vpcs, _name(it))
    return found


def _lives(told: Told, vpcs: Mapping[str, Vpc]) -> bool:
    """Whether a NAT gateway is of these VPCs and not one that EC2 only still remembers."""
    return (
        told["VpcId"] in vpcs and told["State"] not in {"deleted", "failed"} and bool(told.get("NatGatewayAddresses"))
    )


def _nat(told: Told) -> Nat:
    address = told["NatGatewayAddresses"][0]
    return Nat(
        id=told["NatGatewayId"],
        subnet_id=told["SubnetId"],
        address=ipaddress.ip_address(address["PrivateIp"]),
        public=address.get("PublicIp") or "",
        is_available=told["State"] == "available",
        name=_name(told),
    )


def _sides(told: Told) -> tuple[str, str]:
    return (told["RequesterVpcInfo"].get("VpcId", ""), told["AccepterVpcInfo"].get("VpcId", ""))


def _peering(told: Told) -> Peering:
    def blocks(side: Told) -> tuple[Block, ...]:
        four = [it["CidrBlock"] for it in side.get("CidrBlockSet", ())] or [it for it in [side.get("CidrBlock")] if it]
        six = [it["Ipv6CidrBlock"] for it in side.get("Ipv6CidrBlockSet", ())]
        return tuple(ipaddress.ip_network(it) for it in (*four, *six))

    return Peering(
        id=told["VpcPeeringConnectionId"],
        vpcs=_sides(told),
        blocks=(blocks(told["RequesterVpcInfo"]), blocks(told["AccepterVpcInfo"])),
        is_active=told["Status"]["Code"] == "active",
    )


def _endpoint(told: Told) -> Endpoint:
    return Endpoint(
        id=told["VpcEndpointId"],
        vpc_id=told["VpcId"],
        kind=told.get("VpcEndpointType", "Gateway"),
        service=told["ServiceName"],
        is_available=str(told.get("State", "available")).lower() == "available",
    )


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
    told = {it["PrefixListId"]: it.get("Cidrs") or () for it in _all(ec2, "describe_prefix_lists", "PrefixLists")}
    entries = {
        name: told.get(name)
        or [it["Cidr"] for it in _all(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=name)]
        for name in sorted(named)
    }
    return {name: tuple(ipaddress.ip_network(block) for block in blocks) for name, blocks in entries.items()}
