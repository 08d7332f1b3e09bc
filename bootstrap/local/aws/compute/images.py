"""The machine images of the local cloud: Debian 13, as Debian publishes it on AWS, with its public SSM parameters.

Owner, name scheme and parameter names are those of Debian's cloud team (wiki.debian.org/Cloud/AmazonEC2Image); the image id is
made by this module, because the machine images are built on this machine.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

OWNER = "136693071363"
PARAMETERS = "/aws/service/debian"
RELEASED = datetime.datetime(2025, 8, 11, tzinfo=datetime.UTC)


def image_id(architecture: str = "amd64") -> str:
    """The id of the Debian 13 image for a Debian architecture name."""
    return "ami-0" + hashlib.sha256(f"debian-13-{architecture}".encode()).hexdigest()[:16]


def list_parameters() -> dict[str, str]:
    """The public SSM parameters by name: the latest image of the release, by its number and by its name."""
    names = [f"{PARAMETERS}/{form}/latest/amd64" for form in ("release/13", "release/trixie")]
    return dict.fromkeys(names, image_id())


def write_images(directory: Path) -> Path:
    """Write images.json into `directory`, which moto loads into every region; returns the path of the file."""
    path = directory / "images.json"
    path.write_text(
        json.dumps(
            [
                {
                    "ami_id": image_id(),
                    "state": "available",
                    "public": True,
                    "owner_id": OWNER,
                    "image_location": f"{OWNER}/debian-13-amd64-20250811-2201",
                    "sriov": "simple",
                    "root_device_type": "ebs",
                    "root_device_name": "/dev/xvda",
                    "description": "Debian 13 (20250811-2201)",
                    "image_type": "machine",
                    "platform": None,
                    "architecture": "x86_64",
                    "name": "debian-13-amd64-20250811-2201",
                    "virtualization_type": "hvm",
                    "hypervisor": "xen",
                    "creation_date": "2025-08-11T00:00:00.000Z",
                }
            ]
        )
    )
    return path
