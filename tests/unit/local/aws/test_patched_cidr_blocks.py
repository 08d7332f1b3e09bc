"""What is no block of addresses is refused where EC2 refuses it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.ec2.exceptions import InvalidCIDRBlockParameterError

from bootstrap.local.aws.patches.cidr_blocks import CidrBlockPatches, check_block

EVIL = "10.0.0.0/8 }; flush ruleset"


@pytest.mark.parametrize(
    ("block", "version"), [("10.0.0.0/8", 4), ("10.1.2.3/8", 4), ("0.0.0.0/0", 4), ("2001:db8::/32", 6)]
)
def test_a_block_is_taken(block: str, version: int) -> None:
    check_block(block, version)


@pytest.mark.parametrize(
    "block", [EVIL, "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "2001:db8::/32", "10.0.0.0/8\n", "10.0.0.0/٨"]
)
def test_what_is_no_ipv4_block_is_refused_by_its_name(block: str) -> None:
    with pytest.raises(InvalidCIDRBlockParameterError) as caught:
        check_block(block, 4)
    assert caught.value.message.startswith(f"Value ({block}) for parameter cidrBlock is invalid")


@pytest.mark.parametrize("block", ["10.0.0.0/8", "2001:db8::%eth0/32", "2001:db8::/129"])
def test_what_is_no_ipv6_block_is_refused(block: str) -> None:
    with pytest.raises(InvalidCIDRBlockParameterError):
        check_block(block, 6)


class PrefixLists:
    """As much of moto's backend as is changed."""

    def __init__(self) -> None:
        self.managed_prefix_lists = {"pl-6": SimpleNamespace(address_family="IPv6")}
        self.kept: list[Any] = []

    def create_managed_prefix_list(
        self, address_family: Any = None, entry: Any = None, max_entries: Any = None
    ) -> None:
        self.kept += entry or []

    def modify_managed_prefix_list(self, add_entry: Any, remove_entry: Any, prefix_list_id: Any = None) -> None:
        self.kept += add_entry


class Acls:
    """As much of moto's backend as is changed."""

    def create_network_acl_entry(self, network_acl_id: str, cidr_block: str, ipv6_cidr_block: str | None) -> str:
        return cidr_block or str(ipv6_cidr_block)

    def replace_network_acl_entry(self, network_acl_id: str, cidr_block: str, ipv6_cidr_block: str | None) -> str:
        return cidr_block or str(ipv6_cidr_block)


def test_a_prefix_list_keeps_blocks_of_its_family_alone() -> None:
    CidrBlockPatches()._ec2_models_managed_prefixes(SimpleNamespace(ManagedPrefixListBackend=PrefixLists))
    lists: Any = PrefixLists()
    lists.create_managed_prefix_list("IPv4", [{"Cidr": "10.0.0.0/8"}])
    lists.modify_managed_prefix_list(add_entry=[{"Cidr": "2001:db8::/32"}], remove_entry=[], prefix_list_id="pl-6")
    for refused in (
        lambda: lists.create_managed_prefix_list("IPv4", entry=[{"Cidr": "10.0.0.0/8"}, {"Cidr": EVIL}]),
        lambda: lists.create_managed_prefix_list("IPv6", [{"Cidr": "10.0.0.0/8"}]),
        lambda: lists.modify_managed_prefix_list([{"Cidr": EVIL}], [], "pl-6"),
    ):
        with pytest.raises(InvalidCIDRBlockParameterError):
            refused()
    assert [each["Cidr"] for each in lists.kept] == ["10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize("name", ["create_network_acl_entry", "replace_network_acl_entry"])
def test_an_entry_of_an_acl_keeps_blocks_alone(name: str) -> None:
    fresh = type(
        "Fresh",
        (Acls,),
        {name: getattr(Acls, name) for name in ("create_network_acl_entry", "replace_network_acl_entry")},
    )
    CidrBlockPatches()._ec2_models_network_acls(SimpleNamespace(NetworkAclBackend=fresh))
    change = getattr(fresh(), name)
    assert [change("acl", "10.0.0.0/8", None), change("acl", "", "::/0")] == ["10.0.0.0/8", "::/0"]
    for given in (("acl", EVIL, None), ("acl", "", EVIL), ("acl", "::/0", None)):
        with pytest.raises(InvalidCIDRBlockParameterError):
            change(*given)
