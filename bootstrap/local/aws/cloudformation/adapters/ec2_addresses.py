"""Public addresses and NAT gateways."""

from __future__ import annotations

import contextlib
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.errors import Gone


class Eip(Ec2):
    """AWS::EC2::EIP; Ref is the public address."""

    type = "AWS::EC2::EIP"

    def create(self, to: To) -> str:
        """Allocate, and associate when an instance is named."""
        made = to.call(
            "ec2", "allocate_address", Domain="vpc", **to.pick("PublicIpv4Pool", "NetworkBorderGroup", "Address")
        )
        if "InstanceId" in to.properties:
            to.call("ec2", "associate_address", AllocationId=made["AllocationId"], InstanceId=to.get("InstanceId"))
        return str(made["PublicIp"])

    def update(self, to: To) -> None:
        """Another instance, or none."""
        found = self._found(to)
        if found.get("AssociationId"):
            to.call("ec2", "disassociate_address", AssociationId=found["AssociationId"])
        if "InstanceId" in to.properties:
            to.call("ec2", "associate_address", AllocationId=found["AllocationId"], InstanceId=to.get("InstanceId"))

    def delete(self, to: To) -> None:
        """Release it, associated or not."""
        found = self._found(to)
        if found.get("AssociationId"):
            to.call("ec2", "disassociate_address", AssociationId=found["AssociationId"])
        to.call("ec2", "release_address", AllocationId=found["AllocationId"])

    def attributes(self, to: To) -> dict[str, Any]:
        """Address and allocation."""
        return {"PublicIp": to.physical_id, "AllocationId": self._found(to)["AllocationId"]}

    def tag_target(self, to: To) -> str:
        """Tags are on the allocation."""
        return str(self._found(to)["AllocationId"])

    def _found(self, to: To) -> dict[str, Any]:
        asked = [{"Name": "public-ip", "Values": [to.physical_id]}]
        found = to.call("ec2", "describe_addresses", Filters=asked)["Addresses"]
        if not found:
            raise Gone(f"The address {to.physical_id} does not exist")
        return dict(found[0])


class EipAssociation(Ec2):
    """AWS::EC2::EIPAssociation"""

    type = "AWS::EC2::EIPAssociation"

    def create(self, to: To) -> str:
        """Ref is the association's id."""
        names = ("AllocationId", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress")
        given = to.pick(*names)
        if "EIP" in to.properties:
            given["PublicIp"] = to.get("EIP")
        return str(to.call("ec2", "associate_address", **given)["AssociationId"])

    def delete(self, to: To) -> None:
        """The address stays allocated."""
        to.call("ec2", "disassociate_address", AssociationId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}


class NatGateway(Ec2):
    """AWS::EC2::NatGateway"""

    type = "AWS::EC2::NatGateway"

    def create(self, to: To) -> str:
        """Wait until it is available."""
        names = ("AllocationId", "SubnetId", "ConnectivityType", "PrivateIpAddress")
        made = to.call("ec2", "create_nat_gateway", **to.pick(*names))["NatGateway"]["NatGatewayId"]
        to.initiated(str(made))
        to.wait(lambda: self._state(to, str(made)) == "available", f"NAT gateway {made}")
        return str(made)

    def delete(self, to: To) -> None:
        """Wait until it is deleted, since its address cannot be released before."""
        found = to.call("ec2", "describe_nat_gateways", NatGatewayIds=[to.physical_id])
        interface = at(found, "NatGateways.0.NatGatewayAddresses.0.NetworkInterfaceId")
        to.call("ec2", "delete_nat_gateway", NatGatewayId=to.physical_id)
        to.wait(lambda: self._state(to, to.physical_id) in {"deleted", ""}, f"NAT gateway {to.physical_id}")
        if interface:  # EC2 takes it along, moto does not
            with contextlib.suppress(Gone):
                to.call_as_service("ec2", "delete_network_interface", NetworkInterfaceId=interface)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"NatGatewayId": to.physical_id}

    def exists(self, to: To) -> bool:
        """Whether it still is."""
        return self._state(to, to.physical_id) == "available"

    def _state(self, to: To, gateway: str) -> str:
        try:
            answer = to.call("ec2", "describe_nat_gateways", NatGatewayIds=[gateway])
        except Gone:
            return ""
        return str(at(answer, "NatGateways.0.State") or "")


ADAPTERS = (Eip(), EipAssociation(), NatGateway())
