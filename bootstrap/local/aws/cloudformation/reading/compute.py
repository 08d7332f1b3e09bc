"""Instances, launch templates, key pairs, volumes and network interfaces."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.reading.network import attribute, ec2
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import from_arn, ids, state_is

DISK = {"Size": "VolumeSize"}
DISK_MEMBERS = ("Encrypted", "Iops", "KmsKeyId", "SnapshotId", "Size", "VolumeType", "Throughput")


def _disks(found: Any, to: Context) -> list[dict[str, Any]]:
    """The disks that the template maps, as their volumes are; of a virtual name EC2 tells nothing."""
    there = {one["DeviceName"]: one["Ebs"] for one in found.get("BlockDeviceMappings", [])}
    made: list[dict[str, Any]] = []
    for one in to.get("BlockDeviceMappings") or []:
        name = one.get("DeviceName")
        if name in there:
            made.append({"DeviceName": name, "Ebs": _disk(there[name], to)})
        elif "VirtualName" in one:
            made.append({"DeviceName": name})
    return made


def _disk(ebs: dict[str, Any], to: Context) -> dict[str, Any]:
    volume = to.call("ec2", "describe_volumes", VolumeIds=[ebs["VolumeId"]])["Volumes"][0]
    made = {DISK.get(name, name): volume[name] for name in DISK_MEMBERS if name in volume}
    return {**made, "DeleteOnTermination": ebs.get("DeleteOnTermination")}


def _interfaces(found: Any, _: Context) -> list[dict[str, Any]]:
    return [
        {
            **one,
            "DeviceIndex": at(one, "Attachment.DeviceIndex"),
            "DeleteOnTermination": at(one, "Attachment.DeleteOnTermination"),
            "GroupSet": [group["GroupId"] for group in one.get("Groups", [])],
            "AssociatePublicIpAddress": "Association" in one,
        }
        for one in found.get("NetworkInterfaces", [])
    ]


def _volumes(found: Any, to: Context) -> list[dict[str, Any]]:
    """The volumes of the instance that the template attaches, less its own disks."""
    named = {one["VolumeId"] for one in to.get("Volumes") or []}
    mapped = [(one["DeviceName"], at(one, "Ebs.VolumeId")) for one in found.get("BlockDeviceMappings", [])]
    return [{"Device": device, "VolumeId": volume} for device, volume in mapped if volume in named]


def _launched_from(found: Any, _: Context) -> Any:
    """EC2 tells it by tags of its own."""
    tags = {one["Key"]: one["Value"] for one in found.get("Tags", [])}
    if "aws:ec2launchtemplate:id" not in tags:
        return None
    return {"LaunchTemplateId": tags["aws:ec2launchtemplate:id"], "Version": tags.get("aws:ec2launchtemplate:version")}


def _secondary(found: Any, _: Context) -> int:
    return sum(not one.get("Primary") for one in found.get("PrivateIpAddresses", []))


def _public_key(found: Any, _: Context) -> str | None:
    return " ".join(str(found["PublicKey"]).split()[:2]) if found.get("PublicKey") else None


READS: dict[str, tuple[Read, ...]] = {
    "AWS::EC2::Instance": (
        ec2(
            "describe_instances",
            "InstanceIds",
            "Reservations.0.Instances",
            AvailabilityZone="Placement.AvailabilityZone",
            Tenancy="Placement.Tenancy",
            Monitoring=state_is("Monitoring.State", "enabled"),
            SecurityGroupIds=ids("SecurityGroups", "GroupId"),
            SecurityGroups=ids("SecurityGroups", "GroupName"),
            IamInstanceProfile=from_arn("IamInstanceProfile.Arn"),
            BlockDeviceMappings=_disks,
            NetworkInterfaces=_interfaces,
            Volumes=_volumes,
            LaunchTemplate=_launched_from,
        ),
        attribute("describe_instance_attribute", "InstanceId", "disableApiTermination", "DisableApiTermination"),
        attribute("describe_instance_attribute", "InstanceId", "userData", "UserData"),
        attribute(
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
            {"PublicKeyMaterial": _public_key},
        ),
    ),
    "AWS::EC2::Volume": (ec2("describe_volumes", "VolumeIds", "Volumes"),),
    "AWS::EC2::VolumeAttachment": (
        Read("ec2", "describe_volumes", {"VolumeIds": ["#VolumeId"]}, "Volumes.0.Attachments.0"),
    ),
    "AWS::EC2::NetworkInterface": (
        ec2(
            "describe_network_interfaces",
            "NetworkInterfaceIds",
            "NetworkInterfaces",
            GroupSet=ids("Groups", "GroupId"),
            SecondaryPrivateIpAddressCount=_secondary,
        ),
    ),
}
