"""VPC endpoints, flow logs and DHCP options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.errors import ResourceFailed


class VpcEndpoint(Ec2):
    """AWS::EC2::VPCEndpoint; Ref is its id."""

    type = "AWS::EC2::VPCEndpoint"

    def create(self, to: To) -> str:
        """Create the endpoint and return its id; the default type is Gateway."""
        parameters = to.pick(
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "RouteTableIds",
            "SubnetIds",
            "SecurityGroupIds",
            "PrivateDnsEnabled",
        )
        parameters["PolicyDocument"] = format_policy(to.get("PolicyDocument"))
        parameters.setdefault("VpcEndpointType", "Gateway")  # EC2's default, which moto does not store
        return str(to.call("ec2", "create_vpc_endpoint", **parameters)["VpcEndpoint"]["VpcEndpointId"])

    def update(self, to: To) -> None:
        """Change the policy, route tables, subnets and security groups."""
        parameters: dict[str, Any] = {"VpcEndpointId": to.physical_id, **to.pick("PrivateDnsEnabled")}
        parameters["PolicyDocument"] = format_policy(to.get("PolicyDocument"))
        for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
            before, after = set(to.old.get(name) or []), set(to.get(name) or [])
            parameters[f"Add{name}"] = sorted(after - before) or None
            parameters[f"Remove{name}"] = sorted(before - after) or None
        to.call("ec2", "modify_vpc_endpoint", **parameters)
        self._delete_interfaces(to, self._list_interfaces(to), parameters["RemoveSubnetIds"] or [])

    def delete(self, to: To) -> None:
        """Delete the endpoint and its interfaces."""
        interfaces = self._list_interfaces(to)
        to.call("ec2", "delete_vpc_endpoints", VpcEndpointIds=[to.physical_id])
        self._delete_interfaces(to, interfaces)

    @staticmethod
    def _list_interfaces(to: To) -> list[str]:
        endpoints = to.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[to.physical_id])["VpcEndpoints"]
        return list(find_at(endpoints, "0.NetworkInterfaceIds") or ())

    @staticmethod
    def _delete_interfaces(to: To, interfaces: Sequence[str], subnets: Sequence[str] | None = None) -> None:
        """Delete an endpoint's interfaces, all or those in `subnets`: EC2 does that itself, moto does not."""
        for interface in interfaces:
            filters = [{"Name": "network-interface-id", "Values": [interface]}]
            matches = to.call("ec2", "describe_network_interfaces", Filters=filters)["NetworkInterfaces"]
            if matches and (subnets is None or matches[0]["SubnetId"] in subnets):
                to.call_as_service("ec2", "delete_network_interface", NetworkInterfaceId=interface)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id, DNS names (with the id of their zone) and interfaces."""
        endpoint = to.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[to.physical_id])["VpcEndpoints"][0]
        names = [f"{one.get('HostedZoneId', '')}:{one.get('DnsName', '')}" for one in endpoint.get("DnsEntries", [])]
        return {
            "Id": to.physical_id,
            "DnsEntries": names,
            "NetworkInterfaceIds": endpoint.get("NetworkInterfaceIds", []),
        }


class FlowLog(Ec2):
    """AWS::EC2::FlowLog; Ref is its id."""

    type = "AWS::EC2::FlowLog"

    def create(self, to: To) -> str:
        """Create the flow log and return its id. Raises ResourceFailed when EC2 lists it as unsuccessful."""
        parameters = to.pick(
            "ResourceType",
            "TrafficType",
            "LogDestinationType",
            "LogDestination",
            "LogGroupName",
            "LogFormat",
            "DeliverLogsPermissionArn",
            "MaxAggregationInterval",
        )
        answer = to.call("ec2", "create_flow_logs", ResourceIds=[to.get("ResourceId")], **parameters)
        if answer.get("Unsuccessful"):
            raise ResourceFailed(str(find_at(answer, "Unsuccessful.0.Error.Message")))
        return str(answer["FlowLogIds"][0])

    def delete(self, to: To) -> None:
        """Delete the flow log; the data that it wrote is kept."""
        to.call("ec2", "delete_flow_logs", FlowLogIds=[to.physical_id])

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


class DhcpOptions(Ec2):
    """AWS::EC2::DHCPOptions; Ref is their id."""

    type = "AWS::EC2::DHCPOptions"
    NAMES = {
        "DomainName": "domain-name",
        "DomainNameServers": "domain-name-servers",
        "NtpServers": "ntp-servers",
        "NetbiosNameServers": "netbios-name-servers",
        "NetbiosNodeType": "netbios-node-type",
    }

    def create(self, to: To) -> str:
        """Create the options, which the API takes as a list of keys and values; return their id."""
        settings = [
            {"Key": key, "Values": to.get(name) if isinstance(to.get(name), list) else [str(to.get(name))]}
            for name, key in self.NAMES.items()
            if name in to.properties
        ]
        return str(to.call("ec2", "create_dhcp_options", DhcpConfigurations=settings)["DhcpOptions"]["DhcpOptionsId"])

    def delete(self, to: To) -> None:
        """Delete the options. EC2 refuses that while a VPC uses them."""
        to.call("ec2", "delete_dhcp_options", DhcpOptionsId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"DhcpOptionsId": to.physical_id}


class DhcpAssociation(Ec2):
    """AWS::EC2::VPCDHCPOptionsAssociation; Ref is the options' id and the VPC's."""

    type = "AWS::EC2::VPCDHCPOptionsAssociation"
    displaces = True

    def create(self, to: To) -> str:
        """Associate the options with the VPC."""
        to.call("ec2", "associate_dhcp_options", **to.pick("DhcpOptionsId", "VpcId"))
        return f"{to.get('DhcpOptionsId')}|{to.get('VpcId')}"

    def update(self, to: To) -> None:
        """Associate other options with the same VPC."""
        to.call("ec2", "associate_dhcp_options", **to.pick("DhcpOptionsId", "VpcId"))

    def delete(self, to: To) -> None:
        """Give the VPC the default options again, unless it uses other options already."""
        vpc = to.call("ec2", "describe_vpcs", VpcIds=[to.get("VpcId")])["Vpcs"][0]
        if vpc["DhcpOptionsId"] == to.get("DhcpOptionsId"):
            to.call("ec2", "associate_dhcp_options", DhcpOptionsId="default", VpcId=to.get("VpcId"))


ADAPTERS = (VpcEndpoint(), FlowLog(), DhcpOptions(), DhcpAssociation())
