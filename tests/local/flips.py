"""Random changes of what EC2 says of the tests' VPC: each is made at once, says what it did, and can be undone.

IPv6 rules are changed, too, and must open and close nothing: the containers' networks carry IPv4 alone, and no container has an
IPv6 address (a test of its own), so how IPv6 rules decide is held to a reference (tests/unit/network) and not to packets.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from filtered import EVERYBODY, OUTSIDE, PORTS, PRIVATE, PUBLIC, Site, permission

Flip = tuple[str, Callable[[], Any]]
BLOCKS = (EVERYBODY, OUTSIDE, PUBLIC, PRIVATE)
SIX = "::/0"
# Every port that a client may have, or none: a part of them the analyser takes for no promise, and a packet may be lucky.
CLIENTS = (1024, 65535)


def group_in(site: Site, chance: random.Random) -> Flip:
    """A group opens or closes a port, to a block or a group."""
    ec2, (name, to), port = site.ec2, chance.choice(sorted(site.groups.items())), chance.choice(PORTS)
    held = ec2.describe_security_groups(GroupIds=[to])["SecurityGroups"][0]["IpPermissions"]
    if held and chance.random() < 0.5:
        rule = [chance.choice(held)]
        ec2.revoke_security_group_ingress(GroupId=to, IpPermissions=rule)
        return f"{name} loses {rule}", lambda: ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=rule)
    wanted = _permission(site, chance, port)
    if _peers(wanted) & {peer for it in held for peer in _peers([it])}:
        return f"{name} keeps {wanted}", lambda: None
    ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=wanted)
    return f"{name} takes {wanted}", lambda: ec2.revoke_security_group_ingress(GroupId=to, IpPermissions=wanted)


def group_out(site: Site, chance: random.Random) -> Flip:
    """A group may begin connections to one port of a block or a group alone, or none at all."""
    ec2, (name, to) = site.ec2, chance.choice(sorted(site.groups.items()))
    held = ec2.describe_security_groups(GroupIds=[to])["SecurityGroups"][0]["IpPermissionsEgress"]
    wanted = _permission(site, chance, chance.choice(PORTS)) if chance.random() < 0.8 else []

    def put(rules: list[Any], instead: list[Any]) -> None:
        if instead:
            ec2.revoke_security_group_egress(GroupId=to, IpPermissions=instead)
        if rules:
            ec2.authorize_security_group_egress(GroupId=to, IpPermissions=rules)

    put(wanted, held)
    return f"{name} sends nothing but {wanted}", lambda: put(held, wanted)


def nacl_deny(site: Site, chance: random.Random) -> Flip:
    """An entry before the others denies a port, the clients' ports, or everything, of some block."""
    return _entry(site, chance, "deny", chance.choice(BLOCKS), chance.randrange(50, 99))


def nacl_allow(site: Site, chance: random.Random) -> Flip:
    """In the place of the entry that allows everything one way there is one that allows less, or an exception to a deny."""
    tier, egress = chance.choice(("public", "private")), chance.random() < 0.5
    everything = {"NetworkAclId": site.nacls[tier], "RuleNumber": 100, "Egress": egress}
    rest = {"Protocol": "-1", "CidrBlock": EVERYBODY}
    acl = site.ec2.describe_network_acls(NetworkAclIds=[site.nacls[tier]])["NetworkAcls"][0]
    held = next(it["RuleAction"] for it in acl["Entries"] if (it["RuleNumber"], it["Egress"]) == (100, egress))
    site.ec2.replace_network_acl_entry(**everything, **rest, RuleAction="deny")
    what, undo = _entry(site, chance, "allow", chance.choice(BLOCKS), chance.randrange(1, 50), (tier, egress))

    def put_back() -> None:
        undo()
        site.ec2.replace_network_acl_entry(**everything, **rest, RuleAction=held)

    return f"{what}, and nothing else", put_back


def route(site: Site, chance: random.Random) -> Flip:
    """A tier's way to the Internet is taken away, or given."""
    tier = chance.choice(("public", "private"))
    key = {"RouteTableId": site.tables[tier], "DestinationCidrBlock": EVERYBODY}
    routes = site.ec2.describe_route_tables(RouteTableIds=[site.tables[tier]])["RouteTables"][0]["Routes"]
    if any(it.get("DestinationCidrBlock") == EVERYBODY for it in routes):
        site.ec2.delete_route(**key)
        return f"{tier} has no way out", lambda: site.ec2.create_route(**key, GatewayId=site.gateway)
    site.ec2.create_route(**key, GatewayId=site.gateway)
    return f"{tier} has a way out", lambda: site.ec2.delete_route(**key)


def six(site: Site, chance: random.Random) -> Flip:
    """A group takes everything by IPv6, or an ACL denies it: IPv4 is another matter."""
    if chance.random() < 0.5:
        return _entry(site, chance, "deny", SIX, chance.randrange(1, 99))
    name, to = chance.choice(sorted(site.groups.items()))
    rules = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "Ipv6Ranges": [{"CidrIpv6": SIX}]}]
    site.ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=rules)
    return f"{name} takes all of IPv6", lambda: site.ec2.revoke_security_group_ingress(GroupId=to, IpPermissions=rules)


KINDS = (group_in, group_in, group_out, group_out, nacl_deny, nacl_deny, nacl_allow, nacl_allow, route, six)


def _permission(site: Site, chance: random.Random, port: int) -> list[dict[str, Any]]:
    peers = (*BLOCKS, f"{site.ends['agent']}/32", *sorted(site.groups))
    peer = chance.choice(peers)
    return permission(port, group=site.groups[peer]) if peer in site.groups else permission(port, peer)


def _peers(rules: list[dict[str, Any]]) -> set[tuple[int, str]]:
    """The port and the block or group of each rule."""
    return {
        (it["FromPort"], peer.get("CidrIp") or peer["GroupId"])
        for it in rules
        for peer in (*it.get("IpRanges", ()), *it.get("UserIdGroupPairs", ()))
    }


def _entry(
    site: Site, chance: random.Random, action: str, block: str, number: int, where: tuple[str, bool] | None = None
) -> Flip:
    tier, egress = where or (chance.choice(("public", "private")), chance.random() < 0.5)
    ports = chance.choice((None, CLIENTS, *((port, port) for port in PORTS)))
    which = {"Protocol": "6", "PortRange": {"From": ports[0], "To": ports[1]}} if ports else {"Protocol": "-1"}
    key = {"NetworkAclId": site.nacls[tier], "RuleNumber": number, "Egress": egress}
    acl = site.ec2.describe_network_acls(NetworkAclIds=[site.nacls[tier]])["NetworkAcls"][0]
    if (number, egress) in {(it["RuleNumber"], it["Egress"]) for it in acl["Entries"]}:
        return f"{tier} keeps entry {number}", lambda: None
    family = {"Ipv6CidrBlock" if block == SIX else "CidrBlock": block}
    site.ec2.create_network_acl_entry(**key, **which, **family, RuleAction=action)
    way = "to" if egress else "from"
    what = "everything" if ports is None else f"{ports[0]}-{ports[1]}"
    return f"{tier}'s entry {number}: {action} {what} {way} {block}", lambda: site.ec2.delete_network_acl_entry(**key)
