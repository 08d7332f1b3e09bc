"""How EC2's descriptions become rules of nftables: order of entries and routes, protocols, peers, refused values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from bootstrap.local.aws.packet_filter.ec2_state import NetworkState
from bootstrap.local.aws.packet_filter.ruleset import compile_rules

PEERS = ("10.2.0.0/16", "100.66.0.0/16")
OPEN = {"Protocol": "-1", "CidrBlock": "0.0.0.0/0"}


def region(*, routes: tuple[Any, ...] = (), entries: tuple[Any, ...] = (), rules: tuple[Any, ...] = ()) -> NetworkState:
    local = {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "State": "active"}
    return NetworkState(
        vpcs=[{"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16"}],
        subnets=[{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.1.1.0/24"}],
        route_tables=[{"VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [local, *routes]}],
        network_acls=[{"VpcId": "vpc-1", "IsDefault": True, "Associations": [], "Entries": list(entries)}],
        security_groups=[{"GroupId": "sg-1", "IpPermissions": list(rules), "IpPermissionsEgress": []}],
        network_interfaces=[
            {"SubnetId": "subnet-1", "PrivateIpAddress": "10.1.1.4", "Groups": [{"GroupId": "sg-1"}]},
        ],
        vpc_peering_connections=[],
        internet_gateways=[{"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1"}]}],
        prefix_lists={},
    )


def chain(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    start = lines.index(f"chain {name} {{") + 1
    return [line.replace("  ", " ") for line in lines[start : lines.index("}", start)]]


def test_entries_are_in_the_order_of_their_numbers_and_the_end_denies() -> None:
    entries = (
        {"RuleNumber": 200, "Egress": False, "RuleAction": "allow", **OPEN},
        {
            "RuleNumber": 9,
            "Egress": False,
            "RuleAction": "deny",
            "Protocol": "6",
            "CidrBlock": "10.1.2.0/24",
            "PortRange": {"From": 22, "To": 23},
        },
    )
    text = compile_rules(region(entries=entries))
    assert chain(text, "acl-in-subnet-1") == [
        "ip saddr 10.1.2.0/24 tcp dport 22-23 drop",
        "ip saddr 0.0.0.0/0 return",
        "drop",
    ]
    assert chain(text, "acl-out-subnet-1") == ["drop"]


def test_longest_prefix_comes_first_and_a_black_hole_drops() -> None:
    routes = (
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"},
        {"DestinationCidrBlock": "10.1.9.0/24", "NetworkInterfaceId": "eni-9", "State": "blackhole"},
    )
    rules = [
        line
        for line in chain(compile_rules(region(routes=routes)), "leave-subnet-1")
        if "goto" in line or "9.0" in line
    ]
    assert rules[0] == "ip daddr 10.1.9.0/24 drop"
    assert "ip daddr 10.1.0.0/16 goto acl-out-subnet-1" in rules[1:-1]
    assert rules[-1].startswith("ip daddr 0.0.0.0/0 ip daddr != { 10.1.0.0/16 } ip saddr @public goto")


def test_a_route_to_a_gateway_that_is_not_attached_drops() -> None:
    routes = ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"},)
    detached = replace(region(routes=routes), internet_gateways=[{"InternetGatewayId": "igw-1", "Attachments": []}])
    assert "ip daddr 0.0.0.0/0 drop" in chain(compile_rules(detached), "leave-subnet-1")
    assert "@public" not in compile_rules(detached)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"IpProtocol": "-1"}, "ip saddr 10.1.2.0/24 return"),
        ({"IpProtocol": "udp", "FromPort": 53, "ToPort": 53}, "ip saddr 10.1.2.0/24 udp dport 53-53 return"),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, "ip saddr 10.1.2.0/24 icmp type 8 return"),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, "ip saddr 10.1.2.0/24 meta l4proto icmp return"),
        ({"IpProtocol": "50"}, "ip saddr 10.1.2.0/24 meta l4proto 50 return"),
    ],
)
def test_rules_of_a_group_allow_their_traffic_and_all_other_is_dropped(rule: dict[str, Any], line: str) -> None:
    text = compile_rules(region(rules=({**rule, "IpRanges": [{"CidrIp": "10.1.2.0/24"}]},)))
    assert chain(text, "in-10.1.1.4") == [line, "drop"]
    assert chain(text, "out-10.1.1.4") == ["drop"]


def test_a_rule_that_names_a_group_allows_its_members() -> None:
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}
    text = compile_rules(region(rules=(rule,)))
    assert "ip saddr @of-sg-1 return" in chain(text, "in-10.1.1.4")
    assert "set of-sg-1 { type ipv4_addr; \nelements = { 10.1.1.4 }\n}" in text


def test_a_group_of_a_peer_without_machines_has_no_members() -> None:
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-9", "VpcId": "vpc-9"}]}
    text = compile_rules(region(rules=(rule,)))
    assert "set of-sg-9 { type ipv4_addr; \n}" in text


def test_a_region_without_interfaces_has_no_rules() -> None:
    assert compile_rules(replace(region(), network_interfaces=[])) == ""


def test_all_blocks_of_a_vpc_and_of_its_peer_are_used() -> None:
    blocks = [
        {"CidrBlock": block, "CidrBlockState": {"State": state}}
        for block, state in (
            ("10.1.0.0/16", "associated"),
            ("100.64.0.0/16", "associated"),
            ("100.65.0.0/16", "disassociated"),
        )
    ]
    sides = [
        {"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16"},
        {"VpcId": "vpc-2", "CidrBlock": "10.2.0.0/16", "CidrBlockSet": [{"CidrBlock": it} for it in PEERS]},
    ]
    peering = {"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active"}}
    peering |= {"RequesterVpcInfo": sides[0], "AccepterVpcInfo": sides[1]}
    routes = ({"DestinationCidrBlock": "0.0.0.0/0", "VpcPeeringConnectionId": "pcx-1", "State": "active"},)
    wide = replace(
        region(routes=routes),
        vpcs=[{"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16", "CidrBlockAssociationSet": blocks}],
        vpc_peering_connections=[peering],
    )
    text = compile_rules(wide)
    inside = "{ 10.1.0.0/16, 100.64.0.0/16 }"
    assert f"ip saddr != {inside} ip daddr != {inside} accept" in text
    rules = [line for line in chain(text, "leave-subnet-1") if line.startswith("ip daddr 0.0.0.0/0")]
    assert rules[:-1] == [f"ip daddr 0.0.0.0/0 ip daddr {block} goto acl-out-subnet-1" for block in PEERS]


INVALID_BLOCKS = (
    *("10.0.0.0/8 }; flush ruleset; add set x y { type ipv4_addr;", "10.0.0.0/8\nflush ruleset", "$x", "@of-sg-1", ""),
    *(
        "10.0.0.0/33",
        "10.0.0.0",
        "10.0.0.0/8, 0.0.0.0/0",
        "::/0",
        "10.0.0.0/8 #",
        "0.0.0.0/0\n",
        "１0.0.0.0/8",
        "10.0.0.0/٨",
    ),
)


@pytest.mark.parametrize("invalid", INVALID_BLOCKS)
def test_an_invalid_block_of_a_prefix_list_is_left_out(invalid: str) -> None:
    rule = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    text = compile_rules(replace(region(rules=(rule,)), prefix_lists={"pl-1": ["10.9.0.0/16", invalid, "10.8.0.0/16"]}))
    assert "elements = { 10.9.0.0/16, 10.8.0.0/16 }" in text.splitlines()
    assert compile_rules(replace(region(rules=(rule,)), prefix_lists={"pl-1": [invalid]})).count("elements") == 1


@pytest.mark.parametrize("invalid", INVALID_BLOCKS[:-3])
def test_no_value_can_add_text_to_the_ruleset(invalid: str) -> None:
    plain = compile_rules(region())
    entry = {"RuleNumber": 9, "Egress": False, "RuleAction": "allow", "Protocol": "6", "CidrBlock": "10.1.2.0/24"}
    route = {"DestinationCidrBlock": "10.7.0.0/16", "State": "blackhole"}
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2}
    hostile = [
        region(entries=({**entry, "CidrBlock": invalid or "x"},)),
        region(entries=({**entry, "Protocol": invalid or "x"},)),
        region(routes=({**route, "DestinationCidrBlock": invalid or "x"},)),
        region(rules=({**rule, "IpRanges": [{"CidrIp": invalid or "x"}]},)),
        region(rules=({**rule, "IpProtocol": invalid or "x", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},)),
        region(rules=({**rule, "UserIdGroupPairs": [{"GroupId": invalid or "x y"}]},)),
        region(rules=({**rule, "PrefixListIds": [{"PrefixListId": invalid or "x y"}]},)),
        replace(region(), prefix_lists={invalid or "x y": ["10.0.0.0/8"]}),
    ]
    assert [compile_rules(each) for each in hostile] == [plain] * len(hostile)


def test_an_interface_with_an_invalid_address_is_left_out() -> None:
    card = region().network_interfaces[0]
    invalid = {**card, "PrivateIpAddress": "10.1.1.5 : accept }"}
    further = {**card, "PrivateIpAddresses": [{"PrivateIpAddress": "10.1.1.4"}, {"PrivateIpAddress": "x"}]}
    assert compile_rules(replace(region(), network_interfaces=[card, invalid])) == compile_rules(region())
    assert compile_rules(replace(region(), network_interfaces=[further])) == compile_rules(region())


def test_the_clouds_own_ports_at_a_gateway_are_for_its_vpc() -> None:
    text = compile_rules(region(), [4000, 25])
    assert [
        "type filter hook input priority filter - 10; policy accept;",
        "ip daddr 10.1.1.1 tcp dport { 25, 4000 } ip saddr != { 10.1.0.0/16 } drop",
    ] == chain(text, "to-gateways")
    assert "to-gateways" not in compile_rules(region())


@pytest.mark.skipif(shutil.which("nft") is None or os.geteuid() != 0, reason="nft needs to be there, and root")
def test_the_kernel_accepts_the_table() -> None:
    table = f"table ip trial {{\n{compile_rules(region(), [4000, 25])}\n}}\n"
    checked = subprocess.run(["nft", "--check", "-f", "-"], input=table, capture_output=True, text=True)
    assert (0, "") == (checked.returncode, checked.stderr)


NAMESPACE = """
import socket, subprocess, sys
for address in ("10.1.1.1", "10.1.2.9", "10.9.9.9"):
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["nft", "-f", "-"], input=sys.stdin.buffer.read(), check=True)
listener = socket.create_server(("10.1.1.1", 4000))
for source in ("10.1.1.1", "10.1.2.9", "10.9.9.9"):
    try:
        socket.create_connection(("10.1.1.1", 4000), timeout=1, source_address=(source, 0)).close()
        print(source, "in")
    except TimeoutError:
        print(source, "out")
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("nft", "ip", "unshare"))),
    reason="nft, ip, unshare and root are needed",
)
def test_an_address_outside_of_the_vpc_gets_no_answer_at_the_gateway() -> None:
    table = f"table ip trial {{\n{compile_rules(region(), [4000])}\n}}\n"
    command = ["unshare", "--net", sys.executable, "-c", NAMESPACE]
    done = subprocess.run(command, input=table, capture_output=True, text=True, timeout=60)
    assert ["10.1.1.1 in", "10.1.2.9 in", "10.9.9.9 out"] == done.stdout.splitlines(), done.stderr
