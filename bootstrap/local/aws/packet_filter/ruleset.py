"""Compiles EC2's route tables, network ACLs and security groups into one ruleset of nftables.

It shares no code with the analyser of `bootstrap.network`, so that tests can compare the two. The rules judge packets as EC2
does. Routes and ACLs apply to each packet that leaves or enters a subnet. An ACL has no state: its first entry that matches
decides. Security groups apply to the first packet of a connection only, also within a subnet.

Connections from a machine to an address outside of all VPCs are not judged: machines download packages through this machine,
whatever the route tables say. The rules are for IPv4 only, because the machines' networks are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from bootstrap.local.aws.packet_filter import safe_values
from bootstrap.local.aws.packet_filter.ec2_state import Description, NetworkState, list_rules

_PROTOCOL_NAMES = {"6": "tcp", "17": "udp", "1": "icmp"}


def compile_rules(region: NetworkState, ports: Sequence[int] = ()) -> str:
    """The sets and chains of a region's table, as text for `nft -f`; '' if the region has no network interface.

    `ports` are the TCP ports on which the local cloud itself listens at each subnet's gateway.
    """
    return "\n".join(_write_body(_keep_valid(region), ports))


def _keep_valid(region: NetworkState) -> NetworkState:
    """The state without the values that EC2 itself would refuse, and without the IPv6 blocks of prefix lists."""
    valid = {it.name: safe_values.keep_valid(getattr(region, it.name)) for it in fields(region)}
    lists = {
        name: list(filter(safe_values.is_block, blocks))
        for name, blocks in region.prefix_lists.items()
        if safe_values.is_id(name)
    }
    return NetworkState(**{**valid, "prefix_lists": lists})


def _write_body(region: NetworkState, ports: Sequence[int]) -> Iterator[str]:
    subnets = {it["SubnetId"]: it["CidrBlock"] for it in region.subnets}
    interfaces = _find_interfaces(region)
    used_vpcs = {subnet["VpcId"] for subnet in _find_used_subnets(region)}
    vpcs = [block for it in region.vpcs if it["VpcId"] in used_vpcs for block in _list_blocks(it)]
    used_subnets = [it["SubnetId"] for it in _find_used_subnets(region)]
    if not used_subnets:
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
    yield from (f"ip saddr {subnets[name]} ip daddr {subnets[name]} goto groups" for name in used_subnets)
    yield f"ip saddr vmap {{ {', '.join(f'{subnets[name]} : jump leave-{name}' for name in used_subnets)} }}"
    yield f"ip daddr vmap {{ {', '.join(f'{subnets[name]} : jump enter-{name}' for name in used_subnets)} }}"
    yield "goto groups"
    yield "}"
    if ports:
        yield from _write_gateways(region, ports)
    yield "chain keep-source {"  # runs before podman's masquerading, which would hide the source between two subnets
    yield "type nat hook postrouting priority srcnat - 10; policy accept;"
    yield f"ip saddr {inside} ip daddr {inside} snat to ip saddr"
    yield "}"


def _write_gateways(region: NetworkState, ports: Sequence[int]) -> Iterator[str]:
    """Allow the VPC of a gateway to use the local cloud's ports there; drop packets from all other addresses.

    The whole VPC may use them, because the URL of a wait condition's handle has the address of one gateway, and machines of
    all subnets signal to it. A forged source address cannot open a connection: the answers go to the subnets.
    """
    blocks = {it["VpcId"]: f"{{ {', '.join(_list_blocks(it))} }}" for it in region.vpcs}
    listed = f"{{ {', '.join(map(str, sorted(ports)))} }}"
    yield "chain to-gateways {"
    yield "type filter hook input priority filter - 10; policy accept;"
    for subnet in _find_used_subnets(region):
        gateway = ipaddress.ip_network(subnet["CidrBlock"])[1]
        yield f"ip daddr {gateway} tcp dport {listed} ip saddr != {blocks[subnet['VpcId']]} drop"
    yield "}"


def _find_used_subnets(region: NetworkState) -> list[Description]:
    """The subnets that have a network interface; the others need no rules."""
    with_interfaces = {it["SubnetId"] for it in region.network_interfaces}
    return [it for it in region.subnets if it["SubnetId"] in with_interfaces]


def _list_blocks(vpc: Description) -> list[str]:
    """A VPC's first block, and the blocks that were associated later."""
    later = [it["CidrBlock"] for it in vpc.get("CidrBlockAssociationSet", ()) if _is_associated(it)]
    return list(dict.fromkeys([vpc["CidrBlock"], *later]))


def _is_associated(block: Description) -> bool:
    return bool(block["CidrBlockState"]["State"] == "associated")


def _find_interfaces(region: NetworkState) -> dict[str, Description]:
    return {
        private["PrivateIpAddress"]: interface
        for interface in region.network_interfaces
        for private in interface.get("PrivateIpAddresses") or [{"PrivateIpAddress": interface["PrivateIpAddress"]}]
    }


def _write_sets(region: NetworkState, interfaces: Mapping[str, Description]) -> Iterator[str]:
    for group in sorted(_find_groups(region)):  # rules may name a group that has no members
        members = [a for a, interface in interfaces.items() if group in {it["GroupId"] for it in interface["Groups"]}]
        yield from _write_set(f"of-{group}", members, "")
    yield from _write_set("public", [a for a, interface in interfaces.items() if _find_public_address(interface)], "")
    for name, blocks in region.prefix_lists.items():
        yield from _write_set(f"of-{name}", blocks, "flags interval; auto-merge;")


def _find_groups(region: NetworkState) -> set[str]:
    peers = {
        it["GroupId"]
        for group in region.security_groups
        for rule in list_rules(group)
        for it in _list_group_pairs(rule)
    }
    return {it["GroupId"] for it in region.security_groups} | peers


def _list_group_pairs(permission: Description) -> list[Description]:
    return list(permission.get("UserIdGroupPairs", ()))


def _find_public_address(interface: Description) -> str:
    return str((interface.get("Association") or {}).get("PublicIp") or "")


def _write_set(name: str, elements: list[str], flags: str) -> Iterator[str]:
    yield f"set {name} {{ type ipv4_addr; {flags}"
    if elements:
        yield f"elements = {{ {', '.join(elements)} }}"
    yield "}"


# --- subnets: routes and ACLs


def _write_subnet(region: NetworkState, subnet: Description, inside: str) -> Iterator[str]:
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
    yield f"chain way-in-{name} {{"  # packets from outside come by the gateway through which replies leave
    yield from _write_routes(region, subnet, inside, "daddr", "saddr", f"acl-in-{name}")
    yield "}"
    yield f"chain enter-{name} {{"
    yield f"ip saddr != {inside} goto way-in-{name}"
    yield f"goto acl-in-{name}"
    yield "}"


def _find_acl(region: NetworkState, subnet: Description) -> Description:
    for acl in region.network_acls:
        if subnet["SubnetId"] in {it["SubnetId"] for it in acl["Associations"]}:
            return acl
    return next(it for it in region.network_acls if it["IsDefault"] and it["VpcId"] == subnet["VpcId"])


def _write_entries(acl: Description, *, egress: bool) -> Iterator[str]:
    entries = [it for it in acl["Entries"] if it["Egress"] == egress and it.get("CidrBlock")]
    for entry in sorted(entries, key=lambda it: int(it["RuleNumber"])):
        ports, kind = entry.get("PortRange") or {}, entry.get("IcmpTypeCode") or {}
        first, last = ports.get("From", kind.get("Type")), ports.get("To", kind.get("Code"))
        match = _match_protocol(str(entry["Protocol"]), first, last)
        verdict = "return" if entry["RuleAction"] == "allow" else "drop"
        yield f"ip {'daddr' if egress else 'saddr'} {entry['CidrBlock']} {match} {verdict}"
    yield "drop"


def _write_routes(
    region: NetworkState, subnet: Description, inside: str, own: str, far: str, next_chain: str
) -> Iterator[str]:
    """Write the routes of a subnet, longest prefix first. A packet goes on to the chain `next_chain`, or it is dropped.

    `own` and `far` are the fields of a packet (saddr, daddr) with the subnet's address and the address at the other end.
    """
    routes = [it for it in _find_route_table(region, subnet)["Routes"] if it.get("DestinationCidrBlock")]
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
            yield f"{to} goto {next_chain}"
        elif target in attached:
            yield f"{to} ip {far} != {inside} ip {own} @public goto {next_chain}"
        elif peering and peering["Status"]["Code"] == "active":
            yield from (
                f"{to} ip {far} {block} goto {next_chain}" for block in _list_peer_blocks(peering, subnet["VpcId"])
            )
        yield f"{to} drop"
    yield "drop"


def _list_peer_blocks(peering: Description, vpc_id: str) -> list[str]:
    sides = (peering["RequesterVpcInfo"], peering["AccepterVpcInfo"])
    return [block for it in sides if it["VpcId"] != vpc_id for block in _list_side_blocks(it)]


def _list_side_blocks(side: Description) -> list[str]:
    """The blocks of one side of a peering; EC2 returns the first one twice."""
    blocks = [side.get("CidrBlock"), *(it["CidrBlock"] for it in side.get("CidrBlockSet", ()))]
    return list(dict.fromkeys(block for block in blocks if block))


def _find_route_table(region: NetworkState, subnet: Description) -> Description:
    tables = [it for it in region.route_tables if it["VpcId"] == subnet["VpcId"]]
    for table in tables:
        if subnet["SubnetId"] in {it.get("SubnetId") for it in table["Associations"]}:
            return table
    return next(it for it in tables if any(association.get("Main") for association in it["Associations"]))


# --- network interfaces: security groups


def _write_interface(region: NetworkState, address: str, interface: Description) -> Iterator[str]:
    ids = {it["GroupId"] for it in interface["Groups"]}
    groups = [it for it in region.security_groups if it["GroupId"] in ids]
    for direction, key, far in (("out", "IpPermissionsEgress", "daddr"), ("in", "IpPermissions", "saddr")):
        yield f"chain {direction}-{address} {{"
        for permission in (it for group in groups for it in group[key]):
            match = _match_protocol(str(permission["IpProtocol"]), permission.get("FromPort"), permission.get("ToPort"))
            yield from (f"ip {far} {peer} {match} return" for peer in _list_peers(permission))
        yield "drop" if groups else "return"
        yield "}"


def _list_peers(permission: Description) -> Iterable[str]:
    yield from (it["CidrIp"] for it in permission.get("IpRanges", ()))
    yield from (f"@of-{it['GroupId']}" for it in _list_group_pairs(permission))
    yield from (f"@of-{it['PrefixListId']}" for it in permission.get("PrefixListIds", ()))


def _match_protocol(protocol: str, first: int | None, last: int | None) -> str:
    """The nftables expression for a protocol and its ports, as EC2's rules and ACL entries have them; '' for all protocols.

    For ICMP, `first` is the type and `last` is the code.
    """
    name = _PROTOCOL_NAMES.get(protocol, protocol)
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
