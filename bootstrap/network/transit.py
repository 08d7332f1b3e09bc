"""Transit gateways: what one does with a packet at the edge of a VPC, and which NACLs are asked on either side of it.

It has an interface in one subnet of each zone, and a zone without one has no way to it. NACLs are asked of the subnet of the
interface as well; where that is the packet's own subnet, what comes from the transit gateway is asked nothing (Transit Gateway
guide, 'How network ACLs work with transit gateways'). Its own route tables, and who else is attached, are not read.
"""

from __future__ import annotations

from bootstrap.network import stations
from bootstrap.network.model import Network, Subnet
from bootstrap.network.places import Spot, is_public
from bootstrap.network.stations import Gate
from bootstrap.network.walk import Walk

_KIND = "transit gateway"
_UNJUDGED = "is beyond it, which is not judged"


def leave(walk: Walk, here: Subnet, target: str, name: Spot) -> None:
    """Out of the VPC to what is beyond: a Direct Connect, a VPN, other networks; `name` is who sends, as the packet says."""
    stations.nacl(walk, _reached(walk, here, target), egress=False, peer=name)
    _beyond(walk, target, "to", walk.destination)


def enter(walk: Walk, there: Subnet, target: str) -> None:
    """From what is beyond into the VPC; the NACLs are those of `inward`."""
    _reached(walk, there, target)
    _beyond(walk, target, "from", walk.source)


def between(walk: Walk, here: Subnet, target: str, prefix: str) -> None:
    """From one subnet that was read towards another: what the transit gateway's own routes make of it, nobody read."""
    standing = _reached(walk, here, target)
    if not prefix:
        stations.nacl(walk, standing, egress=False)
    walk.doubts(_KIND, target, f"{prefix}its own routes are not read")


def inward(network: Network, here: Subnet, target: str, *, outside: Spot, inside: Spot) -> list[Gate]:
    """The NACLs that a packet meets which comes into a subnet by a gateway, each with its way and the end it asks about."""
    standing = _standing(network, here, target)
    if standing is None:
        return [(here, False, outside)]
    return [] if standing.id == here.id else [(standing, True, inside), (here, False, outside)]


def outward(network: Network, here: Subnet, target: str, *, outside: Spot, inside: Spot) -> list[Gate]:
    """The same for one that leaves a subnet."""
    standing = _standing(network, here, target)
    return [(here, True, outside), *([(standing, False, inside)] if standing is not None else [])]


def _standing(network: Network, here: Subnet, target: str) -> Subnet | None:
    """The subnet in which the transit gateway has its interface for this one: the one of its VPC in the same zone."""
    gateway = network.transit_gateways.get(target)
    names = gateway.subnets.get(here.vpc_id, ()) if gateway is not None else ()
    return next(
        (network.subnets[it] for it in names if it in network.subnets and network.subnets[it].zone == here.zone), None
    )


def _reached(walk: Walk, here: Subnet, target: str) -> Subnet:
    if here.vpc_id not in walk.network.transit_gateways[target].subnets:
        raise walk.stops(_KIND, target, f"{here.vpc_id} is not attached to it")
    standing = _standing(walk.network, here, target)
    if standing is None:
        raise walk.stops(
            _KIND, target, f"it has no interface in {here.zone}, and {stations.called(here)} no way to another zone's"
        )
    return standing


def _beyond(walk: Walk, target: str, way: str, outside: Spot) -> None:
    if is_public(walk.network, outside.address):
        walk.doubts(_KIND, target, f"{way} the Internet, if what lies beyond it leads there, which is not read")
    else:
        walk.passes(_KIND, target, f"{way} what {_UNJUDGED}")
