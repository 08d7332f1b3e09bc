"""The names and labels of the environment's containers, networks and folders."""

from __future__ import annotations

import re
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

LABEL = "bootstrap.environment"
STATE_LABEL = "bootstrap.state"
IDS_LABEL = "bootstrap.ids"  # the first of a container's ids on this machine
RANGES_LABEL = "bootstrap.ranges"  # how many ranges of ids a container has; without it, one


class Names:
    """Names of one environment: podman objects are 'bootstrap-<environment>-<id>', files are below the folder `state`."""

    def __init__(self, environment: str, state: Path) -> None:
        self.environment = environment
        self.state = state.resolve()
        # Two checkouts can use the same environment name, and the ids of the cloud are the same in each launch. So the label
        # with the folder distinguishes the objects of this checkout from those of another one.
        self.labels = (f"{LABEL}={environment}", f"{STATE_LABEL}={self.state}")

    def require_own(self, name: str, label: str) -> None:
        """LocalCloudFailed if the label of podman's object shows another folder than `state`."""
        if label != str(self.state):
            raise LocalCloudFailed(
                f"looking at podman's '{name}'",
                f"it belongs to another copy of this environment, whose state is at '{label}'",
                "Destroy that copy's environment, or launch this one under another name and network.",
            )

    def name_object(self, resource_id: str) -> str:
        """The name of the container of an instance, or of the network of a subnet."""
        return f"bootstrap-{self.environment}-{check_id(resource_id, 'i', 'subnet')}"

    def locate_seed(self, instance_id: str) -> Path:
        """The folder with the data for the machine's cloud-init."""
        return self.locate_machine(instance_id) / "seed"

    def locate_disks(self, instance_id: str) -> Path:
        """The folder that is /dev/disk/by-id in the machine."""
        return self.locate_machine(instance_id) / "disks"

    def locate_machine(self, instance_id: str) -> Path:
        """The folder of one machine on this machine."""
        return self.state / "machines" / check_id(instance_id, "i")

    def locate_wide_ids(self) -> Path:
        """The folder that stands for the ids of machines whose users run containers."""
        return self.state / "wide-ids"

    def locate_volume(self, volume_id: str) -> Path:
        """The folder with the content of a volume."""
        return self.state / "volumes" / check_id(volume_id, "vol")

    def locate_attachment(self, volume_id: str) -> Path:
        """The file that names the instance a volume is attached to."""
        return self.state / "attachments" / check_id(volume_id, "vol")


def check_id(resource_id: str, *kinds: str) -> str:
    """Returns an id of EC2 ('i-0a1b', 'vol-0a1b', 'subnet-0a1b'); LocalCloudFailed for another text.

    The id is checked because it becomes a part of paths and names.
    """
    if not re.fullmatch(rf"({'|'.join(kinds)})-[0-9a-f]+", resource_id):
        raise LocalCloudFailed(
            "naming a part of the local cloud",
            f"'{resource_id}' is not an EC2 id of {' or '.join(kinds)}",
            "This is a bug of the toolkit.",
        )
    return resource_id
