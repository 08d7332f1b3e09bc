"""Instances, launch templates, key pairs, volumes and network interfaces."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading.network import describe_attribute, describe_ec2
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import read_from_arn, read_ids, read_state

DISK = {"Size": "VolumeSize"}
DISK_MEMBERS = ("Encrypted", "Iops", "KmsKeyId", "SnapshotId", "Size", "VolumeType", "Throughput")


def _read_disks(part: Any, to: Context) -> list[dict[str, Any]]:
    """The disks in the template, with the properties of their volumes; EC2 returns nothing for a virtual name."""
    mapped_disks = {item["DeviceName"]: item["Ebs"] for item in part.get("BlockDeviceMappings", [])}
    disks: list[dict[str, Any]] = []
    for item in to.get("BlockDeviceMappings") or []:
        name = item.get("DeviceName")
        if name in mapped_disks:
            disks.append({"DeviceName": name, "Ebs": _convert_disk(mapped_disks[name], to)})
        elif "VirtualName" in item:
            disks.append({"DeviceName": name})
    return disks


def _convert_disk(ebs: dict[str, Any], to: Context) -> dict[str, Any]:
    volume = to.call("ec2", "describe_volumes", VolumeIds=[ebs["VolumeId"]])["Volumes"][0]
    members = {DISK.get(name, name): volume[name] for name in DISK_MEMBERS if name in volume}
    return {**members, "DeleteOnTermination": ebs.get("DeleteOnTermination")}


def _read_interfaces(part: Any, _: Context) -> list[dict[str, Any]]:
    return [
        {
            **item,
            "DeviceIndex": find_at(item, "Attachment.DeviceIndex"),
            "DeleteOnTermination": find_at(item, "Attachment.DeleteOnTermination"),
            "GroupSet": [group["GroupId"] for group in item.get("Groups", [])],
            "AssociatePublicIpAddress": bool(item.get("Association")),
        }
        for item in part.get("NetworkInterfaces", [])
    ]


def _read_volumes(part: Any, to: Context) -> list[dict[str, Any]]:
    """The volumes that the template attaches to the instance, without the instance's own disks."""
    named = {item["VolumeId"] for item in to.get("Volumes") or []}
    mapped = [(item["DeviceName"], find_at(item, "Ebs.VolumeId")) for item in part.get("BlockDeviceMappings", [])]
    return [{"Device": device, "VolumeId": volume} for device, volume in mapped if volume in named]


def _read_launched_from(part: Any, _: Context) -> Any:
    """The launch template of an instance, from tags that EC2 adds."""
    tags = {item["Key"]: item["Value"] for item in part.get("Tags", [])}
    if "aws:ec2launchtemplate:id" not in tags:
        return None
    return {"LaunchTemplateId": tags["aws:ec2launchtemplate:id"], "Version": tags.get("aws:ec2launchtemplate:version")}


def _read_secondary(part: Any, _: Context) -> int:
    return sum(not item.get("Primary") for item in part.get("PrivateIpAddresses", []))


def _read_public_key(part: Any, _: Context) -> str | None:
    return " ".join(str(part["PublicKey"]).split()[:2]) if part.get("PublicKey") else None


READS: dict[str, tuple[Read, ...]] = {
    "AWS::EC2::Instance": (
        describe_ec2(
            "describe_instances",
            "InstanceIds",
            "Reservations.0.Instances",
            AvailabilityZone="Placement.AvailabilityZone",
            Tenancy="Placement.Tenancy",
            Monitoring=read_state("Monitoring.State", "enabled"),
            SecurityGroupIds=read_ids("SecurityGroups", "GroupId"),
            SecurityGroups=read_ids("SecurityGroups", "GroupName"),
            IamInstanceProfile=read_from_arn("IamInstanceProfile.Arn"),
            BlockDeviceMappings=_read_disks,
            NetworkInterfaces=_read_interfaces,
            Volumes=_read_volumes,
            LaunchTemplate=_read_launched_from,
        ),
        describe_attribute(
            "describe_instance_attribute", "InstanceId", "disableApiTermination", "DisableApiTermination"
        ),
        describe_attribute("describe_instance_attribute", "InstanceId", "userData", "UserData"),
        describe_attribute(
            "describe_instance_attribute",
            "InstanceId",
            "instanceInitiatedShutdownBehavior",
            "InstanceInitiatedShutdownBehavior",
        ),
    ),
    "AWS::EC2::LaunchTemplate": (
        Read(
            "ec2",
            "describe_launch_template_versions",
            {"LaunchTemplateId": "@id", "Versions": ["$Latest"]},
            "LaunchTemplateVersions.0",
        ),
        Read("ec2", "describe_launch_templates", {"LaunchTemplateIds": ["@id"]}, "LaunchTemplates.0", plain=False),
    ),
    "AWS::EC2::KeyPair": (
        Read(
            "ec2",
            "describe_key_pairs",
            {"KeyNames": ["@id"], "IncludePublicKey": True},
            "KeyPairs.0",
            {"PublicKeyMaterial": _read_public_key},
        ),
    ),
    "AWS::EC2::Volume": (describe_ec2("describe_volumes", "VolumeIds", "Volumes"),),
    "AWS::EC2::VolumeAttachment": (
        Read("ec2", "describe_volumes", {"VolumeIds": ["#VolumeId"]}, "Volumes.0.Attachments.0"),
    ),
    "AWS::EC2::NetworkInterface": (
        describe_ec2(
            "describe_network_interfaces",
            "NetworkInterfaceIds",
            "NetworkInterfaces",
            GroupSet=read_ids("Groups", "GroupId"),
            SecondaryPrivateIpAddressCount=_read_secondary,
        ),
    ),
}
