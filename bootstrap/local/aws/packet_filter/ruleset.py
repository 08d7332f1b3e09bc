"""What EC2's route tables, network ACLs and security groups mean to nftables: one ruleset, compiled from EC2's own answers.

It shares nothing with the analyser of `bootstrap.network`, so that each can be held against the other. Routes and ACLs are
asked of every packet that leaves or enters a subnet (ACLs know no connections, the first entry that fits decides); security
groups are asked of a connection's first packet only, within a subnet too. What a machine begins towards outside of every VPC
is not judged: packages come through this machine, whatever the route tables say. IPv4 only, as the machines' networks are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from bootstrap.local.aws.packet_filter import safe_values
from bootstrap.local.aws.packet_filter.ec2_state import Described, Told, rules_of

_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp"}


def compile_rules(region: Described, ports: Sequence[int] = ()) -> str:
    """The sets and chains of a region's table, for `nft -f`; '' where there is no interface.

    `ports` are those on which the cloud itself answers at each subnet's gateway.
    """
    return "\n".join(_write_body(_keep_valid(region), ports))


def _keep_valid(region: Described) -> Described:
    """The answers without what EC2 itself would not hold; IPv6 blocks of prefix lists go, too."""
    told = {it.name: safe_values.only_valid(getattr(region, it.name)) for it in fields(region)}
    lists = {
        name: list(filter(safe_values.is_block, blocks))
        for name, blocks in region.prefix_lists.items()
        if safe_values.is_id(name)
    }
    return Described(**{**told, "prefix_lists": lists})


def _write_body(region: Described, ports: Sequence[int]) -> Iterator[str]:
    subnets = {it["SubnetId"]: it["CidrBlock"] for it in region.subnets}
    interfaces = _find_interfaces(region)
    homes = {subnet["VpcId"] for subnet in _find_used_subnets(region)}
    vpcs = [block for it in region.vpcs if it["VpcId"] in homes for block in _list_blocks(it)]
    used = [it["SubnetId"] for it in _find_used_subnets(region)]
    if not used:
        return
    inside = f"{{ {', '.join(vpcs)} }}"
    yield from _write_sets(region, interfaces)
    for subnet in _find_used_subnets(region):
        yield from _write_subnet(region, subnet, inside)
    for address, interface in interfaces.items():
        yield from _write_interface(region, address, interface)
    yield "chain groups {"
    yield "ct state established,related accept"
    yield f"ip saddr vmap {{ {', '.join(f'{address} : jump out-{address}' for address in interfaces)} }}"
    yield f"ip daddr vmap {{ {', '.join(f'{address} : jump in-{address}' for address in interfaces)} }}"
    yield "}"
    yield "chain forward {"
    yield "type filter hook forward priority filter - 10; policy accept;"
    yield f"ip saddr != {inside} ip daddr != {inside} accept"
    yield f"ct direction original ip daddr != {inside} accept"
    yield f"ct direction reply ip saddr != {inside} accept"
    yield from (f"ip saddr {subnets[name]} ip daddr {subnets[name]} goto groups" for name in used)
    yield f"ip saddr vmap {{ {', '.join(f'{subnets[name]} : jump leave-{name}' for name in used)} }}"
    yield f"ip daddr vmap {{ {', '.join(f'{subnets[name]} : jump enter-{name}' for name in used)} }}"
    yield "goto groups"
    yield "}"
    if ports:
        yield from _write_gateways(region, ports)
    yield "chain keep-source {"  # before podman's own masquerading, which would hide who speaks between two subnets
    yield "type nat hook postrouting priority srcnat - 10; policy accept;"
    yield f"ip saddr {inside} ip daddr {inside} snat to ip saddr"
    yield "}"


def _write_gateways(region: Described, ports: Sequence[int]) -> Iterator[str]:
    """The cloud's own ports at a gateway are for its VPC: not for other networks, and not for who routes to them from outside.

    For the whole VPC, since the address of a wait condition's handle is that of one gateway, whichever machine signals. A
    forged source address gets no connection: the answers go to the subnets.
    """
    blocks = {it["VpcId"]: f"{{ {', '.join(_list_blocks(it))} }}" for it in region.vpcs}
    listed = f"{{ {', '.join(map(str, sorted(ports)))} }}"
    yield "chain to-gateways {"
    yield "type filter hook input priority filter - 10; policy accept;"
    for subnet in _find_used_subnets(region):
        gateway = ipaddress.ip_network(subnet["CidrBlock"])[1]
        yield f"ip daddr {gateway} tcp dport {listed} ip saddr != {blocks[subnet['VpcId']]} drop"
    yield "}"


def _find_used_subnets(region: Described) -> list[Told]:
    """The subnets that have an interface; nothing is judged in the others."""
    with_interfaces = {it["SubnetId"] for it in region.network_interfaces}
    return [it for it in region.subnets if it["SubnetId"] in with_interfaces]


def _list_blocks(vpc: Told) -> list[str]:
    """A VPC's first block and those that were associated later."""
    later = [it["CidrBlock"] for it in vpc.get("CidrBlockAssociationSet", ()) if _is_associated(it)]
    return list(dict.fromkeys([vpc["CidrBlock"], *later]))


def _is_associated(block: Told) -> bool:
    return bool(block["CidrBlockState"]["State"] == "associated")


def _find_interfaces(region: Described) -> dict[str, Told]:
    return {
        private["PrivateIpAddress"]: interface
        for interface in region.network_interfaces
        for private in interface.get("PrivateIpAddresses") or [{"PrivateIpAddress": interface["PrivateIpAddress"]}]
    }


def _write_sets(region: Described, interfaces: Mapping[str, Told]) -> Iterator[str]:
    for group in sorted(_find_groups(region)):  # one of a VPC without machines has no members, but rules may name it
        members = [a for a, interface in interfaces.items() if group in {it["GroupId"] for it in interface["Groups"]}]
        yield from _write_set(f"of-{group}", members, "")
    yield from _write_set("public", [a for a, interface in interfaces.items() if _find_public_address(interface)], "")
    for name, blocks in region.prefix_lists.items():
        yield from _write_set(f"of-{name}", blocks, "flags interval; auto-merge;")


def _find_groups(region: Described) -> set[str]:
    peers = {it["GroupId"] for group in region.security_groups for rule in rules_of(group) for it in _list_pairs(rule)}
    return {it["GroupId"] for it in region.security_groups} | peers


def _list_pairs(permission: Told) -> list[Told]:
    return list(permission.get("UserIdGroupPairs", ()))


def _find_public_address(interface: Told) -> str:
    return str((interface.get("Association") or {}).get("PublicIp") or "")


def _write_set(name: str, elements: list[str], flags: str) -> Iterator[str]:
    yield f"set {name} {{ type ipv4_addr; {flags}"
    if elements:
        yield f"elements = {{ {', '.join(elements)} }}"
    yield "}"


# --- subnets: routes and ACLs


def _write_subnet(region: Described, subnet: Told, inside: str) -> Iterator[str]:
    name = subnet["SubnetId"]
    acl = _find_acl(region, subnet)
    yield f"chain acl-out-{name} {{"
    yield from _write_entries(acl, egress=True)
    yield "}"
    yield f"chain acl-in-{name} {{"
    yield from _write_entries(acl, egress=False)
    yield "}"
    yield f"chain leave-{name} {{"
    yield from _write_routes(region, subnet, inside, "saddr", "daddr", f"acl-out-{name}")
    yield "}"
    yield f"chain way-in-{name} {{"  # from outside by the gateway over which replies would leave
    yield from _write_routes(region, subnet, inside, "daddr", "saddr", f"acl-in-{name}")
    yield "}"
    yield f"chain enter-{name} {{"
    yield f"ip saddr != {inside} goto way-in-{name}"
    yield f"goto acl-in-{name}"
    yield "}"


def _find_acl(region: Described, subnet: Told) -> Told:
    for acl in region.network_acls:
        if subnet["SubnetId"] in {it["SubnetId"] for it in acl["Associations"]}:
            return acl
    return next(it for it in region.network_acls if it["IsDefault"] and it["VpcId"] == subnet["VpcId"])


def _write_entries(acl: Told, *, egress: bool) -> Iterator[str]:
    entries = [it for it in acl["Entries"] if it["Egress"] == egress and it.get("CidrBlock")]
    for entry in sorted(entries, key=lambda it: int(it["RuleNumber"])):
        ports, kind = entry.get("PortRange") or {}, entry.get("IcmpTypeCode") or {}
        first, last = ports.get("From", kind.get("Type")), ports.get("To", kind.get("Code"))
        match = _match_protocol(str(entry["Protocol"]), first, last)
        verdict = "return" if entry["RuleAction"] == "allow" else "drop"
        yield f"ip {'daddr' if egress else 'saddr'} {entry['CidrBlock']} {match} {verdict}"
    yield "drop"


def _write_routes(region: Described, subnet: Told, inside: str, own: str, far: str, then: str) -> Iterator[str]:
    """Longest prefix first: on to the chain `then`, or the end; `own` and `far` name the addresses of this and that end."""
    routes = [it for it in _find_table(region, subnet)["Routes"] if it.get("DestinationCidrBlock")]
    peerings = {it["VpcPeeringConnectionId"]: it for it in region.vpc_peering_connections}
    attached = {
        it["InternetGatewayId"]
        for it in region.internet_gateways
        if subnet["VpcId"] in {side["VpcId"] for side in it["Attachments"]}
    }
    for route in sorted(routes, key=lambda it: -ipaddress.ip_network(it["DestinationCidrBlock"]).prefixlen):
        to, target = f"ip {far} {route['DestinationCidrBlock']}", route.get("GatewayId") or ""
        peering = peerings.get(route.get("VpcPeeringConnectionId") or "")
        if route.get("State") == "blackhole":
            yield f"{to} drop"
        elif target == "local":
            yield f"{to} goto {then}"
        elif target in attached:
            yield f"{to} ip {far} != {inside} ip {own} @public goto {then}"
        elif peering and peering["Status"]["Code"] == "active":
            yield from (f"{to} ip {far} {block} goto {then}" for block in _list_far_blocks(peering, subnet["VpcId"]))
        yield f"{to} drop"
    yield "drop"


def _list_far_blocks(peering: Told, vpc_id: str) -> list[str]:
    sides = (peering["RequesterVpcInfo"], peering["AccepterVpcInfo"])
    return [block for it in sides if it["VpcId"] != vpc_id for block in _list_side_blocks(it)]


def _list_side_blocks(side: Told) -> list[str]:
    """The blocks of one side of a peering; EC2 tells the first one twice."""
    told = [side.get("CidrBlock"), *(it["CidrBlock"] for it in side.get("CidrBlockSet", ()))]
    return list(dict.fromkeys(block for block in told if block))


def _find_table(region: Described, subnet: Told) -> Told:
    tables = [it for it in region.route_tables if it["VpcId"] == subnet["VpcId"]]
    for table in tables:
        if subnet["SubnetId"] in {it.get("SubnetId") for it in table["Associations"]}:
            return table
    return next(it for it in tables if any(association.get("Main") for association in it["Associations"]))


# --- interfaces: security groups


def _write_interface(region: Described, address: str, interface: Told) -> Iterator[str]:
    ids = {it["GroupId"] for it in interface["Groups"]}
    groups = [it for it in region.security_groups if it["GroupId"] in ids]
    for way, key, far in (("out", "IpPermissionsEgress", "daddr"), ("in", "IpPermissions", "saddr")):
        yield f"chain {way}-{address} {{"
        for permission in (it for group in groups for it in group[key]):
            match = _match_protocol(str(permission["IpProtocol"]), permission.get("FromPort"), permission.get("ToPort"))
            yield from (f"ip {far} {peer} {match} return" for peer in _list_peers(permission))
        yield "drop" if groups else "return"
        yield "}"


def _list_peers(permission: Told) -> Iterable[str]:
    yield from (it["CidrIp"] for it in permission.get("IpRanges", ()))
    yield from (f"@of-{it['GroupId']}" for it in _list_pairs(permission))
    yield from (f"@of-{it['PrefixListId']}" for it in permission.get("PrefixListIds", ()))


def _match_protocol(protocol: str, first: int | None, last: int | None) -> str:
    """The match of a protocol and its ports (of ICMP: type and code), as EC2's rules and entries write them."""
    name = _NUMBERS.get(protocol, protocol)
    if name == "-1":
        return ""
    if name in {"tcp", "udp"}:
        if first is None or last is None or first < 0:
            return f"meta l4proto {name}"
        return f"{name} dport {first}-{last}"
    if name == "icmp" and first is not None and first >= 0:
        code = f" icmp code {last}" if last is not None and last >= 0 else ""
        return f"icmp type {first}{code}"
    return f"meta l4proto {name}"
