"""Roles that nobody has yet are judged where they will stand; who is there already stays as it is."""

import ipaddress
from dataclasses import replace

from bootstrap.network.model import Interface, Network, SecurityGroup, Subnet
from bootstrap.network.planned_interfaces import add_planned_interfaces

BLOCKS = {"public": "10.0.0.0/28", "private": "10.0.0.16/28", "data": "10.0.0.32/28"}
OUTPUTS = {
    "PublicSubnetIds": "public,other",
    "PrivateSubnetIds": "private",
    "DataSubnetIds": "data",
    **{f"{role}SecurityGroupId": f"sg-{role.lower()}" for role in ("Edge", "Controller", "Agents", "Bastion", "Data")},
}


def network(*interfaces: Interface) -> Network:
    """Three tiers, a group for each role, and who is there."""
    subnets = {
        name: Subnet(
            name, "vpc", (ipaddress.ip_network(block), ipaddress.ip_network("2001:db8::/64")), "a", "rt", "acl"
        )
        for name, block in BLOCKS.items()
    }
    groups = {name: SecurityGroup(name, "vpc") for name in OUTPUTS.values() if name.startswith("sg-")}
    return Network(vpc_id="vpc", subnets=subnets, groups=groups, interfaces={it.id: it for it in interfaces})


def test_every_role_that_has_a_group_stands_in_its_tier() -> None:
    found = add_planned_interfaces(network(), OUTPUTS).interfaces

    assert {
        "edge (planned)": "public",
        "controller (planned)": "private",
        "agents (planned)": "private",
        "bastion (planned)": "private",
        "data (planned)": "data",
    } == {name: it.subnet_id for name, it in found.items()}
    assert ("sg-edge",) == found["edge (planned)"].groups


def test_what_stands_in_the_public_tier_has_a_public_address() -> None:
    by_default, moved = (add_planned_interfaces(network(), OUTPUTS, it).interfaces for it in ((), ("bastion",)))

    assert ["edge (planned)"] == [name for name, it in by_default.items() if it.public]
    assert ("public", True) == (moved["bastion (planned)"].subnet_id, bool(moved["bastion (planned)"].public))


def test_a_role_of_a_peer_is_not_ours() -> None:
    peer = Subnet("there", "peer", (ipaddress.ip_network("10.1.0.0/28"),), "a", "rt", "acl")
    known = Interface("eni-1", "there", (ipaddress.ip_address("10.1.0.5"),), roles=("controller",))
    before = network(known)

    found = add_planned_interfaces(replace(before, subnets={**before.subnets, "there": peer}), OUTPUTS).interfaces

    assert "controller (planned)" in found


def test_addresses_are_free_and_of_both_families() -> None:
    known = Interface("eni-1", "private", (ipaddress.ip_address("10.0.0.20"),), roles=("endpoints",))

    found = add_planned_interfaces(network(known), OUTPUTS).interfaces
    addresses = [address for it in found.values() for address in it.addresses]

    assert len(addresses) == len(set(addresses)) == 11
    assert all(it.find_address(4) in ipaddress.ip_network(BLOCKS[it.subnet_id]) for it in found.values())
    assert "10.0.0.21" == str(found["controller (planned)"].find_address(4))


def test_who_is_there_is_not_imagined() -> None:
    known = Interface("eni-1", "private", (ipaddress.ip_address("10.0.0.20"),), roles=("controller",))

    found = add_planned_interfaces(network(known), OUTPUTS).interfaces

    assert known == found["eni-1"]
    assert "controller (planned)" not in found
