"""Volumes, their attachments, and network interfaces."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at, is_true
from bootstrap.local.aws.cloudformation.errors import Gone


class Volume(Ec2):
    """AWS::EC2::Volume"""

    type = "AWS::EC2::Volume"

    def create(self, to: To) -> str:
        """CloudFormation's default type is gp2 where the template names none; gp3 has its base figures."""
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
        given = to.pick(*names)
        if given.get("VolumeType") == "gp3":
            given = {"Iops": 3000, "Throughput": 125, **given}
        made = to.call("ec2", "create_volume", Encrypted=is_true(to.get("Encrypted")), **given)
        return str(made["VolumeId"])

    def update(self, to: To) -> None:
        """Size, type and figures; encryption cannot change, as EC2 says."""
        names = to.changed & {"Size", "VolumeType", "Iops", "Throughput"}
        others = to.changed - names - {"AutoEnableIO", "Tags"}
        if others:
            super().update(to)
        if names:
            to.call("ec2", "modify_volume", VolumeId=to.physical_id, **to.pick(*sorted(names)))

    def delete(self, to: To) -> None:
        """EC2 refuses while it is attached."""
        to.call("ec2", "delete_volume", VolumeId=to.physical_id)

    def snapshot(self, to: To) -> None:
        """DeletionPolicy: Snapshot."""
        said = f"Snapshot of {to.logical_id} of the stack {to.stack_name}, taken before its deletion"
        made = to.call("ec2", "create_snapshot", VolumeId=to.physical_id, Description=said)
        named = [tag for tag in to.tag_list() if not tag["Key"].startswith("aws:")]
        if named:
            to.call("ec2", "create_tags", Resources=[made["SnapshotId"]], Tags=named)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id; reading it tells whether it is there."""
        to.call("ec2", "describe_volumes", VolumeIds=[to.physical_id])
        return {"VolumeId": to.physical_id}


class VolumeAttachment(Adapter):
    """AWS::EC2::VolumeAttachment; Ref is volume and instance."""

    type = "AWS::EC2::VolumeAttachment"

    def create(self, to: To) -> str:
        """The instance may be running or stopped."""
        device = to.get("Device") or "/dev/sdf"
        to.call("ec2", "attach_volume", Device=device, **to.pick("VolumeId", "InstanceId"))
        return f"{to.get('VolumeId')}|{to.get('InstanceId')}"

    def delete(self, to: To) -> None:
        """Detached; an instance that is gone has let go of it already."""
        found = to.call("ec2", "describe_volumes", VolumeIds=[to.get("VolumeId")])
        if not at(found, "Volumes.0.Attachments"):
            raise Gone(f"The volume {to.get('VolumeId')} is not attached")
        to.call("ec2", "detach_volume", **to.pick("VolumeId", "InstanceId"))


class NetworkInterface(Ec2):
    """AWS::EC2::NetworkInterface"""

    type = "AWS::EC2::NetworkInterface"

    def create(self, to: To) -> str:
        """In a subnet, with an address of its own."""
        given = to.pick("SubnetId", "Description", "PrivateIpAddress", "InterfaceType")
        if "GroupSet" in to.properties:
            given["Groups"] = to.get("GroupSet")
        made = str(to.call("ec2", "create_network_interface", **given)["NetworkInterface"]["NetworkInterfaceId"])
        to.physical_id = made
        if count := to.pick("SecondaryPrivateIpAddressCount"):  # at its creation moto may draw an address twice
            to.call("ec2", "assign_private_ip_addresses", NetworkInterfaceId=made, **count)
        if "SourceDestCheck" in to.properties:
            self._modify(to, SourceDestCheck={"Value": is_true(to.get("SourceDestCheck"))})
        return made

    def update(self, to: To) -> None:
        """Groups, description and the source check."""
        if "GroupSet" in to.changed:
            self._modify(to, Groups=to.get("GroupSet"))
        if "Description" in to.changed:
            self._modify(to, Description={"Value": to.get("Description")})
        if "SourceDestCheck" in to.changed:
            self._modify(to, SourceDestCheck={"Value": is_true(to.get("SourceDestCheck", True))})

    def delete(self, to: To) -> None:
        """EC2 refuses while it is attached."""
        to.call("ec2", "delete_network_interface", NetworkInterfaceId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Addresses."""
        asked = to.call("ec2", "describe_network_interfaces", NetworkInterfaceIds=[to.physical_id])
        found = asked["NetworkInterfaces"][0]
        primary = found.get("PrivateIpAddress")
        others = [one["PrivateIpAddress"] for one in found.get("PrivateIpAddresses", [])]
        return {
            "Id": to.physical_id,
            "PrimaryPrivateIpAddress": primary,
            "SecondaryPrivateIpAddresses": [one for one in others if one != primary],
            "VpcId": found.get("VpcId"),
        }

    def _modify(self, to: To, **what: Any) -> None:
        to.call("ec2", "modify_network_interface_attribute", NetworkInterfaceId=to.physical_id, **what)


ADAPTERS = (Volume(), VolumeAttachment(), NetworkInterface())
