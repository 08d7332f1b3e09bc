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
from bootstrap.local.aws.cloudformation.adapters.conversions import at

Canonical = Callable[[Any], str]
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


def protocol(value: Any) -> str:
    """Return a protocol by its name, as EC2 returns it."""
    text = str(value).lower()
    return _PROTOCOLS.get(text, text)


def block(value: Any) -> str:
    """Return a block of addresses without bits of hosts, and in the short form of IPv6."""
    try:
        return str(ipaddress.ip_network(str(value), strict=False))
    except ValueError:
        return str(value)


def domain(value: Any) -> str:
    """Return a name of a zone in lower case, without the last dot, and with '*' for its escaped form."""
    return str(value).lower().removesuffix(".").replace("\\052", "*")


def key(value: Any) -> str:
    """Return the id of a key in an ARN, or what else names it."""
    return str(value).rpartition(":key/")[2]


def spelled(path: str, name: str, canonical: Canonical) -> Callable[[Any, Context], Any]:
    """The value at `path`, in the spelling of the property `name` if both mean the same."""

    def read(part: Any, to: Context) -> Any:
        value, given = at(part, path), to.get(name)
        return given if None not in (value, given) and canonical(given) == canonical(value) else value

    return read


RULE: dict[str, Canonical] = {"IpProtocol": protocol, "CidrIp": block, "CidrIpv6": block}


def canonical_rule(rule: dict[str, Any]) -> dict[str, str]:
    """Return a rule of a security group with every member in its canonical form, without the description."""
    return {name: RULE.get(name, str)(value) for name, value in rule.items() if name != "Description"}
