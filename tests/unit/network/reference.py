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

from bootstrap.network.model import Nat, Subnet
from tests.unit.network.reference_packet import ANY_CLIENT, ANY_PORT, Answer, Stops, carried, within
from tests.unit.network.reference_routes import Routes


class Trip(Routes):
    """The whole way of one packet, and of the replies to it."""

    def answer(self) -> Answer:
        try:
            self.go()
        except Stops as stop:
            return ("closed", *stop.args)
        return ("unknown" if self.is_doubtful else "open", "", "")

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
