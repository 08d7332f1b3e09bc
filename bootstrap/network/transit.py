"""Transit gateways: what one does with a packet at the edge of a VPC, and which ACLs apply on either side of it.

A transit gateway has an interface in one subnet of each zone; from a zone without one it cannot be reached. The ACL of that
subnet applies as well. If it is the packet's own subnet, no ACL applies to what comes from the transit gateway (Transit
Gateway guide, 'How network ACLs work with transit gateways'). Its own route tables, and its other attachments, are not read.
"""

from __future__ import annotations

from bootstrap.network import vpc_hops
from bootstrap.network.model import Network, Subnet
from bootstrap.network.packet_walk import Walk
from bootstrap.network.path_ends import Spot, is_public
from bootstrap.network.vpc_hops import Gate

_KIND = "transit gateway"
_UNJUDGED = "is beyond it, which is not judged"


def leave(walk: Walk, subnet: Subnet, target: str, name: Spot) -> None:
    """Follow a packet out of the VPC to the networks behind the transit gateway; `name` is the sender on the packet."""
    vpc_hops.apply_nacl(walk, _require_attachment_subnet(walk, subnet, target), egress=False, peer=name)
    _pass_beyond(walk, target, "to", walk.destination)


def enter(walk: Walk, subnet: Subnet, target: str) -> None:
    """Follow a packet from the networks behind the transit gateway into the VPC; `list_inward_nacls` has its ACLs."""
    _require_attachment_subnet(walk, subnet, target)
    _pass_beyond(walk, target, "from", walk.source)


def follow_between(walk: Walk, subnet: Subnet, target: str, prefix: str) -> None:
    """Follow a packet from one subnet that was read to another; it is not sure, because the gateway's routes are not read."""
    attachment_subnet = _require_attachment_subnet(walk, subnet, target)
    if not prefix:
        vpc_hops.apply_nacl(walk, attachment_subnet, egress=False)
    walk.doubts(_KIND, target, f"{prefix}its own routes are not read")


def list_inward_nacls(network: Network, subnet: Subnet, target: str, *, outside: Spot, inside: Spot) -> list[Gate]:
    """The ACLs that apply to a packet which enters a subnet through a gateway, in order."""
    attachment_subnet = _find_attachment_subnet(network, subnet, target)
    if attachment_subnet is None:
        return [(subnet, False, outside)]
    return [] if attachment_subnet.id == subnet.id else [(attachment_subnet, True, inside), (subnet, False, outside)]


def list_outward_nacls(network: Network, subnet: Subnet, target: str, *, outside: Spot, inside: Spot) -> list[Gate]:
    """The ACLs that apply to a packet which leaves a subnet through a gateway, in order."""
    attachment_subnet = _find_attachment_subnet(network, subnet, target)
    return [(subnet, True, outside), *([(attachment_subnet, False, inside)] if attachment_subnet is not None else [])]


def _find_attachment_subnet(network: Network, subnet: Subnet, target: str) -> Subnet | None:
    """The subnet with the transit gateway's interface for this subnet: in the same VPC and zone; None if there is none."""
    gateway = network.transit_gateways.get(target)
    names = gateway.subnets.get(subnet.vpc_id, ()) if gateway is not None else ()
    return next(
        (network.subnets[it] for it in names if it in network.subnets and network.subnets[it].zone == subnet.zone), None
    )


def _require_attachment_subnet(walk: Walk, subnet: Subnet, target: str) -> Subnet:
    if subnet.vpc_id not in walk.network.transit_gateways[target].subnets:
        raise walk.stops(_KIND, target, f"{subnet.vpc_id} is not attached to it")
    attachment_subnet = _find_attachment_subnet(walk.network, subnet, target)
    if attachment_subnet is None:
        raise walk.stops(
            _KIND,
            target,
            f"it has no interface in {subnet.zone}, and {vpc_hops.name_subnet(subnet)} no way to another zone's",
        )
    return attachment_subnet


def _pass_beyond(walk: Walk, target: str, way: str, outside: Spot) -> None:
    if is_public(walk.network, outside.address):
        walk.doubts(_KIND, target, f"{way} the Internet, if what lies beyond it leads there, which is not read")
    else:
        walk.passes(_KIND, target, f"{way} what {_UNJUDGED}")
