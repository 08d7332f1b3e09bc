"""What a VPC is given beside its subnets and ways: endpoints, flow logs, DHCP options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.adapters.given import policy_text
from bootstrap.local.aws.cloudformation.errors import ResourceFailed


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
                to.call_as_service("ec2", "delete_network_interface", NetworkInterfaceId=interface)

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


ADAPTERS = (VpcEndpoint(), FlowLog(), DhcpOptions(), DhcpAssociation())
