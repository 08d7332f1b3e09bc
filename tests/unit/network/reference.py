"""Whether a packet arrives, worked out slowly and obviously: what the analyser's whole paths are held against.

Written from the rules of the Amazon VPC User Guide ('Route priority', 'Network ACL rules', 'Ephemeral ports', 'Security group
rules', 'NAT gateway basics', 'Egress-only internet gateways', 'VPC peering limitations', the
Transit Gateway guide's 'Network ACLs') and from nothing of the analyser, of
which it knows the values of `model` alone. It tries prefixes from the longest, entries number by number, and replies port by
port, of `SAMPLE`: the ports at which rules may begin or end in the networks that the test makes, and their neighbours.

Where two things stop a packet, the first of these is told: the groups and the ACL on the way out, routes and gateways, the
ACL and the groups on the way in; then of the replies the route, and the ACLs as they meet them. Of a packet from outside, the
gateway by which it may come in is asked first, which is the one that replies leave by.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from copy import copy

from bootstrap.network.model import (
    Address,
    Block,
    GroupRule,
    Interface,
    Nat,
    Network,
    Peering,
    Route,
    Subnet,
)

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


class Trip:
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

    def answer(self) -> Answer:
        try:
            self.go()
        except Stops as stop:
            return ("closed", *stop.args)
        return ("unknown" if self.is_doubtful else "open", "", "")

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

    def go(self) -> None:
        self.b = (self.behind(self.b) if self.subnet(self.a) is None else None) or self.b
        here, there = self.subnet(self.a), self.subnet(self.b)
        if here is None and there is None:
            raise Stops("address", f"{self.a}, {self.b}")
        taker = self.interface(self.b)
        if taker is not None and taker.kind in ("nat_gateway", "transit_gateway"):
            raise Stops(taker.kind.replace("_", " "), self.called(self.b))
        if here is not None and self.is_served(here):
            return
        if there is not None and taker is None:
            raise Stops("address", str(self.b))
        if here is None:
            assert there is not None
            self.come_in(there)
        elif there is None:
            self.go_out(here)
        elif here.id == there.id:  # neither ACLs nor routes are for what stays in a subnet
            self.groups(self.a, self.b, "egress")
            self.groups(self.b, self.a, "ingress")
        else:
            self.cross(here, there)

    def is_served(self, here: Subnet) -> bool:
        """AWS' own services, which no rule is asked about: names, metadata, time."""
        base = next(it for it in self.network.vpcs[here.vpc_id].blocks if it.version == 4).network_address
        address = "resolver" if self.b == base + 2 else str(self.b)
        answered = {"resolver": 53, "169.254.169.253": 53, "fd00:ec2::253": 53, "169.254.169.254": 80}
        answered |= {"fd00:ec2::254": 80, "169.254.169.123": 123, "fd00:ec2::123": 123}
        if address in answered:
            spoken = {53: ("tcp", "udp"), 80: ("tcp",), 123: ("udp",)}[answered[address]]
            if self.port != answered[address] or self.protocol not in spoken:
                raise Stops("service", self.called(self.b))
        return address in answered

    # --- the three kinds of trips

    def cross(self, here: Subnet, there: Subnet) -> None:
        self.groups(self.a, self.b, "egress")
        self.acl(here, "out", self.b)
        if self.lead(here, there, self.b, is_reply=False):
            return  # in a NAT gateway's name: what becomes of that is not followed
        self.come_into(there, self.by(here, self.b))
        if self.has_replies:
            self.lead(there, here, self.a, is_reply=True)
            by = self.by(there, self.a)
            gates = [*self.outward(there, by, self.a, self.b), *self.inward(here, by, self.b, self.a)]
            self.replies(gates, self.client())

    def come_into(self, there: Subnet, by: str) -> None:
        for subnet, way, far in self.inward(there, by, self.a, self.b):
            self.acl(subnet, way, far)
        self.groups(self.b, self.a, "ingress")

    def go_out(self, here: Subnet) -> None:
        self.groups(self.a, self.b, "egress")
        self.acl(here, "out", self.b)
        route = self.route(here, self.b)
        nat = self.network.nats.get(route.target)
        if nat is not None:
            self.by_nat(here, nat)
            return
        self.leave(here, route, self.is_answered(self.a), self.a)
        if self.has_replies:
            self.led_in(route.target, self.a)
            self.replies(self.inward(here, route.target, self.b, self.a), self.client())

    def by_nat(self, here: Subnet, nat: Nat) -> None:
        self.usable(nat)
        there = self.network.subnets[nat.subnet_id]
        if there.id != here.id:
            self.acl(there, "in", self.a)
        self.acl(there, "out", self.b)
        onward = self.route(there, self.b)
        if self.is_second(nat, onward):
            return
        self.leave(there, onward, nat.public != "", nat.address)
        if self.has_replies:
            self.led_in(onward.target, nat.address)
            back = self.inward(there, onward.target, self.b, nat.address)
            self.replies(back, ANY_CLIENT if self.every else ANY_PORT)
            if there.id != here.id:
                self.lead(there, here, self.a, is_reply=True)
                self.replies([(there, "out", self.a), (here, "in", self.b)], self.client())

    def come_in(self, there: Subnet) -> None:
        by = ""
        try:
            route = self.route(there, self.a)
            self.enter(there, route)
            by = route.target
        except Stops:
            if self.has_replies or not self.may_be_brought(there):
                raise
            self.is_doubtful = True  # a gateway may bring in what needs no reply
        self.come_into(there, by)
        if self.has_replies:
            self.replies(self.outward(there, by, self.a, self.b), ANY_CLIENT if self.every else ANY_PORT)

    def may_be_brought(self, there: Subnet) -> bool:
        """Whether the source may be beyond any gateway of the VPC, wherever replies would go."""
        of = self.network
        is_internet = any(there.vpc_id in it.vpcs for it in of.internet_gateways.values())
        if is_internet and self.is_answered(self.b) and carried(self.a):
            return True
        for subnet in (it for it in of.subnets.values() if it.vpc_id == there.vpc_id):
            try:
                targets = [it.target for it in self.equal_routes(subnet, self.a) if not it.is_blackhole]
            except Stops:
                continue
            for target in targets:
                if there.vpc_id in (of.transit_gateways[target].subnets if target in of.transit_gateways else ()):
                    return True
                if target in of.vpn_gateways and there.vpc_id in of.vpn_gateways[target].vpcs:
                    return True
        far = [it for it in of.peerings.values() if it.is_active and there.vpc_id in it.vpcs]
        sides = [side for it in far for side in zip(it.vpcs, it.blocks, strict=True)]
        return any(vpc != there.vpc_id and within(self.a, b) for vpc, blocks in sides for b in blocks)

    def client(self) -> range:
        """The ports that replies go to."""
        if not self.every:
            return ANY_PORT
        return LINUX if self.interface(self.a) else ANY_CLIENT

    # --- routes

    def route(self, subnet: Subnet, to: Address) -> Route:
        """The first of the equal ones; several make the answer doubtful."""
        equal = self.equal_routes(subnet, to)
        self.is_doubtful |= len({it.target for it in equal}) > 1
        return next(it for it in equal if not it.is_blackhole)

    def equal_routes(self, subnet: Subnet, to: Address) -> list[Route]:
        """Those of which AWS takes any: several of prefix lists that have the same block."""
        table = self.network.route_tables[subnet.route_table_id]
        fitting = [(it, length) for it in table.routes for length in self.lengths(it, to)]
        has_local = any(it.target == "local" for it, _ in fitting)
        kinds: tuple[Callable[[Route], bool], ...] = (
            lambda it: it.target == "local",
            lambda it: it.target != "local" and not it.is_propagated and not isinstance(it.to, str),
            lambda it: it.target != "local" and not it.is_propagated and isinstance(it.to, str),
            lambda it: it.target != "local" and it.is_propagated and not has_local,
        )
        for longest in range(to.max_prefixlen, -1, -1):
            for is_kind in kinds:
                best = [it for it, length in fitting if length == longest and is_kind(it)]
                if best and all(it.is_blackhole for it in best):
                    raise Stops("route", table.id)
                if best:
                    return best
        raise Stops("route", table.id)

    def by(self, subnet: Subnet, to: Address) -> str:
        """Where a packet goes from a subnet, whatever is certain."""
        return Trip.route(copy(self), subnet, to).target

    def lengths(self, route: Route, to: Address) -> list[int]:
        """How long each prefix is by which a route leads to an address."""
        blocks = self.network.prefix_lists.get(route.to, ()) if isinstance(route.to, str) else (route.to,)
        return [it.prefixlen for it in blocks if within(to, it)]

    def lead(self, here: Subnet, there: Subnet, to: Address, *, is_reply: bool) -> bool:
        """From one subnet that was read to another; True where a NAT gateway's name goes on the packet."""
        route = self.route(here, to)
        nat = self.network.nats.get(route.target)
        if nat is None:
            self.reach(here, there, route, is_reply)
            return False
        if is_reply:
            raise Stops("nat gateway", nat.id)
        self.usable(nat)
        between = self.network.subnets[nat.subnet_id]
        onward = self.route(between, to)
        self.is_doubtful = True
        if not self.is_second(nat, onward):
            self.reach(between, there, onward, False)
        return True

    def reach(self, here: Subnet, there: Subnet, route: Route, is_reply: bool) -> None:
        """Local within a VPC, an active peering between the two VPCs, and nothing else that is known."""
        if route.target == "local" and here.vpc_id == there.vpc_id:
            return
        peering = self.network.peerings.get(route.target)
        if route.target in self.network.transit_gateways:
            standing = self.standing(here, route.target)
            if not is_reply:
                self.acl(standing, "in", self.a)
            self.is_doubtful = True
        elif peering is not None:
            if sorted(peering.vpcs) != sorted((here.vpc_id, there.vpc_id)) or not peering.is_active:
                raise Stops("peering", peering.id)
        elif route.target.split("-")[0] in ("local", "igw", "eigw", "vgw", "vpce"):
            raise Stops("route", here.route_table_id)
        else:
            self.is_doubtful = True

    # --- gateways

    def usable(self, nat: Nat) -> None:
        """A NAT gateway translates TCP, UDP and ICMP, and IPv6 only into IPv4, which no test's packet asks for."""
        if not nat.is_available or self.a.version == 6 or self.protocol not in ("tcp", "udp", "icmp"):
            raise Stops("nat gateway", nat.id)

    def is_second(self, nat: Nat, onward: Route) -> bool:
        """Two in a row are not followed; one that is led back to itself goes round and round."""
        if onward.target == nat.id:
            raise Stops("nat gateway", nat.id)
        self.is_doubtful |= onward.target in self.network.nats
        return onward.target in self.network.nats

    def standing(self, here: Subnet, target: str) -> Subnet:
        """A transit gateway stands in one subnet of a zone, and no zone has a way to another's."""
        found = self.stands_in(here, target)
        if found is None:
            raise Stops("transit gateway", target)
        return found

    def stands_in(self, here: Subnet, target: str) -> Subnet | None:
        gateway = self.network.transit_gateways.get(target)
        names = gateway.subnets.get(here.vpc_id, ()) if gateway is not None else ()
        return next((it for it in map(self.network.subnets.__getitem__, names) if it.zone == here.zone), None)

    def inward(self, here: Subnet, by: str, far: Address, own: Address) -> list[Gate]:
        """The ACLs that what comes into a subnet meets: none by a transit gateway in it, both by one in another."""
        standing = self.stands_in(here, by)
        if standing is None:
            return [(here, "in", far)]
        return [] if standing.id == here.id else [(standing, "out", own), (here, "in", far)]

    def outward(self, here: Subnet, by: str, far: Address, own: Address) -> list[Gate]:
        """The ACLs that what leaves a subnet meets: to a transit gateway the way into its subnet, too."""
        standing = self.stands_in(here, by)
        return [(here, "out", far), *([(standing, "in", own)] if standing is not None else [])]

    def leave(self, here: Subnet, route: Route, is_answered: bool, sender: Address) -> None:
        name = route.target
        kind = self.gateway(name)
        if kind == "peering":
            self.beyond(self.network.peerings[name], here, self.b)
        elif kind == "transit gateway":
            self.acl(self.standing(here, name), "in", sender)
            self.is_doubtful |= carried(self.b)  # that leads to the Internet only if what is beyond does
        elif kind == "local":
            raise Stops("route", here.route_table_id)
        elif kind == "gateway endpoint":
            if not self.network.endpoints[name].is_available:
                raise Stops(kind, name)
        elif kind == "unread":
            self.is_doubtful = True
        elif here.vpc_id not in self.attached(name):
            raise Stops(kind, name)
        elif kind == "internet gateway":
            if not carried(self.b) or not is_answered:
                raise Stops(kind, name)
            self.is_doubtful |= self.behind(self.b) is not None
        elif kind == "egress-only gateway" and not (carried(self.b) and carried(self.a)):
            raise Stops(kind, name)

    def enter(self, there: Subnet, route: Route) -> None:
        name = route.target
        kind = self.gateway(name)
        if kind == "peering":
            self.beyond(self.network.peerings[name], there, self.a)
        elif kind == "transit gateway":
            self.standing(there, name)
            self.is_doubtful |= carried(self.a)
        elif kind == "local":
            raise Stops("route", there.route_table_id)
        elif kind in ("nat gateway", "egress-only gateway", "gateway endpoint"):  # these only lead out
            raise Stops(kind, name)
        elif kind == "unread":
            self.is_doubtful = True
        else:
            is_answered = kind != "internet gateway" or (carried(self.a) and self.is_answered(self.b))
            if not is_answered or there.vpc_id not in self.attached(name):
                raise Stops(kind, name)
            self.led_in(name, self.b)

    def gateway(self, name: str) -> str:
        if name in self.network.peerings or name == "local":
            return "local" if name == "local" else "peering"
        if name in self.network.transit_gateways:
            return "transit gateway"
        kinds = {"igw": "internet gateway", "eigw": "egress-only gateway", "vgw": "vpn gateway"}
        return {**kinds, "nat": "nat gateway", "vpce": "gateway endpoint"}.get(name.split("-")[0], "unread")

    def attached(self, name: str) -> tuple[str, ...]:
        of = self.network
        return {**of.internet_gateways, **of.egress_only_gateways, **of.vpn_gateways}[name].vpcs

    def beyond(self, peering: Peering, here: Subnet, outside: Address) -> None:
        """A peering leads to the other VPC's own blocks; that one was not read, or it would have a subnet for the address."""
        far = [blocks for vpc, blocks in zip(peering.vpcs, peering.blocks, strict=True) if vpc != here.vpc_id]
        if not peering.is_active or not any(within(outside, it) for blocks in far for it in blocks):
            raise Stops("peering", peering.id)
        self.is_doubtful = True

    def led_in(self, gateway: str, to: Address) -> None:
        """What a gateway brings in goes by the gateway's own route table, where it has one."""
        table = self.network.edges.get(gateway)
        if table is None or gateway.split("-")[0] not in ("igw", "vgw"):
            return
        end = Subnet("", "", (), "", table, "")
        if self.route(end, to).target != "local":
            self.is_doubtful = True

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
