"""What of EC2's answers may become text of a ruleset: blocks, addresses, ids and protocols that are nothing else.

EC2 itself refuses other values, moto keeps some of them. One in a ruleset would end a rule and begin another, or make nftables
refuse the whole ruleset, so that the rules before it stayed. What has such a value is left out: it could fit no packet.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_BLOCK = re.compile(r"[0-9.]{7,15}/[0-9]{1,2}")
_NAMED = frozenset({"tcp", "udp", "icmp", "icmpv6"})


def is_block(text: str) -> bool:
    """Whether a text is an IPv4 block."""
    return bool(_BLOCK.fullmatch(text)) and _is_read_by(lambda: ipaddress.IPv4Network(text, strict=False))


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 address."""
    return _is_read_by(lambda: ipaddress.IPv4Address(text))


def is_id(text: str) -> bool:
    """Whether a text is built as EC2's ids are."""
    return bool(_ID.fullmatch(text))


def is_protocol(text: str) -> bool:
    """Whether a text is the number of a protocol, -1 for all, or a name that EC2 takes."""
    return text == "-1" or text in _NAMED or (text.isascii() and text.isdigit() and int(text) <= 255)


def _is_read_by(read: Callable[[], object]) -> bool:
    try:
        read()
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


def is_valid(told: Any) -> bool:
    """Whether all values in an answer's element, but those of its lists, are what their keys promise."""
    if not isinstance(told, Mapping):
        return True
    return all(
        CHECKS[key](str(value)) if key in CHECKS and value else not isinstance(value, Mapping) or is_valid(value)
        for key, value in told.items()
    )


def only_valid(told: Any) -> Any:
    """An answer without the elements of its lists, at any depth, that are not valid."""
    if isinstance(told, list):
        return [only_valid(each) for each in told if is_valid(each)]
    if isinstance(told, Mapping):
        return {key: only_valid(value) for key, value in told.items()}
    return told
