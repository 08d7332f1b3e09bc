"""VPCs, subnets, gateway attachments, route tables and routes."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2, Row, RowAdapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at, is_true
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed


class Vpc(Ec2):
    """AWS::EC2::VPC; Ref is its id."""

    type = "AWS::EC2::VPC"

    def create(self, to: To) -> str:
        """Create the VPC, then set its DNS attributes, which CreateVpc does not take."""
        answer = to.call("ec2", "create_vpc", **to.pick("CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId"))
        vpc = str(answer["Vpc"]["VpcId"])
        to.physical_id = vpc
        self._set_dns(to)
        return vpc

    def update(self, to: To) -> None:
        """Set the DNS attributes: nothing else changes in place."""
        self._set_dns(to)

    def delete(self, to: To) -> None:
        """Delete the VPC. EC2 refuses that while it contains other resources."""
        to.call("ec2", "delete_vpc", VpcId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id, blocks, and the ids of the default security group and the default network ACL."""
        vpc = to.call("ec2", "describe_vpcs", VpcIds=[to.physical_id])["Vpcs"][0]
        filters = [{"Name": "vpc-id", "Values": [to.physical_id]}]
        groups = to.call(
            "ec2", "describe_security_groups", Filters=[*filters, {"Name": "group-name", "Values": ["default"]}]
        )
        acls = to.call("ec2", "describe_network_acls", Filters=[*filters, {"Name": "default", "Values": ["true"]}])
        return {
            "VpcId": to.physical_id,
            "CidrBlock": vpc["CidrBlock"],
            "CidrBlockAssociations": [one["AssociationId"] for one in vpc.get("CidrBlockAssociationSet", [])],
            "DefaultSecurityGroup": find_at(groups, "SecurityGroups.0.GroupId"),
            "DefaultNetworkAcl": find_at(acls, "NetworkAcls.0.NetworkAclId"),
            "Ipv6CidrBlocks": _list_ipv6_blocks(vpc),
        }

    def _set_dns(self, to: To) -> None:
        for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
            value = {"Value": is_true(to.get(name, default))}
            to.call("ec2", "modify_vpc_attribute", VpcId=to.physical_id, **{name: value})


class Subnet(Ec2):
    """AWS::EC2::Subnet; Ref is its id."""

    type = "AWS::EC2::Subnet"

    def create(self, to: To) -> str:
        """Create the subnet, then set whether its instances get public addresses."""
        answer = to.call(
            "ec2", "create_subnet", **to.pick("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId")
        )
        to.physical_id = str(answer["Subnet"]["SubnetId"])
        if "MapPublicIpOnLaunch" in to.properties:
            self.update(to)
        return to.physical_id

    def update(self, to: To) -> None:
        """Set whether instances get public addresses: nothing else changes in place."""
        value = {"Value": is_true(to.get("MapPublicIpOnLaunch"))}
        to.call("ec2", "modify_subnet_attribute", SubnetId=to.physical_id, MapPublicIpOnLaunch=value)

    def delete(self, to: To) -> None:
        """Delete the subnet.

        Raises ResourceFailed while an instance has an interface in it: EC2 refuses that, moto does not.
        """
        filters = [{"Name": "subnet-id", "Values": [to.physical_id]}]
        interfaces = to.call("ec2", "describe_network_interfaces", Filters=filters)["NetworkInterfaces"]
        attached = [
            one for one in interfaces if one.get("Attachment", {}).get("Status") == "attached" and _is_alive(to, one)
        ]
        if attached:
            raise ResourceFailed(
                f"The subnet '{to.physical_id}' has dependencies and cannot be deleted. "
                "(Service: Ec2, Status Code: 400, Error code: DependencyViolation)"
            )
        to.call("ec2", "delete_subnet", SubnetId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id, zone, blocks, VPC and the association with the network ACL."""
        subnet = to.call("ec2", "describe_subnets", SubnetIds=[to.physical_id])["Subnets"][0]
        filters = [{"Name": "association.subnet-id", "Values": [to.physical_id]}]
        acls = to.call("ec2", "describe_network_acls", Filters=filters)["NetworkAcls"]
        associations = [one for acl in acls for one in acl["Associations"] if one["SubnetId"] == to.physical_id]
        return {
            "SubnetId": to.physical_id,
            "AvailabilityZone": subnet["AvailabilityZone"],
            "AvailabilityZoneId": subnet.get("AvailabilityZoneId"),
            "CidrBlock": subnet["CidrBlock"],
            "VpcId": subnet["VpcId"],
            "Ipv6CidrBlocks": _list_ipv6_blocks(subnet),
            "NetworkAclAssociationId": associations[0]["NetworkAclAssociationId"] if associations else None,
        }


class GatewayAttachment(Ec2):
    """AWS::EC2::VPCGatewayAttachment; Ref is the kind of the gateway and the VPC."""

    type = "AWS::EC2::VPCGatewayAttachment"

    def create(self, to: To) -> str:
        """Attach the internet gateway or the VPN gateway."""
        if "InternetGatewayId" in to.properties:
            to.call("ec2", "attach_internet_gateway", **to.pick("InternetGatewayId", "VpcId"))
            return f"IGW|{to.get('VpcId')}"
        to.call("ec2", "attach_vpn_gateway", **to.pick("VpnGatewayId", "VpcId"))
        return f"VGW|{to.get('VpcId')}"

    def delete(self, to: To) -> None:
        """Detach the gateway."""
        if "InternetGatewayId" in to.properties:
            to.call("ec2", "detach_internet_gateway", **to.pick("InternetGatewayId", "VpcId"))
        else:
            to.call("ec2", "detach_vpn_gateway", **to.pick("VpnGatewayId", "VpcId"))

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the kind of the gateway, IGW or VGW."""
        return {"AttachmentType": to.physical_id.partition("|")[0]}


ROUTE_TARGETS = (
    "DestinationCidrBlock",
    "DestinationIpv6CidrBlock",
    "DestinationPrefixListId",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
)


class Route(Ec2):
    """AWS::EC2::Route; Ref is the route table and the destination."""

    type = "AWS::EC2::Route"

    def create(self, to: To) -> str:
        """Create the route."""
        to.call("ec2", "create_route", **to.pick("RouteTableId", *ROUTE_TARGETS))
        return f"{to.get('RouteTableId')}|{self._find_destination(to)}"

    def update(self, to: To) -> None:
        """Set another target for the same destination."""
        to.call("ec2", "replace_route", **to.pick("RouteTableId", *ROUTE_TARGETS))

    def delete(self, to: To) -> None:
        """Delete the route by its destination."""
        names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
        to.call("ec2", "delete_route", **to.pick("RouteTableId", *names))

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the destination."""
        return {"CidrBlock": self._find_destination(to)}

    def _find_destination(self, to: To) -> str:
        names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
        return str(next((to.get(name) for name in names if name in to.properties), ""))


class TableAssociation(Ec2):
    """AWS::EC2::SubnetRouteTableAssociation; Ref is the association's id."""

    type = "AWS::EC2::SubnetRouteTableAssociation"
    displaces = True

    def create(self, to: To) -> str:
        """Associate the route table with the subnet; one that takes the place of another replaces its association."""
        if to.displaced and to.old.get("SubnetId") == to.get("SubnetId"):
            names = {"AssociationId": to.displaced, "RouteTableId": to.get("RouteTableId")}
            return str(to.call("ec2", "replace_route_table_association", **names)["NewAssociationId"])
        return str(to.call("ec2", "associate_route_table", **to.pick("RouteTableId", "SubnetId"))["AssociationId"])

    def delete(self, to: To) -> None:
        """Remove the association; the subnet then uses the VPC's main route table."""
        to.call("ec2", "disassociate_route_table", AssociationId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


def _list_ipv6_blocks(description: dict[str, Any]) -> list[str]:
    """Return the IPv6 blocks that are associated with a VPC or a subnet now."""
    return [
        str(association["Ipv6CidrBlock"])
        for association in description.get("Ipv6CidrBlockAssociationSet", ())
        if association["Ipv6CidrBlockState"]["State"] == "associated"
    ]


def _is_alive(to: To, interface: dict[str, Any]) -> bool:
    instance = interface.get("Attachment", {}).get("InstanceId")
    if not instance:
        return False
    try:
        answer = to.call("ec2", "describe_instances", InstanceIds=[instance])
    except Gone:
        return False
    return find_at(answer, "Reservations.0.Instances.0.State.Name") not in {"terminated", "shutting-down"}


ADAPTERS = (
    Vpc(),
    Subnet(),
    GatewayAttachment(),
    Route(),
    TableAssociation(),
    RowAdapter(
        Row(
            "AWS::EC2::InternetGateway",
            "ec2",
            "create_internet_gateway",
            "InternetGateway.InternetGatewayId",
            "delete_internet_gateway",
            "InternetGatewayId",
            (),
            {"InternetGatewayId": "@id"},
        )
    ),
    RowAdapter(
        Row(
            "AWS::EC2::RouteTable",
            "ec2",
            "create_route_table",
            "RouteTable.RouteTableId",
            "delete_route_table",
            "RouteTableId",
            ("VpcId",),
            {"RouteTableId": "@id"},
        )
    ),
)
