"""Machines as podman containers: image, networks, volumes, boot, console.

It decides how a container must be started on this kernel so that systemd, cloud-init and nftables work inside. It also finds
the machines of earlier runs. It knows nothing of AWS' API.
Imported by: cli.commands, doctor, local.
"""

from bootstrap.local.machines.image import ensure_image
from bootstrap.local.machines.machines import Machines
from bootstrap.local.machines.seed import InstanceSpec

__all__ = ["InstanceSpec", "Machines", "ensure_image"]
