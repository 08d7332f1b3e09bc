"""Refuses invalid CIDR blocks, as EC2 does; moto accepts any text in a prefix list and in an entry of a network ACL.

The destination of a route becomes canonical; moto fails on one with bits of hosts.
"""

from __future__ import annotations

import functools
import inspect
import ipaddress
from collections.abc import Iterable
from typing import Any

_PREFIX_LIST = ("create_managed_prefix_list", "modify_managed_prefix_list")
_ENTRY = ("create_network_acl_entry", "replace_network_acl_entry")
ROUTE_CHANGES = ("create_route", "replace_route", "delete_route")
BLOCK_NAMES: dict[str, tuple[str, ...]] = {
    "moto.ec2.models.managed_prefixes": tuple(f"ManagedPrefixListBackend.{name}" for name in _PREFIX_LIST),
    "moto.ec2.models.network_acls": tuple(f"NetworkAclBackend.{name}" for name in _ENTRY),
}
"""The names of moto that are replaced here."""
_VERSIONS = {"IPv4": 4, "IPv6": 6}


def check_block(block: str, version: int) -> None:
    """Raise EC2's error if the text is not a block of this IP version with a prefix length."""
    from moto.ec2.exceptions import InvalidCIDRBlockParameterError

    address, slash, length = block.partition("/")
    try:
        is_block = bool(slash) and length.isascii() and length.isdigit() and "%" not in address
        network = ipaddress.ip_network(block, strict=False) if is_block else None
    except ValueError:
        network = None
    if network is None or network.version != version:
        raise InvalidCIDRBlockParameterError(block)


def make_canonical(route_tables: Any) -> None:
    """Change moto's module of route tables: blocks become canonical (API reference of CreateRoute), and lists must exist."""
    backend = route_tables.RouteBackend
    for name in ROUTE_CHANGES:
        setattr(backend, name, _make_canonical_before(getattr(backend, name)))


def _make_canonical_before(change: Any) -> Any:
    @functools.wraps(change)
    def make_canonical_and_change(self: Any, *args: Any, **kwargs: Any) -> Any:
        from moto.ec2.exceptions import EC2ClientError

        arguments = dict(_bind_arguments(change, self, args, kwargs))
        for key, version in (("destination_cidr_block", 4), ("destination_ipv6_cidr_block", 6)):
            written = str(arguments.get(key) or "")
            if written and not written.startswith("pl-"):  # moto itself names the list of a gateway endpoint as a block
                check_block(written, version)
                arguments[key] = str(ipaddress.ip_network(written, strict=False))
        listed = arguments.get("destination_prefix_list_id")
        if listed and listed not in self.managed_prefix_lists:
            raise EC2ClientError("InvalidPrefixListID.NotFound", f"The prefix list ID '{listed}' does not exist")
        return change(**arguments)

    return make_canonical_and_change


class CidrBlockPatches:
    """One method for each module that is changed."""

    def _ec2_models_managed_prefixes(self, module: Any) -> None:
        backend = module.ManagedPrefixListBackend
        create, modify = backend.create_managed_prefix_list, backend.modify_managed_prefix_list

        @functools.wraps(create)
        def create_managed_prefix_list(self: Any, *args: Any, **kwargs: Any) -> Any:
            arguments = _bind_arguments(create, self, args, kwargs)
            _check_entries(arguments.get("entry"), arguments.get("address_family"))
            return create(self, *args, **kwargs)

        @functools.wraps(modify)
        def modify_managed_prefix_list(self: Any, *args: Any, **kwargs: Any) -> Any:
            arguments = _bind_arguments(modify, self, args, kwargs)
            prefix_list = self.managed_prefix_lists.get(arguments.get("prefix_list_id"))
            _check_entries(arguments.get("add_entry"), prefix_list.address_family if prefix_list else None)
            return modify(self, *args, **kwargs)

        backend.create_managed_prefix_list = create_managed_prefix_list
        backend.modify_managed_prefix_list = modify_managed_prefix_list

    def _ec2_models_network_acls(self, module: Any) -> None:
        for name in _ENTRY:
            setattr(module.NetworkAclBackend, name, _check_blocks_before(getattr(module.NetworkAclBackend, name)))


def _check_blocks_before(change: Any) -> Any:
    @functools.wraps(change)
    def check_and_change(self: Any, *args: Any, **kwargs: Any) -> Any:
        arguments = _bind_arguments(change, self, args, kwargs)
        for key, version in (("cidr_block", 4), ("ipv6_cidr_block", 6)):
            if arguments.get(key):
                check_block(str(arguments[key]), version)
        return change(self, *args, **kwargs)

    return check_and_change


def _bind_arguments(change: Any, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return inspect.signature(change).bind(self, *args, **kwargs).arguments


def _check_entries(entries: Iterable[dict[str, str]] | None, family: str | None) -> None:
    for entry in entries or ():
        check_block(str(entry.get("Cidr", "")), _VERSIONS.get(str(family), 4))
