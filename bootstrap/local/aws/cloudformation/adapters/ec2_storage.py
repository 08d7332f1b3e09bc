"""Volumes, their attachments, and network interfaces."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at, is_true
from bootstrap.local.aws.cloudformation.errors import Gone


class Volume(Ec2):
    """AWS::EC2::Volume; Ref is its id."""

    type = "AWS::EC2::Volume"

    def create(self, to: To) -> str:
        """Create the volume and return its id; a gp3 volume has 3000 IOPS and 125 MiB/s unless the template says otherwise."""
        names = (
            "AvailabilityZone",
            "Size",
            "SnapshotId",
            "VolumeType",
            "Iops",
            "Throughput",
            "KmsKeyId",
            "MultiAttachEnabled",
        )
        parameters = to.pick(*names)
        if parameters.get("VolumeType") == "gp3":
            parameters = {"Iops": 3000, "Throughput": 125, **parameters}
        volume = to.call("ec2", "create_volume", Encrypted=is_true(to.get("Encrypted")), **parameters)
        return str(volume["VolumeId"])

    def update(self, to: To) -> None:
        """Change size, type, IOPS and throughput; other changes are refused (Unchanged)."""
        names = to.changed & {"Size", "VolumeType", "Iops", "Throughput"}
        others = to.changed - names - {"AutoEnableIO", "Tags"}
        if others:
            super().update(to)
        if names:
            to.call("ec2", "modify_volume", VolumeId=to.physical_id, **to.pick(*sorted(names)))

    def delete(self, to: To) -> None:
        """Delete the volume. EC2 refuses that while it is attached."""
        to.call("ec2", "delete_volume", VolumeId=to.physical_id)

    def make_snapshot(self, to: To) -> None:
        """Make a snapshot with the volume's tags (DeletionPolicy: Snapshot)."""
        description = f"Snapshot of {to.logical_id} of the stack {to.stack_name}, taken before its deletion"
        answer = to.call("ec2", "create_snapshot", VolumeId=to.physical_id, Description=description)
        own_tags = [tag for tag in to.list_tags() if not tag["Key"].startswith("aws:")]
        if own_tags:
            to.call("ec2", "create_tags", Resources=[answer["SnapshotId"]], Tags=own_tags)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id. Raises Gone when the volume does not exist."""
        to.call("ec2", "describe_volumes", VolumeIds=[to.physical_id])
        return {"VolumeId": to.physical_id}


class VolumeAttachment(Adapter):
    """AWS::EC2::VolumeAttachment; Ref is the volume and the instance."""

    type = "AWS::EC2::VolumeAttachment"

    def create(self, to: To) -> str:
        """Attach the volume; the instance may run or be stopped."""
        device = to.get("Device") or "/dev/sdf"
        to.call("ec2", "attach_volume", Device=device, **to.pick("VolumeId", "InstanceId"))
        return f"{to.get('VolumeId')}|{to.get('InstanceId')}"

    def delete(self, to: To) -> None:
        """Detach the volume. Raises Gone when it is not attached, e.g. because the instance was terminated."""
        answer = to.call("ec2", "describe_volumes", VolumeIds=[to.get("VolumeId")])
        if not find_at(answer, "Volumes.0.Attachments"):
            raise Gone(f"The volume {to.get('VolumeId')} is not attached")
        to.call("ec2", "detach_volume", **to.pick("VolumeId", "InstanceId"))


class NetworkInterface(Ec2):
    """AWS::EC2::NetworkInterface; Ref is its id."""

    type = "AWS::EC2::NetworkInterface"

    def create(self, to: To) -> str:
        """Create the interface in its subnet and return its id."""
        parameters = to.pick("SubnetId", "Description", "PrivateIpAddress", "InterfaceType")
        if "GroupSet" in to.properties:
            parameters["Groups"] = to.get("GroupSet")
        interface = str(
            to.call("ec2", "create_network_interface", **parameters)["NetworkInterface"]["NetworkInterfaceId"]
        )
        to.physical_id = interface
        if count := to.pick("SecondaryPrivateIpAddressCount"):  # at the creation moto may give an address twice
            to.call("ec2", "assign_private_ip_addresses", NetworkInterfaceId=interface, **count)
        if "SourceDestCheck" in to.properties:
            self._modify(to, SourceDestCheck={"Value": is_true(to.get("SourceDestCheck"))})
        return interface

    def update(self, to: To) -> None:
        """Change security groups, description and the source/destination check."""
        if "GroupSet" in to.changed:
            self._modify(to, Groups=to.get("GroupSet"))
        if "Description" in to.changed:
            self._modify(to, Description={"Value": to.get("Description")})
        if "SourceDestCheck" in to.changed:
            self._modify(to, SourceDestCheck={"Value": is_true(to.get("SourceDestCheck", True))})

    def delete(self, to: To) -> None:
        """Delete the interface. EC2 refuses that while it is attached."""
        to.call("ec2", "delete_network_interface", NetworkInterfaceId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id, addresses and VPC."""
        answer = to.call("ec2", "describe_network_interfaces", NetworkInterfaceIds=[to.physical_id])
        interface = answer["NetworkInterfaces"][0]
        primary = interface.get("PrivateIpAddress")
        addresses = [one["PrivateIpAddress"] for one in interface.get("PrivateIpAddresses", [])]
        return {
            "Id": to.physical_id,
            "PrimaryPrivateIpAddress": primary,
            "SecondaryPrivateIpAddresses": [one for one in addresses if one != primary],
            "VpcId": interface.get("VpcId"),
        }

    def _modify(self, to: To, **attribute: Any) -> None:
        to.call("ec2", "modify_network_interface_attribute", NetworkInterfaceId=to.physical_id, **attribute)


ADAPTERS = (Volume(), VolumeAttachment(), NetworkInterface())
