"""VPCs and what makes them a network: subnets, gateways, routes."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2, Row, RowAdapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at, is_true
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed


class Vpc(Ec2):
    """AWS::EC2::VPC"""

    type = "AWS::EC2::VPC"

    def create(self, to: To) -> str:
        """The block first, then the DNS switches, which CreateVpc has not."""
        made = to.call("ec2", "create_vpc", **to.pick("CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId"))
        vpc = str(made["Vpc"]["VpcId"])
        to.physical_id = vpc
        self._switches(to)
        return vpc

    def update(self, to: To) -> None:
        """Only the DNS switches change in place."""
        self._switches(to)

    def delete(self, to: To) -> None:
        """EC2 refuses while something lives in it."""
        to.call("ec2", "delete_vpc", VpcId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """With the ids of what EC2 makes along with a VPC."""
        found = to.call("ec2", "describe_vpcs", VpcIds=[to.physical_id])["Vpcs"][0]
        mine = [{"Name": "vpc-id", "Values": [to.physical_id]}]
        groups = to.call(
            "ec2", "describe_security_groups", Filters=[*mine, {"Name": "group-name", "Values": ["default"]}]
        )
        acls = to.call("ec2", "describe_network_acls", Filters=[*mine, {"Name": "default", "Values": ["true"]}])
        return {
            "VpcId": to.physical_id,
            "CidrBlock": found["CidrBlock"],
            "CidrBlockAssociations": [one["AssociationId"] for one in found.get("CidrBlockAssociationSet", [])],
            "DefaultSecurityGroup": at(groups, "SecurityGroups.0.GroupId"),
            "DefaultNetworkAcl": at(acls, "NetworkAcls.0.NetworkAclId"),
            "Ipv6CidrBlocks": _blocks(found),
        }

    def _switches(self, to: To) -> None:
        for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
            value = {"Value": is_true(to.get(name, default))}
            to.call("ec2", "modify_vpc_attribute", VpcId=to.physical_id, **{name: value})


class Subnet(Ec2):
    """AWS::EC2::Subnet"""

    type = "AWS::EC2::Subnet"

    def create(self, to: To) -> str:
        """The block first, then whether instances get public addresses."""
        made = to.call(
            "ec2", "create_subnet", **to.pick("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId")
        )
        to.physical_id = str(made["Subnet"]["SubnetId"])
        if "MapPublicIpOnLaunch" in to.properties:
            self.update(to)
        return to.physical_id

    def update(self, to: To) -> None:
        """Public addresses are the one thing that changes in place."""
        value = {"Value": is_true(to.get("MapPublicIpOnLaunch"))}
        to.call("ec2", "modify_subnet_attribute", SubnetId=to.physical_id, MapPublicIpOnLaunch=value)

    def delete(self, to: To) -> None:
        """EC2 refuses while an interface is in it; moto does not, so it is looked at here."""
        mine = [{"Name": "subnet-id", "Values": [to.physical_id]}]
        used = to.call("ec2", "describe_network_interfaces", Filters=mine)["NetworkInterfaces"]
        held = [one for one in used if one.get("Attachment", {}).get("Status") == "attached" and _is_alive(to, one)]
        if held:
            raise ResourceFailed(
                f"The subnet '{to.physical_id}' has dependencies and cannot be deleted. "
                "(Service: Ec2, Status Code: 400, Error code: DependencyViolation)"
            )
        to.call("ec2", "delete_subnet", SubnetId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """With the zone and the network ACL that it has."""
        found = to.call("ec2", "describe_subnets", SubnetIds=[to.physical_id])["Subnets"][0]
        mine = [{"Name": "association.subnet-id", "Values": [to.physical_id]}]
        acls = to.call("ec2", "describe_network_acls", Filters=mine)["NetworkAcls"]
        held = [one for acl in acls for one in acl["Associations"] if one["SubnetId"] == to.physical_id]
        return {
            "SubnetId": to.physical_id,
            "AvailabilityZone": found["AvailabilityZone"],
            "AvailabilityZoneId": found.get("AvailabilityZoneId"),
            "CidrBlock": found["CidrBlock"],
            "VpcId": found["VpcId"],
            "Ipv6CidrBlocks": _blocks(found),
            "NetworkAclAssociationId": held[0]["NetworkAclAssociationId"] if held else None,
        }


class GatewayAttachment(Ec2):
    """AWS::EC2::VPCGatewayAttachment"""

    type = "AWS::EC2::VPCGatewayAttachment"

    def create(self, to: To) -> str:
        """An internet or a VPN gateway."""
        if "InternetGatewayId" in to.properties:
            to.call("ec2", "attach_internet_gateway", **to.pick("InternetGatewayId", "VpcId"))
            return f"IGW|{to.get('VpcId')}"
        to.call("ec2", "attach_vpn_gateway", **to.pick("VpnGatewayId", "VpcId"))
        return f"VGW|{to.get('VpcId')}"

    def delete(self, to: To) -> None:
        """Detach what was attached."""
        if "InternetGatewayId" in to.properties:
            to.call("ec2", "detach_internet_gateway", **to.pick("InternetGatewayId", "VpcId"))
        else:
            to.call("ec2", "detach_vpn_gateway", **to.pick("VpnGatewayId", "VpcId"))

    def attributes(self, to: To) -> dict[str, Any]:
        """What kind of gateway it is."""
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
    """AWS::EC2::Route"""

    type = "AWS::EC2::Route"

    def create(self, to: To) -> str:
        """Ref is table and destination."""
        to.call("ec2", "create_route", **to.pick("RouteTableId", *ROUTE_TARGETS))
        return f"{to.get('RouteTableId')}|{self._destination(to)}"

    def update(self, to: To) -> None:
        """Another target for the same destination."""
        to.call("ec2", "replace_route", **to.pick("RouteTableId", *ROUTE_TARGETS))

    def delete(self, to: To) -> None:
        """By destination."""
        names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
        to.call("ec2", "delete_route", **to.pick("RouteTableId", *names))

    def attributes(self, to: To) -> dict[str, Any]:
        """The destination."""
        return {"CidrBlock": self._destination(to)}

    def _destination(self, to: To) -> str:
        names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
        return str(next((to.get(name) for name in names if name in to.properties), ""))


class TableAssociation(Ec2):
    """AWS::EC2::SubnetRouteTableAssociation"""

    type = "AWS::EC2::SubnetRouteTableAssociation"

    def create(self, to: To) -> str:
        """Ref is the association's id."""
        return str(to.call("ec2", "associate_route_table", **to.pick("RouteTableId", "SubnetId"))["AssociationId"])

    def delete(self, to: To) -> None:
        """The subnet falls back to the main table."""
        to.call("ec2", "disassociate_route_table", AssociationId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}


def _blocks(told: dict[str, Any]) -> list[str]:
    """The IPv6 blocks that a VPC or a subnet has now."""
    return [
        str(it["Ipv6CidrBlock"])
        for it in told.get("Ipv6CidrBlockAssociationSet", ())
        if it["Ipv6CidrBlockState"]["State"] == "associated"
    ]


def _is_alive(to: To, interface: dict[str, Any]) -> bool:
    instance = interface.get("Attachment", {}).get("InstanceId")
    if not instance:
        return False
    try:
        answer = to.call("ec2", "describe_instances", InstanceIds=[instance])
    except Gone:
        return False
    return at(answer, "Reservations.0.Instances.0.State.Name") not in {"terminated", "shutting-down"}


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
