"""What a machine's cloud-init reads at its first boot: the NoCloud seed, three files in one directory.

The user data is the instance's own, byte for byte, as EC2 would serve it; the metadata holds what cloud-init takes from EC2's
metadata service: identity, host name and the key for the login user.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class InstanceSpec:
    """What EC2 knows of an instance and a machine needs. `gateway` is the subnet's first address; keys are OpenSSH lines."""

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
    def hostname(self) -> str:
        """EC2's default host name for an address: 10.77.0.5 is ip-10-77-0-5."""
        return "ip-" + self.private_ip.replace(".", "-")


def seed_files(spec: InstanceSpec) -> dict[str, bytes]:
    """The seed of one instance: file name to content. JSON is YAML, so the metadata needs no YAML writer."""
    metadata: dict[str, object] = {"instance-id": spec.instance_id, "local-hostname": spec.hostname}
    if spec.public_key:
        metadata["public-keys"] = [spec.public_key.strip()]
    return {"meta-data": json.dumps(metadata, indent=1).encode() + b"\n", "user-data": spec.user_data}


def write_seed(spec: InstanceSpec, directory: Path) -> None:
    """Write the seed; only root may read it, since user data can hold what others should not see."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in seed_files(spec).items():
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o600)
