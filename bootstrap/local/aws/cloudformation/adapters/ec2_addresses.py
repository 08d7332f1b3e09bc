"""Elastic IP addresses and NAT gateways."""

from __future__ import annotations

import contextlib
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.errors import Gone


class Eip(Ec2):
    """AWS::EC2::EIP; Ref is the public address."""

    type = "AWS::EC2::EIP"

    def create(self, to: To) -> str:
        """Allocate the address, associate it with the instance if there is one, and return the address."""
        address = to.call(
            "ec2", "allocate_address", Domain="vpc", **to.pick("PublicIpv4Pool", "NetworkBorderGroup", "Address")
        )
        if "InstanceId" in to.properties:
            to.call("ec2", "associate_address", AllocationId=address["AllocationId"], InstanceId=to.get("InstanceId"))
        return str(address["PublicIp"])

    def update(self, to: To) -> None:
        """Associate the address with another instance, or with none."""
        address = self._describe(to)
        if address.get("AssociationId"):
            to.call("ec2", "disassociate_address", AssociationId=address["AssociationId"])
        if "InstanceId" in to.properties:
            to.call("ec2", "associate_address", AllocationId=address["AllocationId"], InstanceId=to.get("InstanceId"))

    def delete(self, to: To) -> None:
        """Disassociate the address if necessary, and release it."""
        address = self._describe(to)
        if address.get("AssociationId"):
            to.call("ec2", "disassociate_address", AssociationId=address["AssociationId"])
        to.call("ec2", "release_address", AllocationId=address["AllocationId"])

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the address and the id of its allocation."""
        return {"PublicIp": to.physical_id, "AllocationId": self._describe(to)["AllocationId"]}

    def find_tag_target(self, to: To) -> str:
        """Return the id of the allocation, which has the tags."""
        return str(self._describe(to)["AllocationId"])

    def _describe(self, to: To) -> dict[str, Any]:
        filters = [{"Name": "public-ip", "Values": [to.physical_id]}]
        addresses = to.call("ec2", "describe_addresses", Filters=filters)["Addresses"]
        if not addresses:
            raise Gone(f"The address {to.physical_id} does not exist")
        return dict(addresses[0])


class EipAssociation(Ec2):
    """AWS::EC2::EIPAssociation; Ref is the association's id."""

    type = "AWS::EC2::EIPAssociation"
    displaces = True

    def create(self, to: To) -> str:
        """Associate the address and return the association's id; as in EC2, an address that has one gets another."""
        names = ("AllocationId", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress")
        parameters = to.pick(*names)
        if "EIP" in to.properties:
            parameters["PublicIp"] = to.get("EIP")
        return str(to.call("ec2", "associate_address", AllowReassociation=True, **parameters)["AssociationId"])

    def delete(self, to: To) -> None:
        """Remove the association; the address stays allocated."""
        to.call("ec2", "disassociate_address", AssociationId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


class NatGateway(Ec2):
    """AWS::EC2::NatGateway; Ref is its id."""

    type = "AWS::EC2::NatGateway"

    def create(self, to: To) -> str:
        """Create the gateway, wait until it is available, and return its id."""
        names = ("AllocationId", "SubnetId", "ConnectivityType", "PrivateIpAddress")
        gateway = to.call("ec2", "create_nat_gateway", **to.pick(*names))["NatGateway"]["NatGatewayId"]
        to.initiated(str(gateway))
        to.wait(lambda: self._read_state(to, str(gateway)) == "available", f"NAT gateway {gateway}")
        return str(gateway)

    def delete(self, to: To) -> None:
        """Delete the gateway and wait until it is deleted: its address cannot be released before."""
        answer = to.call("ec2", "describe_nat_gateways", NatGatewayIds=[to.physical_id])
        interface = find_at(answer, "NatGateways.0.NatGatewayAddresses.0.NetworkInterfaceId")
        to.call("ec2", "delete_nat_gateway", NatGatewayId=to.physical_id)
        to.wait(lambda: self._read_state(to, to.physical_id) in {"deleted", ""}, f"NAT gateway {to.physical_id}")
        if interface:  # EC2 deletes it with the gateway, moto does not
            with contextlib.suppress(Gone):
                to.call_as_service("ec2", "delete_network_interface", NetworkInterfaceId=interface)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"NatGatewayId": to.physical_id}

    def exists(self, to: To) -> bool:
        """Return whether the gateway is available."""
        return self._read_state(to, to.physical_id) == "available"

    def _read_state(self, to: To, gateway: str) -> str:
        try:
            answer = to.call("ec2", "describe_nat_gateways", NatGatewayIds=[gateway])
        except Gone:
            return ""
        return str(find_at(answer, "NatGateways.0.State") or "")


ADAPTERS = (Eip(), EipAssociation(), NatGateway())
