"""One packet of the slow analyser: who is where, and what security groups and ACLs let through."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from bootstrap.network.model import Address, Block, GroupRule, Interface, Network, Subnet

EDGES = (0, 1, 22, 443, 1024, 5000, 32768, 40000, 60999, 61000, 65535)
SAMPLE = sorted({port for edge in EDGES for port in (edge - 1, edge, edge + 1) if 0 <= port <= 65535})
HIGHEST = 20  # no entry of the test's networks has a higher number
PRIVATE = ("0", "10", "127", "169.254", "192.168", "172.16", "172.31", "100.64")  # as the test's addresses begin
LINUX, ANY_CLIENT, ANY_PORT = range(32768, 61000), range(1024, 65536), range(1, 65536)
Gate = tuple[
    Subnet, str, Address
]  # an ACL on the way: of which subnet, 'in' or 'out', and the address that it asks about
Answer = tuple[str, str, str]  # the verdict; what kind of thing stops it, and its name


class Stops(Exception):
    """The packet goes no further: the kind and the name of what stops it."""


def within(address: Address, block: Block) -> bool:
    """Whether the first bits, as many as the prefix has, are the same."""
    left = block.max_prefixlen - block.prefixlen
    return address.version == block.version and int(address) >> left == int(block.network_address) >> left


def carried(address: Address) -> bool:
    """Whether the Internet carries it."""
    if address.version == 6:
        return within(address, ipaddress.ip_network("2000::/3"))
    return not any(str(address).startswith(f"{it}.") for it in PRIVATE)


class Packet:
    """One packet from one address to another, and the replies to it. ICMP's port is its type and code as one number."""

    def __init__(self, network: Network, ends: tuple[Address, Address], protocol: str, port: int, every: bool) -> None:
        self.network, self.port, self.every = network, port, every
        self.a, self.b = ends
        self.protocol = "icmpv6" if protocol == "icmp" and self.a.version == 6 else protocol
        self.is_doubtful = False
        request, reply = ((8 * 256, 0), (128 * 256, 129 * 256))[self.a.version == 6]
        if self.protocol in ("icmp", "icmpv6"):
            self.has_replies, self.reply = every and port == request, reply
        else:
            self.has_replies, self.reply = every or protocol == "tcp", 0

    # --- who is where

    def interface(self, address: Address) -> Interface | None:
        return next((it for it in self.network.interfaces.values() if address in it.addresses), None)

    def subnet(self, address: Address) -> Subnet | None:
        return next((it for it in self.network.subnets.values() if any(within(address, b) for b in it.blocks)), None)

    def called(self, address: Address) -> str:
        it = self.interface(address)
        return f"{it.id} ({address})" if it else str(address)

    def is_answered(self, address: Address) -> bool:
        """Whether the Internet can answer an address of a VPC."""
        it = self.interface(address)
        if address.version == 6:
            return carried(address)
        return it is not None and (
            address in [own for own, _ in it.others_public] or (it.public != "" and address == it.find_address(4))
        )

    def behind(self, public: Address) -> Address | None:
        """The address of an interface's own to which a public one is mapped."""
        found = [it for it in self.network.interfaces.values() if it.public == str(public)]
        return found[0].find_address(4) if found else None

    def client(self) -> range:
        """The ports that replies go to."""
        if not self.every:
            return ANY_PORT
        return LINUX if self.interface(self.a) else ANY_CLIENT

    # --- filters

    def groups(self, own: Address, far: Address, way: str) -> None:
        """Any rule of any group of the interface is enough; replies are not asked."""
        here, there = self.interface(own), self.interface(far)
        if here is None or not here.groups:
            return
        known = [self.network.groups[it] for it in here.groups if it in self.network.groups]
        rules: list[GroupRule] = [rule for group in known for rule in getattr(group, way)]
        fitting = [it for it in rules if self.fits(it.protocol, it.ports, self.port)]
        for rule in fitting:
            if not isinstance(rule.peer, str):
                is_meant = within(far, rule.peer)
            elif rule.peer in self.network.prefix_lists:
                is_meant = any(within(far, it) for it in self.network.prefix_lists[rule.peer])
            else:
                is_meant = there is not None and rule.peer in there.groups
            if is_meant:
                return
        is_unread = len(known) < len(here.groups)
        for rule in fitting if there is None and self.is_in_unread_peer(far) else ():
            is_unread |= str(rule.peer).startswith("sg-") and rule.peer not in self.network.groups
        if not is_unread:
            raise Stops("security group", ", ".join(it.id for it in known))
        self.is_doubtful = True

    def is_in_unread_peer(self, address: Address) -> bool:
        sides = [side for it in self.network.peerings.values() for side in zip(it.vpcs, it.blocks, strict=True)]
        return any(vpc not in self.network.vpcs and within(address, b) for vpc, blocks in sides for b in blocks)

    def fits(self, protocol: str, ports: tuple[int, int], port: int) -> bool:
        return protocol == "all" or (protocol == self.protocol and port in range(ports[0], ports[1] + 1))

    def is_let(self, subnet: Subnet, way: str, far: Address, port: int) -> bool:
        """The entry of the lowest number that fits decides; none is a deny."""
        entries = self.network.nacls[subnet.nacl_id].entries
        for number in range(1, HIGHEST + 1):
            for it in entries:
                is_this = it.number == number and it.egress == (way == "out") and within(far, it.block)
                if is_this and self.fits(it.protocol, it.ports, port):
                    return it.allow
        return False

    def acl(self, subnet: Subnet, way: str, far: Address) -> None:
        if not self.is_let(subnet, way, far, self.port):
            raise Stops("ACL", subnet.nacl_id)

    def replies(self, gates: list[Gate], ports: range) -> None:
        """Port by port: to a promise the first gate that stops any, to a threat the last that any comes to."""
        stopped = [self.stopped_at(gates, port) for port in self.reply_ports(ports)]
        found = [it for it in stopped if it is not None]
        if found and (self.every or len(found) == len(stopped)):
            raise Stops("ACL", gates[min(found) if self.every else max(found)][0].nacl_id)

    def reply_ports(self, ports: range) -> Iterator[int]:
        if self.protocol not in ("tcp", "udp"):
            return iter((self.reply,))
        return (port for port in SAMPLE if port in ports)

    def stopped_at(self, gates: list[Gate], port: int) -> int | None:
        return next((n for n, (subnet, way, far) in enumerate(gates) if not self.is_let(subnet, way, far, port)), None)
