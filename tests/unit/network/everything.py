"""A network with everything on, made by hand: three zones, three tiers, each kind of gateway, and what stands beside."""

from __future__ import annotations

import ipaddress

from bootstrap.network.model import (
    Endpoint,
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
    TransitGateway,
    Vpc,
)
from bootstrap.network.surroundings import Connection, DirectConnect, Log, Surroundings, Zone

NAME = "jenkins-trial"
V4, V6 = ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")
BLOCK, SIX = ipaddress.ip_network("10.0.0.0/16"), ipaddress.ip_network("2001:db8:aaaa:bb00::/56")
PEER = ipaddress.ip_network("10.1.0.0/16")
SERVICES = ("cloudformation", "ec2", "ec2messages", "kms", "logs", "secretsmanager", "ssm", "ssmmessages", "sts")
LOCAL = (Route(BLOCK, "local"), Route(SIX, "local"))


def network(nat: str = "per-zone", owner: str = NAME) -> Network:
    """The network; `nat` is 'per-zone' or 'one', `owner` what its names begin with."""
    subnets, tables = _subnets(nat, owner)
    zones = (1, 2, 3) if nat == "per-zone" else (1,)
    everything = tuple(NaclEntry(100, out, True, block) for out in (False, True) for block in (V4, V6))
    return Network(
        vpc_id="vpc-1",
        operators=(ipaddress.ip_network("10.0.0.0/16"),),
        vpcs={"vpc-1": Vpc("vpc-1", (BLOCK, SIX), owner), "vpc-2": Vpc("vpc-2", (PEER,), "jenkins-production")},
        subnets=subnets,
        route_tables=tables,
        nacls={f"acl-{it}": Nacl(f"acl-{it}", everything, f"{owner}-{it}") for it in ("public", "private", "data")},
        groups=_groups(owner),
        interfaces=_interfaces(),
        internet_gateways={"igw-1": Gateway("igw-1", ("vpc-1",))},
        egress_only_gateways={"eigw-1": Gateway("eigw-1", ("vpc-1",))},
        vpn_gateways={"vgw-1": Gateway("vgw-1", ("vpc-1",))},
        transit_gateways={"tgw-1": TransitGateway("tgw-1", {"vpc-1": ("private-1", "private-2", "private-3")})},
        nats={
            f"nat-{it}": Nat(f"nat-{it}", f"public-{it}", ipaddress.ip_address(f"10.0.{it}.9"), f"203.0.113.{it}")
            for it in zones
        },
        peerings={"pcx-1": Peering("pcx-1", ("vpc-1", "vpc-2"), ((BLOCK,), (PEER,)))},
        endpoints={
            "vpce-s3": Endpoint("vpce-s3", "vpc-1", "Gateway", "com.amazonaws.eu-central-1.s3"),
            **{it: Endpoint(it, "vpc-1", "Interface", f"com.amazonaws.eu-central-1.{it}") for it in SERVICES},
        },
    )


def _subnets(nat: str, owner: str) -> tuple[dict[str, Subnet], dict[str, RouteTable]]:
    subnets, tables = {}, {}
    ways = {
        "public": (Route(V4, "igw-1"), Route(V6, "igw-1"), Route("pl-1", "vpce-s3")),
        "private": (
            *(Route(V6, "eigw-1"), Route(PEER, "pcx-1"), Route("pl-1", "vpce-s3")),
            *(Route(ipaddress.ip_network(it), "vgw-1") for it in ("172.16.0.0/12", "192.168.0.0/16")),
            *(Route(ipaddress.ip_network(it), "tgw-1") for it in ("10.64.0.0/10", "10.32.0.0/11")),
        ),
        "data": (),
    }
    for place, (kind, routes) in enumerate(ways.items()):
        for zone in (1, 2, 3):
            number = 10 * place + zone
            more = (Route(V4, f"nat-{zone if nat == 'per-zone' else 1}"),) if kind == "private" else ()
            blocks = (
                ipaddress.ip_network(f"10.0.{number}.0/24"),
                ipaddress.ip_network(f"2001:db8:aaaa:bb{number:02}::/64"),
            )
            key = f"{kind}-{zone}"
            subnets[key] = Subnet(
                key, "vpc-1", blocks, f"eu-central-1{'abc'[zone - 1]}", key, f"acl-{kind}", f"{owner}-{key}"
            )
            tables[key] = RouteTable(key, "vpc-1", (*LOCAL, *routes, *more))
    return subnets, tables


def _groups(owner: str) -> dict[str, SecurityGroup]:
    def tcp(port: int, peer: object) -> GroupRule:
        return GroupRule("tcp", (port, port), peer)  # type: ignore[arg-type]

    far = ipaddress.ip_network("198.51.100.0/24")
    of_bastion = SecurityGroup(
        "bastion", "vpc-1", (tcp(22, far),), (tcp(22, "controller"), tcp(443, V4)), f"{owner}-bastion"
    )
    of_controller = SecurityGroup(
        "controller",
        "vpc-1",
        (tcp(22, "bastion"), tcp(443, BLOCK), tcp(443, "agents"), tcp(443, "peer")),
        (tcp(443, "endpoints"), tcp(443, V4), tcp(443, V6), GroupRule("udp", (123, 123), V4)),
        f"{owner}-controller",
    )
    of_agents = SecurityGroup("agents", "vpc-1", (), (tcp(443, "controller"),), f"{owner}-agents")
    of_endpoints = SecurityGroup("endpoints", "vpc-1", (tcp(443, "controller"),), (), f"{owner}-endpoints")
    peer = SecurityGroup("peer", "vpc-2", (), (), "jenkins-production-controller")
    return {it.id: it for it in (of_bastion, of_controller, of_agents, of_endpoints, peer)}


def _interfaces() -> dict[str, Interface]:
    found = {
        role: Interface(role, subnet, (ipaddress.ip_address(address),), (role,), public, roles=(role,))
        for role, subnet, address, public in (
            ("bastion", "public-1", "10.0.1.4", "203.0.113.77"),
            ("controller", "private-1", "10.0.11.4", ""),
        )
    }
    for zone in (1, 2, 3):
        for number, _ in enumerate(SERVICES):
            key, address = f"eni-{zone}-{number}", ipaddress.ip_address(f"10.0.{10 + zone}.{20 + number}")
            found[key] = Interface(
                key, f"private-{zone}", (address,), ("endpoints",), kind="vpc_endpoint", roles=("endpoints",)
            )
    return found


SURROUNDINGS = Surroundings(
    region="eu-central-1",
    asns=(("vgw-1", 64512),),
    connections=(Connection("vpn-1", "vgw-1", "198.51.100.7", "65000", True, 1, ("172.16.0.0/12", "192.168.0.0/16")),),
    direct_connects=(
        DirectConnect(
            "11111111-2222-3333-4444-555555555555", "vgw-1", "associated", ("private interface, VLAN 101, available",)
        ),
        DirectConnect(
            "22222222-3333-4444-5555-666666666666", "tgw-1", "associated", ("transit interface, VLAN 102, down",)
        ),
    ),
    logs=(
        Log("flow logs", "all traffic", "jenkins-trial-flow"),
        Log("DNS queries", "every name asked for", "jenkins-trial-names"),
    ),
    zones=(
        Zone("ci.internal", True, ("jenkins.ci.internal = 10.0.11.4",)),
        Zone("ci.example.org", False, ("jenkins.ci.example.org = 203.0.113.9",)),
    ),
)
