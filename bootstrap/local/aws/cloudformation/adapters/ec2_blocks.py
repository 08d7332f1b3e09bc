"""Additional blocks of VPCs and subnets (IPv4 and IPv6), and the egress-only internet gateway."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Row, RowAdapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To


class VpcBlock(Adapter):
    """AWS::EC2::VPCCidrBlock; Ref is the association's id."""

    type = "AWS::EC2::VPCCidrBlock"
    moves = {"VpcId": ("Ipv6CidrBlocks", "CidrBlockAssociations")}

    def create(self, to: To) -> str:
        """Add an IPv4 block or one of Amazon's IPv6 blocks to the VPC; return the association's id."""
        parameters = to.pick("VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlockNetworkBorderGroup")
        answer = to.call("ec2", "associate_vpc_cidr_block", **parameters)
        association = answer.get("Ipv6CidrBlockAssociation") or answer["CidrBlockAssociation"]
        return str(association["AssociationId"])

    def delete(self, to: To) -> None:
        """Remove the block from the VPC."""
        to.call("ec2", "disassociate_vpc_cidr_block", AssociationId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


class SubnetBlock(Adapter):
    """AWS::EC2::SubnetCidrBlock; Ref is the association's id."""

    type = "AWS::EC2::SubnetCidrBlock"
    moves = {"SubnetId": ("Ipv6CidrBlocks",)}

    def create(self, to: To) -> str:
        """Give the subnet a /64 of the VPC's IPv6 block; return the association's id."""
        answer = to.call("ec2", "associate_subnet_cidr_block", **to.pick("SubnetId", "Ipv6CidrBlock"))
        return str(answer["Ipv6CidrBlockAssociation"]["AssociationId"])

    def delete(self, to: To) -> None:
        """Remove the IPv6 block from the subnet."""
        to.call("ec2", "disassociate_subnet_cidr_block", AssociationId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


ADAPTERS = (
    VpcBlock(),
    SubnetBlock(),
    RowAdapter(
        Row(
            "AWS::EC2::EgressOnlyInternetGateway",
            "ec2",
            "create_egress_only_internet_gateway",
            "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId",
            "delete_egress_only_internet_gateway",
            "EgressOnlyInternetGatewayId",
            ("VpcId",),
            {"Id": "@id"},
        )
    ),
)
