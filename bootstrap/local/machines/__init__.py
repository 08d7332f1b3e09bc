"""Machines of the local cloud: podman containers that behave as EC2 instances do, with real systemd, sshd and cloud-init."""

from bootstrap.local.machines.image import ensure_image
from bootstrap.local.machines.machines import Machines
from bootstrap.local.machines.seed import InstanceSpec

__all__ = ["InstanceSpec", "Machines", "ensure_image"]
