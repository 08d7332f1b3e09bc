"""The routes of the slow analyser: by which a packet and the replies to it leave and enter a subnet, and the gateways there."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from bootstrap.network.model import Address, Nat, Peering, Route, Subnet
from tests.unit.network.reference_packet import Gate, Packet, Stops, carried, within


class Routes(Packet):
    """A packet whose routes are known, with the gateways to which they lead."""

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
        return Routes.route(copy(self), subnet, to).target

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
