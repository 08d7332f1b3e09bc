"""An address rests until its machine has ended, and then until no new one is left."""

from __future__ import annotations

import ipaddress
from types import SimpleNamespace
from typing import Any

import pytest
from moto.ec2.exceptions import EC2ClientError

from bootstrap.local.aws.compute import addresses


class Subnet:
    """The parts of moto's subnet that addresses are drawn from: 10.0.0.4 to 10.0.0.6 are free at first."""

    id = "subnet-1"

    def __init__(self) -> None:
        self.cidr = ipaddress.ip_network("10.0.0.0/29")
        self._subnet_ip_generator = iter([ipaddress.ip_address(f"10.0.0.{last}") for last in (4, 5, 6, 7)])
        self._subnet_ips: dict[str, Any] = {}
        self._unused_ips: set[str] = set()

    def del_subnet_ip(self, address: str) -> None:
        del self._subnet_ips[address]
        self._unused_ips.add(address)


def launch(subnet: Subnet) -> Any:
    """An instance with an address, as moto has it."""
    instance: Any = SimpleNamespace()
    address = addresses.take_next(subnet, instance)

    def delete() -> None:  # as moto does, which frees the address at once
        subnet.del_subnet_ip(address)

    one = {"PrivateIpAddress": address}
    interface = SimpleNamespace(
        subnet=subnet, delete_on_termination=True, private_ip_addresses=[one], delete=delete, stop=lambda: None
    )
    instance.nics = {0: interface}
    instance.address = address
    return instance


def test_an_address_is_given_again_when_its_machine_has_ended_and_the_longest_free_one_first() -> None:
    subnet = Subnet()
    first, second, third = (launch(subnet) for _ in range(3))
    assert ["10.0.0.4", "10.0.0.5", "10.0.0.6"] == [one.address for one in (first, second, third)]
    with pytest.raises(EC2ClientError, match="There are not enough free addresses in subnet 'subnet-1'"):
        launch(subnet)
    addresses.delete_interfaces(third)
    addresses.delete_interfaces(first)
    with pytest.raises(EC2ClientError, match="not enough free addresses"):
        launch(subnet)
    addresses.release(third)
    addresses.release(first)
    again = launch(subnet)
    assert ["10.0.0.6", "10.0.0.4"] == [again.address, launch(subnet).address]
    addresses.delete_interfaces(again)
    addresses.release(again)
    addresses.release(again)  # a second end frees nothing that has been given again
    assert "10.0.0.6" == launch(subnet).address


def test_a_wanted_address_is_refused_while_it_is_in_use_or_outside() -> None:
    subnet = Subnet()
    held = launch(subnet)
    with pytest.raises(EC2ClientError, match="Address 10\\.0\\.0\\.4 is in use"):
        addresses.assign_address(subnet, "10.0.0.4", SimpleNamespace())
    with pytest.raises(EC2ClientError, match="does not fall within"):
        addresses.assign_address(subnet, "10.0.1.4", SimpleNamespace())
    addresses.delete_interfaces(held)
    addresses.release(held)
    addresses.assign_address(subnet, "10.0.0.4", SimpleNamespace())
    assert "10.0.0.5" == launch(subnet).address
