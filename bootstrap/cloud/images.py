"""Debian's images (AMIs) on AWS: the newest one, by its public SSM parameter, and what EC2 knows of one.

Debian publishes a new image every few weeks, and deregisters old ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.errors import ImageMissing

PARAMETER = "/aws/service/debian/release/13/latest/amd64"
ARM_PARAMETER = "/aws/service/debian/release/13/latest/arm64"
ARCHITECTURE = "x86_64"
"""The architecture of these images, and of the instance types that an environment can have."""


@dataclass(frozen=True)
class Image:
    """One image: its id, its name and the day of its publication; name and day are '' if it is not available (any more).

    `owner` is the id of the account that published it, `root_type` what its root device is on ('ebs'), and `root_gib` the least
    size of its root volume; 0 if EC2 does not say it.
    """

    id: str
    name: str = ""
    published: str = ""
    is_available: bool = False
    owner: str = ""
    architecture: str = ""
    root_type: str = ""
    root_gib: int = 0

    def __str__(self) -> str:
        if not self.is_available:
            return f"{self.id} (no longer available)"
        return f"{self.id} ({self.name}, published {self.published})"


def read_newest(aws: Callable[[str], Any], *, is_arm: bool = False) -> str:
    """The id of the newest image, also for arm64. Raises ImageMissing if the region has no such parameter, and ClientError."""
    name = ARM_PARAMETER if is_arm else PARAMETER
    parameters = aws("ssm").get_parameters(Names=[name])["Parameters"]
    if not parameters:
        raise ImageMissing(
            "looking for the newest image of Debian 13",
            f"this region has no public parameter {name}",
            "Choose another 'region' in the environment file.",
        )
    return str(parameters[0]["Value"])


def describe(aws: Callable[[str], Any], image_id: str) -> Image:
    """What EC2 knows of an image, also of a deprecated one. Raises ClientError."""
    # By a filter: EC2 answers the id of an image that is gone with an error, or with nothing.
    chosen = [{"Name": "image-id", "Values": [image_id]}]
    for image in aws("ec2").describe_images(Filters=chosen, IncludeDeprecated=True)["Images"]:
        is_available = image.get("State", "available") == "available"
        return Image(
            image_id,
            image.get("Name", ""),
            str(image.get("CreationDate", ""))[:10],
            is_available,
            image.get("OwnerId", ""),
            image.get("Architecture", ""),
            image.get("RootDeviceType", ""),
            _find_root_size(image),
        )
    return Image(image_id)


def _find_root_size(found: Mapping[str, Any]) -> int:
    for mapping in found.get("BlockDeviceMappings", ()):
        if mapping.get("DeviceName") == found.get("RootDeviceName"):
            return int(mapping.get("Ebs", {}).get("VolumeSize", 0))
    return 0
