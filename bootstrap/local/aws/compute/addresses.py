"""Private addresses of instances: an address is given again only when the machine that had it has ended.

EC2 frees an address with the network interface, which goes when the instance is terminated, not when TerminateInstances
answers. moto frees it at once; then the next machine would get the address of a container that still stops.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def hold(instance: Any) -> Iterator[None]:
    """Keep the addresses of the interfaces that the body deletes with the instance, until `release`."""
    held = [
        (interface.subnet, address["PrivateIpAddress"])
        for interface in instance.nics.values()
        if interface.delete_on_termination
        for address in interface.private_ip_addresses
    ]
    yield
    for subnet, address in held:
        subnet._subnet_ips[address] = instance
        subnet._unused_ips.discard(address)
    instance.held_addresses = [*getattr(instance, "held_addresses", ()), *held]


def delete_interfaces(instance: Any) -> None:
    """Delete the interfaces of an instance that was never up, as its termination does."""
    with hold(instance):
        for interface in list(instance.nics.values()):
            interface.stop()
            if interface.delete_on_termination:
                interface.delete()


def release(instance: Any) -> None:
    """Give back the addresses of an instance whose machine has ended."""
    for subnet, address in getattr(instance, "held_addresses", ()):
        subnet.del_subnet_ip(address)
        freed = [other for other in getattr(subnet, "freed_addresses", ()) if other != address]
        subnet.freed_addresses = [*freed, address]
    instance.held_addresses = []


def take_next(subnet: Any, instance: Any) -> str:
    """Give an instance an address of its subnet: a new one, or else that which was given back first.

    So an address rests for as long as possible, as neighbours may remember who had it. moto takes any of those that were given
    back, and a replay would take another one. Raises EC2's error if none is left.
    """
    from moto.ec2.exceptions import EC2ClientError

    address = _find_new(subnet) or next(iter(_list_unused(subnet)), "")
    if not address:
        text = (
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of instances."
        )
        raise EC2ClientError("InsufficientFreeAddressesInSubnet", text)
    subnet._unused_ips.discard(address)
    subnet._subnet_ips[address] = instance
    return address


def _list_unused(subnet: Any) -> list[str]:
    """The addresses that were given back, in the order in which they were; moto has no order of them."""
    known = [address for address in getattr(subnet, "freed_addresses", ()) if address in subnet._unused_ips]
    rest = sorted(subnet._unused_ips - set(known), key=ipaddress.ip_address)
    return known + rest


def _find_new(subnet: Any) -> str:
    """The next address that was never given; '' at the end of the subnet."""
    for address in subnet._subnet_ip_generator:
        if str(address) not in subnet._subnet_ips and address != subnet.cidr.broadcast_address:
            return str(address)
    return ""


def assign_address(subnet: Any, address: str, instance: Any) -> None:
    """Give an instance the address that its launch names. Raises EC2's errors for one outside of the subnet, or in use."""
    from moto.ec2.exceptions import EC2ClientError

    if ipaddress.ip_address(address) not in subnet.cidr:
        raise EC2ClientError(
            "InvalidParameterValue", f"Address {address} does not fall within the subnet's address range"
        )
    if address in subnet._subnet_ips:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {address} is in use.")
    subnet._unused_ips.discard(address)
    subnet._subnet_ips[address] = instance
