"""The NoCloud seed: the files that a machine's cloud-init reads at its first boot.

The user data has the same bytes as on EC2. The metadata has what cloud-init reads from EC2's metadata service: the instance id,
the host name and the key of the login user.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.local.machines import file_trees, mounts


@dataclass(frozen=True)
class InstanceSpec:
    """The properties of an instance that its machine needs.

    `gateway` is the first address of the subnet; `public_key` is a line of OpenSSH.
    """

    instance_id: str
    private_ip: str
    subnet_id: str
    subnet_cidr: str
    image_id: str
    user_data: bytes
    public_key: str | None
    tags: dict[str, str] = field(default_factory=dict)
    gateway: str = ""

    @property
    def runs_containers(self) -> bool:
        """Whether users of the machine run containers: the template of the agents tags such instances."""
        return self.tags.get("Containers") == "yes"

    @property
    def hostname(self) -> str:
        """EC2's default host name for an address: 10.77.0.5 is ip-10-77-0-5."""
        return "ip-" + self.private_ip.replace(".", "-")


def make_seed_files(spec: InstanceSpec) -> dict[str, bytes]:
    """The seed of one instance: file name to content. The metadata is JSON, which is valid YAML."""
    metadata: dict[str, object] = {"instance-id": spec.instance_id, "local-hostname": spec.hostname}
    if spec.public_key:
        metadata["public-keys"] = [spec.public_key.strip()]
    return {"meta-data": json.dumps(metadata, indent=1).encode() + b"\n", "user-data": spec.user_data}


def write_seed(spec: InstanceSpec, directory: Path, owner: int) -> None:
    """Write the seed; an old one is replaced.

    Only `owner`, the machine's root, may read it, because user data can have secrets. The folder belongs to root of this
    machine, so that the machine cannot add files to it.
    """
    with mounts.open_folder(directory.parent) as machine:
        file_trees.remove(machine, directory.name)
        os.mkdir(directory.name, 0o755, dir_fd=machine)
        with mounts.open_folder(directory.parent, directory.name) as seed:
            for name, content in make_seed_files(spec).items():
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                with os.fdopen(os.open(name, flags, 0o600, dir_fd=seed), "wb") as file:
                    file.write(content)
                    os.fchown(file.fileno(), owner, owner)
