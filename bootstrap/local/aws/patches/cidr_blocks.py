"""What is no block of addresses is refused, as EC2 refuses it: moto keeps any text in a prefix list and in an ACL's entry."""

from __future__ import annotations

import functools
import inspect
import ipaddress
from collections.abc import Iterable
from typing import Any

_PREFIX_LIST = ("create_managed_prefix_list", "modify_managed_prefix_list")
_ENTRY = ("create_network_acl_entry", "replace_network_acl_entry")
BLOCK_NAMES: dict[str, tuple[str, ...]] = {
    "moto.ec2.models.managed_prefixes": tuple(f"ManagedPrefixListBackend.{name}" for name in _PREFIX_LIST),
    "moto.ec2.models.network_acls": tuple(f"NetworkAclBackend.{name}" for name in _ENTRY),
}
"""The names of moto that are replaced here."""
_VERSIONS = {"IPv4": 4, "IPv6": 6}


def refuse(block: str, version: int) -> None:
    """Raise EC2's refusal unless a text is a block of that IP version, with its prefix length."""
    from moto.ec2.exceptions import InvalidCIDRBlockParameterError

    address, slash, length = block.partition("/")
    try:
        is_block = bool(slash) and length.isascii() and length.isdigit() and "%" not in address
        network = ipaddress.ip_network(block, strict=False) if is_block else None
    except ValueError:
        network = None
    if network is None or network.version != version:
        raise InvalidCIDRBlockParameterError(block)


class BlockPatches:
    """One method for each module that is changed."""

    def _ec2_models_managed_prefixes(self, module: Any) -> None:
        backend = module.ManagedPrefixListBackend
        create, modify = backend.create_managed_prefix_list, backend.modify_managed_prefix_list

        @functools.wraps(create)
        def create_managed_prefix_list(self: Any, *given: Any, **named: Any) -> Any:
            asked = _bound(create, self, given, named)
            _refuse_entries(asked.get("entry"), asked.get("address_family"))
            return create(self, *given, **named)

        @functools.wraps(modify)
        def modify_managed_prefix_list(self: Any, *given: Any, **named: Any) -> Any:
            asked = _bound(modify, self, given, named)
            found = self.managed_prefix_lists.get(asked.get("prefix_list_id"))
            _refuse_entries(asked.get("add_entry"), found.address_family if found else None)
            return modify(self, *given, **named)

        backend.create_managed_prefix_list = create_managed_prefix_list
        backend.modify_managed_prefix_list = modify_managed_prefix_list

    def _ec2_models_network_acls(self, module: Any) -> None:
        for name in _ENTRY:
            setattr(module.NetworkAclBackend, name, _checked(getattr(module.NetworkAclBackend, name)))


def _checked(change: Any) -> Any:
    @functools.wraps(change)
    def changed(self: Any, *given: Any, **named: Any) -> Any:
        asked = _bound(change, self, given, named)
        for key, version in (("cidr_block", 4), ("ipv6_cidr_block", 6)):
            if asked.get(key):
                refuse(str(asked[key]), version)
        return change(self, *given, **named)

    return changed


def _bound(change: Any, self: Any, given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    return inspect.signature(change).bind(self, *given, **named).arguments


def _refuse_entries(entries: Iterable[dict[str, str]] | None, family: str | None) -> None:
    for entry in entries or ():
        refuse(str(entry.get("Cidr", "")), _VERSIONS.get(str(family), 4))
