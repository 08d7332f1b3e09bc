"""What a plan's changes interrupt, in plain words: one line for each kind of thing that stops for somebody.

Read off the changes alone, by the names of the network's templates. What only comes interrupts nothing and has no line. No line
says how long something takes: no page promises it.

What each group of lines stands on, at docs.aws.amazon.com:

    NAT         AWSEC2/latest/APIReference/API_DeleteNatGateway.html: the gateway goes, its routes do not by themselves. That a
                connection does not go on through another gateway, with another address, is a conclusion, not a sentence there
    IPv6        API_DisassociateVpcCidrBlock.html and API_AssociateVpcCidrBlock.html: nobody can ask for a certain one
    subnets     API_DeleteSubnet.html: nothing may run in it. The tool asks first (`network_removal.check_narrowing`)
    VPN         API_CreateVpnConnection.html: after a new connection the customer gateway must be configured anew;
                API_AttachVpnGateway.html: one VPN gateway for a VPC at a time
    transit     directconnect/latest/UserGuide/direct-connect-transit-gateways.html and
                API_CreateTransitGatewayVpcAttachment.html: what an association and an attachment are. That their end ends what
                goes by them is a conclusion
    peering     vpc/latest/peering/delete-vpc-peering-connection.html
    endpoints   API_CreateVpcEndpoint.html: PrivateDnsEnabled is what makes the service's public name lead to the endpoint
    bastion     autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html: the group's instances are terminated with it
    names       Route53/latest/APIReference/API_DeleteHostedZone.html: a zone that goes does not come back, and the zone above
                must be told of the new one's servers; API_ResourceRecordSet.html: TTL is how long resolvers keep a record
    logs        AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html: with all its events, for good
    replaced    AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bootstrap.values import Change, ChangeKind

_ROUTE = re.compile(r"/PrivateDefaultRoute(?P<place>[1-3])$")
_TOUCHED = frozenset({ChangeKind.ALTER, ChangeKind.REPLACE})
# By the end of a stack's name: what is lost where the whole stack goes.
_STACKS = {
    "-vpn": "connections over the VPN or Direct Connect end, and the private subnets lose the other side's routes",
    "-transit-gateway": "connections over the transit gateway end, those over Direct Connect with them",
    "-peering": "connections over the peering end, in both networks",
    "-endpoints": "machines then reach the services of the interface endpoints by the Internet, or not at all",
    "-bastion": "sessions through the bastion end",
    "-names": "the controller's names no longer resolve",
    "-public-zone": "the names in the public zone no longer resolve, and its delegation is deleted",
    "-traffic-logs": "the traffic logs are deleted with their log groups",
}


def of(changes: Sequence[Change]) -> tuple[str, ...]:
    """The interruptions that these changes bring, each once."""
    return tuple(
        dict.fromkeys((*_nat(changes), *_addresses(changes), *_stacks(changes), *_names(changes), *_replaced(changes)))
    )


def _nat(changes: Sequence[Change]) -> Iterator[str]:
    moved = _places(changes, _TOUCHED)
    gone = _places(changes, frozenset({ChangeKind.REMOVE}))
    if moved:
        yield (
            f"private subnets {moved}: outbound connections through NAT drop; new ones use another gateway and "
            "another source address"
        )
    if gone and not _is_zone_gone(changes):
        yield f"private subnets {gone}: no access to the Internet from then on"


def _places(changes: Sequence[Change], kinds: frozenset[ChangeKind]) -> str:
    found = [match["place"] for it in changes if it.kind in kinds if (match := _ROUTE.search(it.name))]
    return ", ".join(sorted(found))


def _is_zone_gone(changes: Sequence[Change]) -> bool:
    return any(it.kind is ChangeKind.REMOVE and re.search(r"/PrivateSubnet3$", it.name) for it in changes)


def _addresses(changes: Sequence[Change]) -> Iterator[str]:
    gone = [it for it in changes if it.kind is ChangeKind.REMOVE]
    if any(it.name.endswith("/Ipv6Block") for it in gone):
        yield "IPv6 connections end, and the block is released: a later block will be another one"
    subnets = [it.name for it in gone if it.detail.startswith("AWS::EC2::Subnet")]
    is_tier_gone = any(name.endswith("/DataSubnet1") for name in subnets)
    if is_tier_gone:
        yield "the isolated subnets are deleted; if anything still uses them, this is refused before anything is changed"
    if any(name.endswith("Subnet3") and not (is_tier_gone and "/Data" in name) for name in subnets):
        yield "the subnets of a zone are deleted; if anything still uses them, this is refused before anything is changed"


def _stacks(changes: Sequence[Change]) -> Iterator[str]:
    for it in changes:
        if it.kind is ChangeKind.REMOVE and "/" not in it.name:
            yield from (words for ending, words in _STACKS.items() if it.name.endswith(ending))


def _names(changes: Sequence[Change]) -> Iterator[str]:
    """A zone that is made anew answers under other servers; one that goes, or a record, no longer at all."""
    for it in changes:
        if it.kind is ChangeKind.REPLACE and it.detail.startswith("AWS::Route53::HostedZone:"):
            yield (
                f"{it.name} is replaced: its names are answered by other servers, which the zone above must know; resolvers "
                "forget the old ones within an hour, or what the zone above says"
            )
        if it.kind is ChangeKind.REMOVE and it.name.endswith(("-names/Zone", "-names/PublicRecord")):
            yield f"the controller's {'private' if it.name.endswith('Zone') else 'public'} name no longer resolves"
        if it.kind is ChangeKind.REMOVE and it.name.endswith("-public-zone/Delegation"):
            yield "the names in the public zone no longer resolve until the parent zone delegates to it again"


def _replaced(changes: Sequence[Change]) -> Iterator[str]:
    for it in changes:
        if it.kind is ChangeKind.REPLACE and it.detail.startswith(("AWS::EC2::VPC:", "AWS::EC2::Subnet:")):
            yield f"{it.name} is replaced: everything in it must be created again"
        if it.kind is ChangeKind.REPLACE and it.detail.startswith("AWS::EC2::VPNGateway:"):
            yield (
                f"{it.name} is replaced, the old one first: VPN and Direct Connect are down until the new one stands, and the "
                "VPN's other side needs a new configuration"
            )
        if it.kind is ChangeKind.REPLACE and it.detail.startswith("AWS::EC2::TransitGatewayAttachment:"):
            yield (
                f"{it.name} is replaced: the private subnets' routes lead to the new transit gateway at once, and who is "
                "beyond the old one is reached only if the new one leads there, too"
            )
        if it.kind is ChangeKind.REPLACE and it.detail.startswith(
            "AWS::DirectConnect::DirectConnectGatewayAssociation:"
        ):
            yield f"{it.name} is replaced, the old one first: Direct Connect is down until the new one stands"
        if it.kind is ChangeKind.REPLACE and it.detail.startswith("AWS::EC2::VPNConnection:"):
            yield f"{it.name} is replaced: the tunnels end, and the other side needs a new configuration"
