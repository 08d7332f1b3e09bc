"""Checks the values from EC2 that become text of a ruleset: blocks, addresses, ids and protocols.

EC2 itself refuses other values, but moto accepts some of them. Such a value in a ruleset could end a rule and begin another
one. Or nftables would refuse the whole ruleset, and the old rules would stay. A resource or rule with such a value is left out:
no packet could match it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_BLOCK = re.compile(r"[0-9.]{7,15}/[0-9]{1,2}")
_PROTOCOL_NAMES = frozenset({"tcp", "udp", "icmp", "icmpv6"})


def is_block(text: str) -> bool:
    """Whether a text is an IPv4 block."""
    return bool(_BLOCK.fullmatch(text)) and _can_parse(lambda: ipaddress.IPv4Network(text, strict=False))


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 address."""
    return _can_parse(lambda: ipaddress.IPv4Address(text))


def is_id(text: str) -> bool:
    """Whether a text has the form of an EC2 id: at most 64 letters, digits and hyphens."""
    return bool(_ID.fullmatch(text))


def is_protocol(text: str) -> bool:
    """Whether a text is the number of a protocol, -1 for all protocols, or a protocol name that EC2 accepts."""
    return text == "-1" or text in _PROTOCOL_NAMES or (text.isascii() and text.isdigit() and int(text) <= 255)


def _can_parse(parse: Callable[[], object]) -> bool:
    try:
        parse()
    except ValueError:
        return False
    return True


CHECKS: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(("CidrBlock", "DestinationCidrBlock", "CidrIp", "Cidr"), is_block),
    "PrivateIpAddress": is_address,
    **dict.fromkeys(("Protocol", "IpProtocol"), is_protocol),
    **dict.fromkeys(
        ("SubnetId", "VpcId", "GroupId", "PrefixListId", "GatewayId", "InternetGatewayId", "VpcPeeringConnectionId"),
        is_id,
    ),
}


def is_valid(element: Any) -> bool:
    """Whether each value that becomes text of a ruleset has the form that its key requires.

    Nested mappings are checked, lists are not: `keep_valid` checks their elements one by one.
    """
    if not isinstance(element, Mapping):
        return True
    return all(
        CHECKS[key](str(value)) if key in CHECKS and value else not isinstance(value, Mapping) or is_valid(value)
        for key, value in element.items()
    )


def keep_valid(answer: Any) -> Any:
    """A copy of what EC2 returned, without the list elements, at any depth, that are not valid."""
    if isinstance(answer, list):
        return [keep_valid(element) for element in answer if is_valid(element)]
    if isinstance(answer, Mapping):
        return {key: keep_valid(value) for key, value in answer.items()}
    return answer
