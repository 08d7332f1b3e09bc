"""VPCs and their subnets, routes, gateways, endpoints, addresses, security groups and ACLs."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading.groups import read_group_rules
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import read_ids
from bootstrap.local.aws.cloudformation.reading.spelling import read_spelled, spell_block, spell_protocol

PREFIXES = {"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface", "tgw": "TransitGateway"}
DHCP = {
    "DomainName": "domain-name",
    "DomainNameServers": "domain-name-servers",
    "NtpServers": "ntp-servers",
    "NetbiosNameServers": "netbios-name-servers",
    "NetbiosNodeType": "netbios-node-type",
}


def describe_ec2(method: str, ask: str, root: Way, **ways: Way) -> Read:
    """A describe call of EC2, which takes a list of ids and returns a list."""
    return Read("ec2", method, {ask: ["@id"]}, f"{root}.0" if isinstance(root, str) else root, dict(ways))


def describe_attribute(method: str, ask: str, name: str, property_name: str) -> Read:
    """An attribute call of EC2, which returns one value."""
    key = name[0].upper() + name[1:]
    return Read("ec2", method, {ask: "@id", "Attribute": name}, ways={property_name: f"{key}.Value"}, plain=False)


def _read_route(answer: Any, to: Context) -> Any:
    destination = to.physical_id.partition("|")[2]
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    table = find_at(answer, "RouteTables.0") or {}
    for route in table.get("Routes", []):
        name = next((name for name in names if spell_block(route.get(name)) == spell_block(destination)), "")
        if name:
            return {**route, name: to.get(name, route[name]), "RouteTableId": table["RouteTableId"]}
    return None


def _read_association(path: str, key: str) -> Way:
    def read(answer: Any, to: Context) -> Any:
        listed = [item for parent in answer[path] for item in parent["Associations"]]
        return next((item for item in listed if item[key] == to.physical_id), None)

    return read


def _read_block(path: str, key: str) -> Way:
    """Reads the association of an IPv4 or IPv6 block with its VPC or subnet."""

    def read(answer: Any, to: Context) -> Any:
        owner = find_at(answer, f"{path}.0") or {}
        listed = [*owner.get("CidrBlockAssociationSet", ()), *owner.get("Ipv6CidrBlockAssociationSet", ())]
        association = next((item for item in listed if item["AssociationId"] == to.physical_id), None)
        amazon_block = (
            {"AmazonProvidedIpv6CidrBlock": True} if association and association.get("Ipv6Pool") == "Amazon" else {}
        )
        return association and {**association, **amazon_block, key: owner[key]}

    return read


def _read_entry(answer: Any, to: Context) -> Any:
    _, number, egress = to.physical_id.split("|")
    listed = find_at(answer, "NetworkAcls.0.Entries") or []
    entries = [item for item in listed if (str(item["RuleNumber"]), str(item["Egress"]).lower()) == (number, egress)]
    return {**entries[0], "NetworkAclId": find_at(answer, "NetworkAcls.0.NetworkAclId")} if entries else None


def _read_kind(part: Any, _: Context) -> str | None:
    return PREFIXES.get(str(part.get("ResourceId", "")).partition("-")[0])


def _read_option(key: str) -> Way:
    def read(part: Any, _: Context) -> Any:
        listed = [item["Values"] for item in part["DhcpConfigurations"] if item["Key"] == key]
        return [item["Value"] for item in listed[0]] if listed else None

    return read


RULE: dict[str, Way] = {
    "CidrIp": read_spelled("CidrIpv4", "CidrIp", spell_block),
    "CidrIpv6": read_spelled("CidrIpv6", "CidrIpv6", spell_block),
    "IpProtocol": read_spelled("IpProtocol", "IpProtocol", spell_protocol),
}
READS: dict[str, tuple[Read, ...]] = {
    "AWS::EC2::VPC": (
        describe_ec2("describe_vpcs", "VpcIds", "Vpcs"),
        describe_attribute("describe_vpc_attribute", "VpcId", "enableDnsSupport", "EnableDnsSupport"),
        describe_attribute("describe_vpc_attribute", "VpcId", "enableDnsHostnames", "EnableDnsHostnames"),
    ),
    "AWS::EC2::Subnet": (
        describe_ec2(
            "describe_subnets", "SubnetIds", "Subnets", Ipv6CidrBlock="Ipv6CidrBlockAssociationSet.0.Ipv6CidrBlock"
        ),
    ),
    "AWS::EC2::VPCCidrBlock": (Read("ec2", "describe_vpcs", {"VpcIds": ["#VpcId"]}, _read_block("Vpcs", "VpcId")),),
    "AWS::EC2::SubnetCidrBlock": (
        Read("ec2", "describe_subnets", {"SubnetIds": ["#SubnetId"]}, _read_block("Subnets", "SubnetId")),
    ),
    "AWS::EC2::EgressOnlyInternetGateway": (
        describe_ec2(
            "describe_egress_only_internet_gateways",
            "EgressOnlyInternetGatewayIds",
            "EgressOnlyInternetGateways",
            VpcId="Attachments.0.VpcId",
        ),
    ),
    "AWS::EC2::InternetGateway": (
        describe_ec2("describe_internet_gateways", "InternetGatewayIds", "InternetGateways"),
    ),
    "AWS::EC2::RouteTable": (describe_ec2("describe_route_tables", "RouteTableIds", "RouteTables"),),
    "AWS::EC2::VPCGatewayAttachment": (
        Read(
            "ec2",
            "describe_internet_gateways",
            {"InternetGatewayIds": ["#InternetGatewayId"]},
            "InternetGateways.0",
            {"VpcId": "Attachments.0.VpcId"},
            when="InternetGatewayId",
        ),
        Read(
            "ec2",
            "describe_vpn_gateways",
            {"VpnGatewayIds": ["#VpnGatewayId"]},
            "VpnGateways.0",
            {"VpcId": "VpcAttachments.0.VpcId"},
            when="VpnGatewayId",
        ),
    ),
    "AWS::EC2::Route": (Read("ec2", "describe_route_tables", {"RouteTableIds": ["#RouteTableId"]}, _read_route),),
    "AWS::EC2::SubnetRouteTableAssociation": (
        Read(
            "ec2",
            "describe_route_tables",
            {"Filters": [{"Name": "association.route-table-association-id", "Values": ["@id"]}]},
            _read_association("RouteTables", "RouteTableAssociationId"),
        ),
    ),
    "AWS::EC2::VPCEndpoint": (
        describe_ec2(
            "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", SecurityGroupIds=read_ids("Groups", "GroupId")
        ),
    ),
    "AWS::EC2::FlowLog": (describe_ec2("describe_flow_logs", "FlowLogIds", "FlowLogs", ResourceType=_read_kind),),
    "AWS::EC2::DHCPOptions": (
        describe_ec2(
            "describe_dhcp_options",
            "DhcpOptionsIds",
            "DhcpOptions",
            **{name: _read_option(key) for name, key in DHCP.items()},
        ),
    ),
    "AWS::EC2::VPCDHCPOptionsAssociation": (Read("ec2", "describe_vpcs", {"VpcIds": ["#VpcId"]}, "Vpcs.0"),),
    "AWS::EC2::EIP": (describe_ec2("describe_addresses", "PublicIps", "Addresses"),),
    "AWS::EC2::EIPAssociation": (
        Read(
            "ec2",
            "describe_addresses",
            {"Filters": [{"Name": "association-id", "Values": ["@id"]}]},
            "Addresses.0",
            {"EIP": "PublicIp"},
        ),
    ),
    "AWS::EC2::NatGateway": (
        describe_ec2(
            "describe_nat_gateways",
            "NatGatewayIds",
            "NatGateways",
            AllocationId="NatGatewayAddresses.0.AllocationId",
            PrivateIpAddress="NatGatewayAddresses.0.PrivateIp",
        ),
    ),
    "AWS::EC2::SecurityGroup": (
        describe_ec2(
            "describe_security_groups",
            "GroupIds",
            "SecurityGroups",
            GroupDescription="Description",
            SecurityGroupIngress=read_group_rules("IpPermissions", "Ingress"),
            SecurityGroupEgress=read_group_rules("IpPermissionsEgress", "Egress"),
        ),
    ),
    "AWS::EC2::SecurityGroupIngress": (
        describe_ec2(
            "describe_security_group_rules",
            "SecurityGroupRuleIds",
            "SecurityGroupRules",
            **RULE,
            SourcePrefixListId="PrefixListId",
            SourceSecurityGroupId="ReferencedGroupInfo.GroupId",
        ),
    ),
    "AWS::EC2::SecurityGroupEgress": (
        describe_ec2(
            "describe_security_group_rules",
            "SecurityGroupRuleIds",
            "SecurityGroupRules",
            **RULE,
            DestinationPrefixListId="PrefixListId",
            DestinationSecurityGroupId="ReferencedGroupInfo.GroupId",
        ),
    ),
    "AWS::EC2::NetworkAcl": (describe_ec2("describe_network_acls", "NetworkAclIds", "NetworkAcls"),),
    "AWS::EC2::NetworkAclEntry": (
        Read(
            "ec2", "describe_network_acls", {"NetworkAclIds": ["#NetworkAclId"]}, _read_entry, {"Icmp": "IcmpTypeCode"}
        ),
    ),
    "AWS::EC2::SubnetNetworkAclAssociation": (
        Read(
            "ec2",
            "describe_network_acls",
            {"Filters": [{"Name": "association.subnet-id", "Values": ["#SubnetId"]}]},
            _read_association("NetworkAcls", "NetworkAclAssociationId"),
        ),
    ),
}
