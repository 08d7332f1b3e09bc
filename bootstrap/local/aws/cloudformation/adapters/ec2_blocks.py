"""What makes a network speak IPv6, and further blocks: VPC and subnet blocks, the egress-only gateway."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Row, RowAdapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To


class VpcBlock(Adapter):
    """AWS::EC2::VPCCidrBlock; Ref is the association's id."""

    type = "AWS::EC2::VPCCidrBlock"
    moves = {"VpcId": ("Ipv6CidrBlocks", "CidrBlockAssociations")}

    def create(self, to: To) -> str:
        """A further IPv4 block, or one of Amazon's IPv6 blocks."""
        given = to.pick("VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlockNetworkBorderGroup")
        made = to.call("ec2", "associate_vpc_cidr_block", **given)
        found = made.get("Ipv6CidrBlockAssociation") or made["CidrBlockAssociation"]
        return str(found["AssociationId"])

    def delete(self, to: To) -> None:
        """The VPC gives the block back."""
        to.call("ec2", "disassociate_vpc_cidr_block", AssociationId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}


class SubnetBlock(Adapter):
    """AWS::EC2::SubnetCidrBlock; Ref is the association's id."""

    type = "AWS::EC2::SubnetCidrBlock"
    moves = {"SubnetId": ("Ipv6CidrBlocks",)}

    def create(self, to: To) -> str:
        """A /64 of the VPC's block."""
        made = to.call("ec2", "associate_subnet_cidr_block", **to.pick("SubnetId", "Ipv6CidrBlock"))
        return str(made["Ipv6CidrBlockAssociation"]["AssociationId"])

    def delete(self, to: To) -> None:
        """The subnet speaks IPv4 only."""
        to.call("ec2", "disassociate_subnet_cidr_block", AssociationId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
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
