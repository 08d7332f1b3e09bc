"""Values that services return in another spelling than the template's, although they mean the same.

A value that was read back gets the spelling of the template where both mean the same; so a resource has no drift directly
after its creation. The canonical forms are those that the services document: numbers of protocols (API reference of
AuthorizeSecurityGroupIngress), blocks of addresses (CreateRoute), names in a zone (DomainNameFormat), ids and ARNs of keys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at

Canonical = Callable[[Any], str]
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


def spell_protocol(value: Any) -> str:
    """Return a protocol by its name, as EC2 returns it."""
    text = str(value).lower()
    return _PROTOCOLS.get(text, text)


def spell_block(value: Any) -> str:
    """Return a block of addresses without bits of hosts, and in the short form of IPv6."""
    try:
        return str(ipaddress.ip_network(str(value), strict=False))
    except ValueError:
        return str(value)


def spell_domain(value: Any) -> str:
    """Return a name of a zone in lower case, without the last dot, and with '*' for its escaped form."""
    return str(value).lower().removesuffix(".").replace("\\052", "*")


def spell_key(value: Any) -> str:
    """Return the id of a key in an ARN, or what else names it."""
    return str(value).rpartition(":key/")[2]


def read_spelled(path: str, name: str, canonical: Canonical) -> Callable[[Any, Context], Any]:
    """The value at `path`, in the spelling of the property `name` if both mean the same."""

    def read(part: Any, to: Context) -> Any:
        value, given = find_at(part, path), to.get(name)
        return given if None not in (value, given) and canonical(given) == canonical(value) else value

    return read


RULE: dict[str, Canonical] = {"IpProtocol": spell_protocol, "CidrIp": spell_block, "CidrIpv6": spell_block}


def spell_rule(rule: dict[str, Any]) -> dict[str, str]:
    """Return a rule of a security group with every member in its canonical form, without the description."""
    return {name: RULE.get(name, str)(value) for name, value in rule.items() if name != "Description"}
