"""How the environment's containers, networks and directories are called and labelled, in one place."""

from __future__ import annotations

import re
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

LABEL = "bootstrap.environment"
STATE_LABEL = "bootstrap.state"
IDS_LABEL = "bootstrap.ids"  # the first of a container's ids on this machine


class Names:
    """Names of one environment: podman objects are 'bootstrap-<environment>-<id>', files lie under the state directory."""

    def __init__(self, environment: str, state: Path) -> None:
        self.environment = environment
        self.state = state.resolve()
        # Two copies of the project may use one environment name, and the cloud's ids are the same on each launch: what another
        # copy made must be neither taken for ours nor removed.
        self.labels = (f"{LABEL}={environment}", f"{STATE_LABEL}={self.state}")

    def require_own(self, name: str, label: str) -> None:
        """LocalCloudFailed when podman's object of that name has another state directory as its label than ours."""
        if label != str(self.state):
            raise LocalCloudFailed(
                f"looking at podman's '{name}'",
                f"it belongs to another copy of this environment, whose state is at '{label}'",
                "Destroy that copy's environment, or launch this one under another name and network.",
            )

    def object(self, resource_id: str) -> str:
        """The container of an instance, or the network of a subnet."""
        return f"bootstrap-{self.environment}-{checked(resource_id, 'i', 'subnet')}"

    def seed(self, instance_id: str) -> Path:
        """Where the machine's cloud-init finds its data."""
        return self.machine(instance_id) / "seed"

    def disks(self, instance_id: str) -> Path:
        """What the machine sees as /dev/disk/by-id."""
        return self.machine(instance_id) / "disks"

    def machine(self, instance_id: str) -> Path:
        """Everything this side keeps of one machine."""
        return self.state / "machines" / checked(instance_id, "i")

    def volume(self, volume_id: str) -> Path:
        """The content of a volume."""
        return self.state / "volumes" / checked(volume_id, "vol")

    def attachment(self, volume_id: str) -> Path:
        """The file that names the instance a volume is attached to."""
        return self.state / "attachments" / checked(volume_id, "vol")


def checked(resource_id: str, *kinds: str) -> str:
    """The id itself, if it is one of EC2's ('i-0a1b', 'vol-0a1b', 'subnet-0a1b'): ids become parts of paths and names."""
    if not re.fullmatch(rf"({'|'.join(kinds)})-[0-9a-f]+", resource_id):
        raise LocalCloudFailed(
            "naming a part of the local cloud",
            f"'{resource_id}' is not an EC2 id of {' or '.join(kinds)}",
            "This is a bug of the toolkit.",
        )
    return resource_id
