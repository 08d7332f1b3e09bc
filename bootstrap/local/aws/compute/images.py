"""The machine images of the local cloud: Debian 13, as Debian publishes it on AWS, with its public SSM parameters.

Owner, name scheme and parameter names are those of Debian's cloud team (wiki.debian.org/Cloud/AmazonEC2Image). This module
makes the ids, because the machine images are built on this machine. Debian publishes a new image every few weeks, and
deregisters old ones. Here a control endpoint does that on demand (see `server.control`): the public parameters then have the id
of the new image. All images start the same containers.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.local.aws.persistence import randomness

OWNER = "136693071363"
PARAMETERS = "/aws/service/debian"
_NAME = re.compile(r"debian-13-amd64-(\d{8})-\d{1,6}")


class InvalidImage(ValueError):
    """An image cannot be published or deregistered; the text says why."""


@dataclass(frozen=True)
class Image:
    """One published image; its name contains the day of its publication."""

    id: str
    name: str

    @property
    def published(self) -> datetime.datetime:
        """When it was published: the begin of that day. Raises ValueError if the name has no valid day."""
        match = _NAME.fullmatch(self.name)
        day = match.group(1) if match else ""
        return datetime.datetime.strptime(day, "%Y%m%d").replace(tzinfo=datetime.UTC)

    def describe(self) -> dict[str, Any]:
        """The image as moto loads it."""
        number = self.name.removeprefix("debian-13-amd64-")
        return {
            "ami_id": self.id,
            "state": "available",
            "public": True,
            "owner_id": OWNER,
            "image_location": f"{OWNER}/{self.name}",
            "sriov": "simple",
            "root_device_type": "ebs",
            "root_device_name": "/dev/xvda",
            "description": f"Debian 13 ({number})",
            "image_type": "machine",
            "platform": None,
            "architecture": "x86_64",
            "name": self.name,
            "virtualization_type": "hvm",
            "hypervisor": "xen",
            "creation_date": f"{self.published:%Y-%m-%dT%H:%M:%S}.000Z",
        }


def _make_id(text: str) -> str:
    return "ami-0" + hashlib.sha256(text.encode()).hexdigest()[:16]


FIRST = Image(_make_id("debian-13-amd64"), "debian-13-amd64-20250811-2201")
"""The image that every local cloud has from its start."""


class Catalogue:
    """The images of one local cloud, oldest first; its changes are events of the journal.

    The public parameters name the newest one.
    """

    def __init__(self) -> None:
        self.published = [FIRST]
        self.deregistered: set[str] = set()

    @property
    def newest(self) -> Image:
        """The image that the public parameters name."""
        return self.published[-1]

    def check_new(self, name: str) -> None:
        """Raises InvalidImage if no image of this name can be published after those that exist."""
        try:
            published = Image("", name).published
        except ValueError:
            raise InvalidImage(f"{name!r} is no name like {FIRST.name}") from None
        if published <= self.newest.published:
            raise InvalidImage(f"{name} is not newer than {self.newest.name}")

    def check_old(self, image_id: str) -> None:
        """Raises InvalidImage if the image cannot be deregistered."""
        if image_id == self.newest.id:
            raise InvalidImage(f"{image_id} is the newest image, which the public parameters name")
        if image_id not in {image.id for image in self.published} - self.deregistered:
            raise InvalidImage(f"there is no image {image_id}")

    def apply_published(self, event: dict[str, Any]) -> None:
        """Publish an image in all regions."""
        self.published.append(Image(_make_id(event["name"]), event["name"]))
        self._bring_to_all()

    def apply_deregistered(self, event: dict[str, Any]) -> None:
        """Deregister an image in all regions."""
        self.deregistered.add(event["image"])
        self._bring_to_all()

    def bring_to(self, backend: Any, module: Any) -> None:
        """Give moto's EC2 of one region the images that it lacks, and deregister the others there; `module` has its class Ami.

        The ids of their snapshots have a seed of their own, so that a region makes the same other ids with and without them.
        """
        for image in self.published:
            if image.id not in backend.amis and image.id not in backend.deleted_amis:
                described = image.describe()
                described["creation_date"] = module.parse_timestamp(described["creation_date"])
                with randomness.use_seed(f"{image.id}/{backend.region_name}"):
                    backend.amis[image.id] = module.Ami(backend, owner_alias="amazon", **described)
        for image_id in self.deregistered & backend.amis.keys():
            backend.deregister_image(image_id)

    def list_all(self) -> list[dict[str, Any]]:
        """The images, oldest first, as the control endpoint shows them."""
        return [
            {"id": image.id, "name": image.name, "is_deregistered": image.id in self.deregistered}
            for image in self.published
        ]

    def _bring_to_all(self) -> None:
        """Change the regions that were used before; later ones get the images when they are first used."""
        models = sys.modules.get("moto.ec2.models")
        for regions in dict.values(models.ec2_backends) if models else ():
            for backend in dict.values(regions):
                self.bring_to(backend, sys.modules["moto.ec2.models.amis"])


def list_parameters() -> Iterator[str]:
    """The names of the public SSM parameters: the latest image of the release, by its number and by its name."""
    return (f"{PARAMETERS}/{form}/latest/amd64" for form in ("release/13", "release/trixie"))


def write_images(directory: Path) -> Path:
    """Write images.json into `directory`, which moto loads into every region; returns the path of the file."""
    path = directory / "images.json"
    path.write_text(json.dumps([FIRST.describe()]))
    return path
