"""Completes moto's launch of an instance from a launch template, before and after moto's own call.

EC2 takes from the template what the request does not have: profile, metadata options, disks, what a shutdown does, the purchase
option. moto takes only a few of them.
The root disk gets the image's device name, and the EBS fields that moto drops (type, IOPS, throughput, encryption) are set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ROOT_GIB = 8
METADATA_DEFAULTS = "metadata_defaults"
"""The attribute of moto's backend with the region's defaults of metadata options, by EC2's names."""
IOPS_TYPES = frozenset({"io1", "io2", "gp3"})
_IOPS: ContextVar[dict[str, int | None]] = ContextVar("iops of the disks of the launch in progress")


def complete_arguments(backend: Any, image_id: str | None, arguments: dict[str, Any]) -> None:
    """Complete the arguments of RunInstances in place, from the launch template and the image, before moto launches.

    Raises moto's error if the image was deregistered.
    """
    from moto.ec2.exceptions import UnvailableAMIIdError

    data = find_template_data(backend, arguments)
    if data.get("MetadataOptions") and not arguments.get("metadata_options"):
        arguments["metadata_options"] = data["MetadataOptions"]
    options = arguments.get("metadata_options") or {}
    arguments["metadata_options"] = {**backend.__dict__.get(METADATA_DEFAULTS, {}), **options}
    # In an Auto Scaling group, moto puts the first network interface into a subnet of the group.
    if data.get("NetworkInterfaces") and not arguments.get("nics"):
        arguments["nics"] = [_convert_interface(nic) for nic in data["NetworkInterfaces"]]
    if is_true((data.get("Monitoring") or {}).get("Enabled")):
        arguments["monitoring_state"] = "enabled"
    behavior = "instance_initiated_shutdown_behavior"
    arguments[behavior] = arguments.get(behavior) or data.get("InstanceInitiatedShutdownBehavior")
    market = arguments.get("instance_market_options") or data.get("InstanceMarketOptions") or {}
    arguments["instance_market_options"] = market if market.get("MarketType") == "spot" else None
    arguments.setdefault("region_name", backend.region_name)  # for its private DNS name
    chosen: str = image_id or data.get("ImageId") or ""
    if chosen in backend.deleted_amis:
        raise UnvailableAMIIdError(chosen)  # moto launches an instance of an image that was deregistered
    root = _find_root_device(backend, chosen)
    disks = arguments.get("block_device_mappings") or data.get("BlockDeviceMappings") or []
    arguments["block_device_mappings"] = _add_root([_convert_disk(disk) for disk in disks], root)


@contextmanager
def keep_iops(arguments: dict[str, Any]) -> Iterator[None]:
    """Within the context, keep the IOPS of the disks for `add_disk`, because moto does not pass them to it."""
    before = _IOPS.set(
        {disk["DeviceName"]: _parse_number(disk["Ebs"].get("Iops")) for disk in arguments["block_device_mappings"]}
    )
    try:
        yield
    finally:
        _IOPS.reset(before)


def add_disk(instance: Any, size: int, device: str, snapshot_id: str | None, encrypted: bool, delete_on_termination: bool,
             key: str | None, volume_type: str | None) -> None:  # fmt: skip
    """Replaces moto's `Instance.add_block_device`: it does the same, and sets the IOPS, which io1 and io2 need."""
    volume = instance.ec2_backend.create_volume(
        size=size,
        zone_name=instance._placement.zone,
        snapshot_id=snapshot_id,
        encrypted=encrypted,
        kms_key_id=key,
        volume_type=volume_type,
        iops=_IOPS.get({}).get(device) if volume_type in IOPS_TYPES else None,
    )
    instance.ec2_backend.attach_volume(volume.id, instance.id, device, delete_on_termination)


def finish_launch(backend: Any, instance: Any, arguments: dict[str, Any]) -> None:
    """Set what moto has no argument for on the launched instance, its network interfaces and its disks."""
    for interface in instance.nics.values():
        if not any(nic.get("NetworkInterfaceId") == interface.id for nic in arguments.get("nics") or ()):
            interface.delete_on_termination = True  # EC2 deletes interfaces of the launch with the instance
    data = find_template_data(backend, arguments)
    profile = data.get("IamInstanceProfile") or {}
    requested_profile = arguments.get("iam_instance_profile_name") or arguments.get("iam_instance_profile_arn")
    if profile and not requested_profile and instance.id not in backend.iam_instance_profile_associations:
        backend.associate_iam_instance_profile(
            instance_id=instance.id,
            iam_instance_profile_name=profile.get("Name"),
            iam_instance_profile_arn=profile.get("Arn"),
        )
    if is_true(data.get("DisableApiTermination")):
        instance.disable_api_termination = True
    own = {tag["key"] for tag in instance.get_tags()}
    instance.add_tags({key: value for key, value in _read_template_tags(data, "instance").items() if key not in own})
    tags = _read_template_tags(data, "volume")
    by_device = {disk["DeviceName"]: disk["Ebs"] for disk in arguments["block_device_mappings"]}
    for device, block in instance.get_block_device_mapping:
        volume = backend.get_volume(block.volume_id)
        volume.add_tags(tags)
        fields = by_device.get(device, {})
        volume.iops = _parse_number(fields.get("Iops")) or (3000 if volume.volume_type == "gp3" else None)
        volume.throughput = _parse_number(fields.get("Throughput")) or (125 if volume.volume_type == "gp3" else None)


def find_template_data(backend: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """The data of the launch template version that the request names; empty if it names none."""
    if not arguments.get("launch_template"):
        return {}
    data: dict[str, Any] = backend._get_template_from_args(arguments["launch_template"]).data
    return data


def is_true(value: object) -> bool:
    """Whether a flag of a template is true; templates have a boolean or the word 'true'."""
    return str(value).lower() == "true"


def _convert_interface(nic: dict[str, Any]) -> dict[str, Any]:
    flags = ("AssociatePublicIpAddress", "DeleteOnTermination")
    return {**nic, **{key: is_true(nic[key]) for key in flags if key in nic}}


def _convert_disk(disk: dict[str, Any]) -> dict[str, Any]:
    ebs = dict(disk.get("Ebs") or {})
    ebs["VolumeSize"] = _parse_number(ebs.get("VolumeSize")) or ROOT_GIB
    ebs["Encrypted"] = is_true(ebs.get("Encrypted"))
    ebs["DeleteOnTermination"] = str(ebs.get("DeleteOnTermination", "true")).lower() == "true"
    return {**disk, "Ebs": ebs, "NoDevice": disk.get("NoDevice")}


def _add_root(disks: list[dict[str, Any]], root: str) -> list[dict[str, Any]]:
    if any(disk["DeviceName"] == root for disk in disks):
        return disks
    default = {"VolumeSize": ROOT_GIB, "VolumeType": "gp3", "DeleteOnTermination": True, "Encrypted": False}
    return [{"DeviceName": root, "Ebs": default, "NoDevice": None}, *disks]


def _find_root_device(backend: Any, image_id: str | None) -> str:
    image = backend.amis.get(image_id)
    return image.root_device_name if image else "/dev/sda1"


def _read_template_tags(data: dict[str, Any], resource: str) -> dict[str, str]:
    specifications = data.get("TagSpecifications") or []
    if isinstance(specifications, dict):
        specifications = [specifications]
    return {
        tag["Key"]: tag["Value"]
        for specification in specifications
        if specification.get("ResourceType") == resource
        for tag in specification.get("Tags") or specification.get("Tag") or []
    }


def _parse_number(value: object) -> int | None:
    return int(str(value)) if value not in (None, "") else None
