"""What the changes of a plan interrupt: one line for each kind of interruption.

Only the changes are read, by the names in the templates of the network. What is only created interrupts nothing and has no
line. No line says how long an interruption takes, because no page of AWS guarantees it.

The sources of each group of lines, at docs.aws.amazon.com:

    NAT         AWSEC2/latest/APIReference/API_DeleteNatGateway.html: the gateway is deleted, its routes are not. That a
                connection does not continue through another gateway, with another address, is a conclusion
    IPv6        API_DisassociateVpcCidrBlock.html and API_AssociateVpcCidrBlock.html: a request cannot choose the block
    subnets     API_DeleteSubnet.html: nothing may run in it. The toolkit checks it before (`network_removal.check_narrowing`)
    VPN         API_CreateVpnConnection.html: after a new connection the customer gateway must be configured anew;
                API_AttachVpnGateway.html: one VPN gateway for a VPC at a time
    transit     directconnect/latest/UserGuide/direct-connect-transit-gateways.html and
                API_CreateTransitGatewayVpcAttachment.html: what an association and an attachment are. That their deletion ends
                the connections over them is a conclusion
    peering     vpc/latest/peering/delete-vpc-peering-connection.html
    endpoints   API_CreateVpcEndpoint.html: with PrivateDnsEnabled the public name of the service resolves to the endpoint
    bastion     autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html: the group's instances are terminated with it
    names       Route53/latest/APIReference/API_DeleteHostedZone.html: a deleted hosted zone cannot be restored, and the parent
                zone needs the name servers of the new one; API_ResourceRecordSet.html: TTL is how long resolvers keep a record
    logs        AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html: with all its events, for good
    replaced    AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bootstrap.stacks import composition
from bootstrap.values import Change, ChangeKind

_ROUTE = re.compile(r"/PrivateDefaultRoute(?P<place>[1-3])$")
_TOUCHED = frozenset({ChangeKind.ALTER, ChangeKind.REPLACE})
# By the end of a stack's name: what is lost if the whole stack is deleted.
_STACKS = {
    "-vpn": "connections over the VPN or Direct Connect end, and the private subnets lose the other side's routes",
    "-transit-gateway": "connections over the transit gateway end, those over Direct Connect with them",
    "-peering": "connections over the peering end, in both networks",
    "-people": "people can no longer take their roles on AWS",
    "-endpoints": "machines then reach the services of the interface endpoints by the Internet, or not at all",
    "-bastion": "sessions through the bastion end",
    "-names": "the controller's names no longer resolve",
    "-public-zone": "the names in the public hosted zone no longer resolve, and its delegation is deleted",
    "-traffic-logs": "the traffic logs are deleted with their log groups",
}


def explain_interruptions(changes: Sequence[Change]) -> tuple[str, ...]:
    """The interruptions by these changes as lines of text, each once."""
    explain = (_explain_nat, _explain_addresses, _explain_stacks, _explain_names, _explain_replacements)
    return tuple(dict.fromkeys(line for function in explain for line in function(changes)))


def _explain_nat(changes: Sequence[Change]) -> Iterator[str]:
    rerouted = _list_places(changes, _TOUCHED)
    removed = _list_places(changes, frozenset({ChangeKind.REMOVE}))
    if rerouted:
        yield (
            f"private subnets {rerouted}: outbound connections through NAT drop; new ones use another gateway and "
            "another source address"
        )
    if removed and not _is_zone_removed(changes):
        yield f"private subnets {removed}: no access to the Internet from then on"


def _list_places(changes: Sequence[Change], kinds: frozenset[ChangeKind]) -> str:
    places = [match["place"] for it in changes if it.kind in kinds if (match := _ROUTE.search(it.name))]
    return ", ".join(sorted(places))


def _is_zone_removed(changes: Sequence[Change]) -> bool:
    return any(it.kind is ChangeKind.REMOVE and re.search(r"/PrivateSubnet3$", it.name) for it in changes)


def _explain_addresses(changes: Sequence[Change]) -> Iterator[str]:
    removed = [it for it in changes if it.kind is ChangeKind.REMOVE]
    if any(it.name.endswith("/Ipv6Block") for it in removed):
        yield "IPv6 connections end, and the block is released: a later block will be another one"
    subnets = [it.name for it in removed if it.detail.startswith("AWS::EC2::Subnet")]
    is_tier_removed = any(name.endswith("/DataSubnet1") for name in subnets)
    if is_tier_removed:
        yield "the isolated subnets are deleted; if anything still uses them, this is refused before anything is changed"
    if any(name.endswith("Subnet3") and not (is_tier_removed and "/Data" in name) for name in subnets):
        yield "the subnets of a zone are deleted; if anything still uses them, this is refused before anything is changed"


def _explain_stacks(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if change.kind is ChangeKind.REMOVE and "/" not in change.name:
            yield from (words for ending, words in _STACKS.items() if change.name.endswith(ending))
            if f"-{composition.AGENTS}" in change.name:
                yield f"the agents of {change.name} end, with the builds on them"


def _explain_names(changes: Sequence[Change]) -> Iterator[str]:
    """A replaced hosted zone has other name servers; the names in a deleted one or a deleted record no longer resolve."""
    for change in changes:
        if change.kind is ChangeKind.REPLACE and change.detail.startswith("AWS::Route53::HostedZone:"):
            yield (
                f"{change.name} is replaced: its names have other name servers, which the parent zone must get; resolvers "
                "use the old ones for up to an hour, or as long as the TTL in the parent zone says"
            )
        if change.kind is ChangeKind.REMOVE and change.name.endswith(("-names/Zone", "-names/PublicRecord")):
            yield f"the controller's {'private' if change.name.endswith('Zone') else 'public'} name no longer resolves"
        if change.kind is ChangeKind.REMOVE and change.name.endswith("-public-zone/Delegation"):
            yield "the names in the public hosted zone no longer resolve until the parent zone delegates to it again"


def _explain_replacements(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if change.kind is ChangeKind.REPLACE and change.detail.startswith(("AWS::EC2::VPC:", "AWS::EC2::Subnet:")):
            yield f"{change.name} is replaced: everything in it must be created again"
        if change.kind is ChangeKind.REPLACE and change.detail.startswith("AWS::EC2::VPNGateway:"):
            yield (
                f"{change.name} is replaced, and the old one is deleted first: VPN and Direct Connect are down until the new "
                "one exists, and the VPN's other side needs a new configuration"
            )
        if change.kind is ChangeKind.REPLACE and change.detail.startswith("AWS::EC2::TransitGatewayAttachment:"):
            yield (
                f"{change.name} is replaced: the routes of private subnets lead to the new transit gateway at once, and "
                "networks behind the old one are reached only if the new one leads there, too"
            )
        if change.kind is ChangeKind.REPLACE and change.detail.startswith(
            "AWS::DirectConnect::DirectConnectGatewayAssociation:"
        ):
            text = f"{change.name} is replaced, and the old one is deleted first"
            yield f"{text}: Direct Connect is down until the new one exists"
        if change.kind is ChangeKind.REPLACE and change.detail.startswith("AWS::EC2::VPNConnection:"):
            yield f"{change.name} is replaced: the tunnels end, and the other side needs a new configuration"
