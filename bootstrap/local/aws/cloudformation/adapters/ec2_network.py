"""VPCs and what makes them a network: subnets, gateways, routes, endpoints, flow logs, DHCP options."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Context as To
from bootstrap.local.aws.cloudformation.adapters.base import Ec2, Row, RowAdapter, at, is_true
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


class VpcEndpoint(Ec2):
    """AWS::EC2::VPCEndpoint"""

    type = "AWS::EC2::VPCEndpoint"

    def create(self, to: To) -> str:
        """Gateway or interface endpoint."""
        given = to.pick(
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "RouteTableIds",
            "SubnetIds",
            "SecurityGroupIds",
            "PrivateDnsEnabled",
        )
        given["PolicyDocument"] = policy_text(to.get("PolicyDocument"))
        given.setdefault("VpcEndpointType", "Gateway")  # the default of both, which moto stores as nothing
        return str(to.call("ec2", "create_vpc_endpoint", **given)["VpcEndpoint"]["VpcEndpointId"])

    def update(self, to: To) -> None:
        """Policy, tables, subnets and groups."""
        given: dict[str, Any] = {"VpcEndpointId": to.physical_id, **to.pick("PrivateDnsEnabled")}
        given["PolicyDocument"] = policy_text(to.get("PolicyDocument"))
        for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
            before, after = set(to.old.get(name) or []), set(to.get(name) or [])
            given[f"Add{name}"] = sorted(after - before) or None
            given[f"Remove{name}"] = sorted(before - after) or None
        to.call("ec2", "modify_vpc_endpoint", **given)
        self._drop(to, self._interfaces(to), given["RemoveSubnetIds"] or [])

    def delete(self, to: To) -> None:
        """At once."""
        interfaces = self._interfaces(to)
        to.call("ec2", "delete_vpc_endpoints", VpcEndpointIds=[to.physical_id])
        self._drop(to, interfaces)

    @staticmethod
    def _interfaces(to: To) -> list[str]:
        found = to.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[to.physical_id])["VpcEndpoints"]
        return list(at(found, "0.NetworkInterfaceIds") or ())

    @staticmethod
    def _drop(to: To, interfaces: Sequence[str], subnets: Sequence[str] | None = None) -> None:
        """Delete an endpoint's interfaces, all or those in some subnets: EC2 takes them along, moto does not."""
        for interface in interfaces:
            asked = [{"Name": "network-interface-id", "Values": [interface]}]
            found = to.call("ec2", "describe_network_interfaces", Filters=asked)["NetworkInterfaces"]
            if found and (subnets is None or found[0]["SubnetId"] in subnets):
                to.call("ec2", "delete_network_interface", NetworkInterfaceId=interface)

    def attributes(self, to: To) -> dict[str, Any]:
        """DNS names and interfaces."""
        found = to.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[to.physical_id])["VpcEndpoints"][0]
        names = [f"{one.get('HostedZoneId', '')}:{one.get('DnsName', '')}" for one in found.get("DnsEntries", [])]
        return {"Id": to.physical_id, "DnsEntries": names, "NetworkInterfaceIds": found.get("NetworkInterfaceIds", [])}


class FlowLog(Ec2):
    """AWS::EC2::FlowLog"""

    type = "AWS::EC2::FlowLog"

    def create(self, to: To) -> str:
        """EC2 answers with a list of those that it could not make."""
        given = to.pick(
            "ResourceType",
            "TrafficType",
            "LogDestinationType",
            "LogDestination",
            "LogGroupName",
            "LogFormat",
            "DeliverLogsPermissionArn",
            "MaxAggregationInterval",
        )
        answer = to.call("ec2", "create_flow_logs", ResourceIds=[to.get("ResourceId")], **given)
        if answer.get("Unsuccessful"):
            raise ResourceFailed(str(at(answer, "Unsuccessful.0.Error.Message")))
        return str(answer["FlowLogIds"][0])

    def delete(self, to: To) -> None:
        """What was logged stays."""
        to.call("ec2", "delete_flow_logs", FlowLogIds=[to.physical_id])

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}


class DhcpOptions(Ec2):
    """AWS::EC2::DHCPOptions"""

    type = "AWS::EC2::DHCPOptions"
    NAMES = {
        "DomainName": "domain-name",
        "DomainNameServers": "domain-name-servers",
        "NtpServers": "ntp-servers",
        "NetbiosNameServers": "netbios-name-servers",
        "NetbiosNodeType": "netbios-node-type",
    }

    def create(self, to: To) -> str:
        """The API takes a list of keys and values."""
        wanted = [
            {"Key": key, "Values": to.get(name) if isinstance(to.get(name), list) else [str(to.get(name))]}
            for name, key in self.NAMES.items()
            if name in to.properties
        ]
        return str(to.call("ec2", "create_dhcp_options", DhcpConfigurations=wanted)["DhcpOptions"]["DhcpOptionsId"])

    def delete(self, to: To) -> None:
        """Refused while a VPC uses them."""
        to.call("ec2", "delete_dhcp_options", DhcpOptionsId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Their id."""
        return {"DhcpOptionsId": to.physical_id}


class DhcpAssociation(Ec2):
    """AWS::EC2::VPCDHCPOptionsAssociation"""

    type = "AWS::EC2::VPCDHCPOptionsAssociation"

    def create(self, to: To) -> str:
        """Ref is the options' id with the VPC's."""
        to.call("ec2", "associate_dhcp_options", **to.pick("DhcpOptionsId", "VpcId"))
        return f"{to.get('DhcpOptionsId')}|{to.get('VpcId')}"

    def update(self, to: To) -> None:
        """Other options for the same VPC."""
        to.call("ec2", "associate_dhcp_options", **to.pick("DhcpOptionsId", "VpcId"))

    def delete(self, to: To) -> None:
        """The VPC falls back to the default options, unless others have taken the place of these already."""
        vpc = to.call("ec2", "describe_vpcs", VpcIds=[to.get("VpcId")])["Vpcs"][0]
        if vpc["DhcpOptionsId"] == to.get("DhcpOptionsId"):
            to.call("ec2", "associate_dhcp_options", DhcpOptionsId="default", VpcId=to.get("VpcId"))


def policy_text(policy: Any) -> str | None:
    """A policy as JSON text; None stays None."""
    import json

    if policy is None or isinstance(policy, str):
        return policy
    return json.dumps(policy)


def token_of(to: To) -> str:
    """A client token that is the same when an operation is taken up again."""
    digest = hashlib.sha256(f"{to.operation}/{to.logical_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:32]


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
    VpcEndpoint(),
    FlowLog(),
    DhcpOptions(),
    DhcpAssociation(),
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
