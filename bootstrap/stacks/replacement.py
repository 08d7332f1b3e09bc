"""The cost of replacing a resource for its users: lost data, and downtime.

The table has the costs by type, for the use of each type in the templates of this project. CloudFormation makes the new
resource before it deletes the old one, except where the metadata of a template say otherwise. The change set says whether the
old resource is retained (UpdateReplacePolicy).
"""

from __future__ import annotations

_COSTS = {
    "AWS::EC2::Instance": "no data, JENKINS_HOME is on the data volume; Jenkins is down for minutes, running builds end",
    "AWS::EC2::Volume": "DATA: the new volume is empty; Jenkins starts without its history",
    "AWS::EC2::VolumeAttachment": "no data; Jenkins is down until the volume is attached again",
    "AWS::EC2::KeyPair": "no data; the SSH key changes, only those who copied the old one lose access",
    "AWS::SecretsManager::Secret": "DATA: a new value is generated, and every user of the old one must get it",
    "AWS::EC2::VPC": "no data; everything in the network is created again, Jenkins is down meanwhile",
    "AWS::EC2::Subnet": "no data; everything in the subnet is created again, Jenkins is down meanwhile",
    "AWS::EC2::NatGateway": "no data; outbound connections break once, then come from a new address",
    "AWS::EC2::EIP": "no data; the address changes, also in others' allow-lists",
    "AWS::EC2::SecurityGroup": "no data; no downtime, because the rules reference it",
    "AWS::EC2::VPNGateway": "no data; VPN and Direct Connect are down until the other sides are configured again",
    "AWS::EC2::CustomerGateway": "no data; the VPN is down until its other side is configured again",
    "AWS::EC2::VPNConnection": "no data; the VPN is down until its other side is configured again",
    "AWS::EC2::TransitGateway": "no data; other networks are unreachable until they are attached to the new gateway",
    "AWS::EC2::TransitGatewayAttachment": "no data; connections over the transit gateway end",
    "AWS::DirectConnect::DirectConnectGatewayAssociation": "no data; Direct Connect is down until the new association exists",
    "AWS::EC2::VPCPeeringConnection": "no data; the other network is unreachable for some seconds",
    "AWS::EC2::VPCEndpoint": "no data; the service is unreachable from private subnets for about a minute",
    "AWS::Route53::HostedZone": "no data; names do not resolve until the new hosted zone answers",
    "AWS::Logs::LogGroup": "DATA: the old logs are deleted with the old log group",
    "AWS::AutoScaling::AutoScalingGroup": "no data; a rolling update replaces its machines, sessions through them end",
}
_ELSE = "no data; no downtime beyond the change itself"


def describe_cost(kind: str, *, is_kept: bool) -> str:
    """The cost of replacing a resource of this type, in words; with `is_kept` the old resource is retained."""
    text = _COSTS.get(kind, _ELSE)
    return f"{text}; the old one is retained" if is_kept else text
