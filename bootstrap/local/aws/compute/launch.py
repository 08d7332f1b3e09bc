"""What moto forgets when it launches an instance from a launch template, put right around its own call.

EC2 takes from the template whatever the request does not say: profile, metadata options, disks. moto takes only a few of them.
The root disk follows the image's device name, and EBS fields that moto drops (type, IOPS, throughput, encryption) are set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ROOT_GIB = 8
IOPS_TYPES = frozenset({"io1", "io2", "gp3"})
_IOPS: ContextVar[dict[str, int | None]] = ContextVar("iops of the disks of the launch in progress")


def complete(backend: Any, image_id: str | None, wanted: dict[str, Any]) -> None:
    """Fill in `wanted` (the arguments of RunInstances) before moto launches."""
    data = template_data(backend, wanted)
    if data.get("MetadataOptions") and not wanted.get("metadata_options"):
        wanted["metadata_options"] = data["MetadataOptions"]
    if data.get("NetworkInterfaces") and not wanted.get("nics"):  # moto puts the first one into a group's subnet
        wanted["nics"] = [_interface(nic) for nic in data["NetworkInterfaces"]]
    if is_true((data.get("Monitoring") or {}).get("Enabled")):
        wanted["monitoring_state"] = "enabled"
    root = _root_device(backend, image_id or data.get("ImageId"))
    disks = wanted.get("block_device_mappings") or data.get("BlockDeviceMappings") or []
    wanted["block_device_mappings"] = _with_root([_disk(disk) for disk in disks], root)


@contextmanager
def launching(wanted: dict[str, Any]) -> Iterator[None]:
    """Keep the IOPS of the disks at hand, for moto asks for them where it makes a volume but does not hand them there."""
    before = _IOPS.set(
        {disk["DeviceName"]: _number(disk["Ebs"].get("Iops")) for disk in wanted["block_device_mappings"]}
    )
    try:
        yield
    finally:
        _IOPS.reset(before)


def add_disk(instance: Any, size: int, device: str, snapshot_id: str | None, encrypted: bool, goes: bool, key: str | None,
             volume_type: str | None) -> None:  # fmt: skip
    """In the place of moto's `Instance.add_block_device`: the same, with the IOPS that io1 and io2 cannot be without."""
    volume = instance.ec2_backend.create_volume(
        size=size,
        zone_name=instance._placement.zone,
        snapshot_id=snapshot_id,
        encrypted=encrypted,
        kms_key_id=key,
        volume_type=volume_type,
        iops=_IOPS.get({}).get(device) if volume_type in IOPS_TYPES else None,
    )
    instance.ec2_backend.attach_volume(volume.id, instance.id, device, goes)


def finish(backend: Any, instance: Any, wanted: dict[str, Any]) -> None:
    """Set on the launched instance and its disks what moto has no argument for."""
    for interface in instance.nics.values():
        if not any(nic.get("NetworkInterfaceId") == interface.id for nic in wanted.get("nics") or ()):
            interface.delete_on_termination = True  # what a launch made goes with the instance
    data = template_data(backend, wanted)
    profile = data.get("IamInstanceProfile") or {}
    asked = wanted.get("iam_instance_profile_name") or wanted.get("iam_instance_profile_arn")
    if profile and not asked and instance.id not in backend.iam_instance_profile_associations:
        backend.associate_iam_instance_profile(
            instance_id=instance.id,
            iam_instance_profile_name=profile.get("Name"),
            iam_instance_profile_arn=profile.get("Arn"),
        )
    if is_true(data.get("DisableApiTermination")):
        instance.disable_api_termination = True
    tags = _template_tags(data, "volume")
    by_device = {disk["DeviceName"]: disk["Ebs"] for disk in wanted["block_device_mappings"]}
    for device, block in instance.get_block_device_mapping:
        volume = backend.get_volume(block.volume_id)
        volume.add_tags(tags)
        fields = by_device.get(device, {})
        volume.iops = _number(fields.get("Iops")) or (3000 if volume.volume_type == "gp3" else None)
        volume.throughput = _number(fields.get("Throughput")) or (125 if volume.volume_type == "gp3" else None)


def template_data(backend: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The data of the launch template version that the request names; empty without one."""
    if not wanted.get("launch_template"):
        return {}
    data: dict[str, Any] = backend._get_template_from_args(wanted["launch_template"]).data
    return data


def is_true(value: object) -> bool:
    """Whether a flag is set, which templates write as a boolean or as a word."""
    return str(value).lower() == "true"


def _interface(nic: dict[str, Any]) -> dict[str, Any]:
    flags = ("AssociatePublicIpAddress", "DeleteOnTermination")
    return {**nic, **{key: is_true(nic[key]) for key in flags if key in nic}}


def _disk(disk: dict[str, Any]) -> dict[str, Any]:
    ebs = dict(disk.get("Ebs") or {})
    ebs["VolumeSize"] = _number(ebs.get("VolumeSize")) or ROOT_GIB
    ebs["Encrypted"] = is_true(ebs.get("Encrypted"))
    ebs["DeleteOnTermination"] = str(ebs.get("DeleteOnTermination", "true")).lower() == "true"
    return {**disk, "Ebs": ebs, "NoDevice": disk.get("NoDevice")}


def _with_root(disks: list[dict[str, Any]], root: str) -> list[dict[str, Any]]:
    if any(disk["DeviceName"] == root for disk in disks):
        return disks
    default = {"VolumeSize": ROOT_GIB, "VolumeType": "gp3", "DeleteOnTermination": True, "Encrypted": False}
    return [{"DeviceName": root, "Ebs": default, "NoDevice": None}, *disks]


def _root_device(backend: Any, image_id: str | None) -> str:
    image = backend.amis.get(image_id)
    return image.root_device_name if image else "/dev/sda1"


def _template_tags(data: dict[str, Any], resource: str) -> dict[str, str]:
    specifications = data.get("TagSpecifications") or []
    if isinstance(specifications, dict):
        specifications = [specifications]
    return {
        tag["Key"]: tag["Value"]
        for specification in specifications
        if specification.get("ResourceType") == resource
        for tag in specification.get("Tags") or specification.get("Tag") or []
    }


def _number(value: object) -> int | None:
    return int(str(value)) if value not in (None, "") else None
