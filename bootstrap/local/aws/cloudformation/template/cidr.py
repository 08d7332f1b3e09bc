"""Splits an IP block into blocks of equal size, as Fn::Cidr does."""

from __future__ import annotations

import ipaddress
import itertools

from bootstrap.local.aws.cloudformation.errors import Refused

MOST = 256
DEFAULT_BITS = 8


def split(block: str, count: int, bits: int = DEFAULT_BITS) -> list[str]:
    """Return the first `count` blocks with `bits` bits for addresses each; raises Refused."""
    if not 1 <= count <= MOST:
        raise Refused(f"Template error: Fn::Cidr requires a count from 1 to {MOST}, not {count}")
    try:
        network = ipaddress.ip_network(block)
    except ValueError:
        raise Refused(f"Template error: Fn::Cidr requires an IP block such as 10.0.0.0/16, not {block}") from None
    length = network.max_prefixlen - bits
    if length < network.prefixlen or 2 ** (length - network.prefixlen) < count:
        raise Refused(f"Template error: Fn::Cidr cannot split {block} into {count} blocks with {bits} bits each")
    return [str(one) for one in itertools.islice(network.subnets(new_prefix=length), count)]
