"""The interface between EC2 instances and the machines that run them.

`load` returns machines that are containers and need podman. For tests that need only the APIs, it returns simulated machines,
which run at once and have an empty console.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast


@dataclass(frozen=True)
class MachineSpec:
    """A machine to boot, from its instance in EC2: `user_data` is decoded, `gateway` is the first address of the subnet."""

    instance_id: str
    private_ip: str
    subnet_id: str
    subnet_cidr: str
    image_id: str
    user_data: bytes
    public_key: str | None
    tags: dict[str, str]
    gateway: str


class Machines(Protocol):
    """The machines of instances. Each method returns when its work is done, and raises LocalCloudFailed if it fails."""

    def boot(self, spec: Any) -> None:
        """Boot the machine; returns when its sshd answers."""

    def stop(self, instance_id: str) -> None:
        """Stop the machine; it keeps its disk."""

    def start(self, instance_id: str) -> None:
        """Start a stopped machine."""

    def reboot(self, instance_id: str) -> None:
        """Restart the machine."""

    def terminate(self, instance_id: str) -> None:
        """Remove the machine with its disk."""

    def attach(self, volume_id: str, instance_id: str, device: str) -> None:
        """Make a volume visible to the machine; `device` is the name in the request, such as /dev/sdf."""

    def detach(self, volume_id: str, instance_id: str) -> None:
        """Remove a volume from the machine; the content of the volume stays."""

    def delete_volume(self, volume_id: str) -> None:
        """Delete the content of a volume."""

    def read_console(self, instance_id: str) -> str:
        """The text that the machine wrote to its console."""

    def read_state(self, instance_id: str) -> str:
        """'running', 'stopped' or 'absent'."""

    def watch(self, instance_id: str, ended: Callable[[], None]) -> None:
        """Call `ended` once, in another thread, when the machine no longer runs, for any reason; returns at once."""

    def has_rebooted(self, instance_id: str) -> bool:
        """Whether a machine that no longer runs has rebooted itself, so that it must be started again."""

    def delete_network(self, subnet_id: str) -> None:
        """Delete the network of a subnet."""

    def enforce(self, region: str, chains: str) -> None:
        """Filter the traffic between the region's machines with these nftables chains; '' removes the filter."""

    def read_enforced(self, region: str) -> str:
        """The region's chains as the kernel has them now; '' if it has none."""

    def explain_unjudged(self) -> str:
        """A message if the kernel cannot filter some traffic, with the reason; '' if it can filter all traffic."""


@dataclass
class SimulatedMachines:
    """Machines without containers: they only keep the state that the last call gave them."""

    states: dict[str, str] = field(default_factory=dict)

    def boot(self, spec: MachineSpec) -> None:
        """Set the state to running."""
        self.states[spec.instance_id] = "running"

    def stop(self, instance_id: str) -> None:
        """Set the state to stopped."""
        self.states[instance_id] = "stopped"

    def start(self, instance_id: str) -> None:
        """Set the state to running."""
        self.states[instance_id] = "running"

    def reboot(self, instance_id: str) -> None:
        """Do nothing: the machine keeps running."""

    def terminate(self, instance_id: str) -> None:
        """Forget the machine."""
        self.states.pop(instance_id, None)

    def attach(self, volume_id: str, instance_id: str, device: str) -> None:
        """Do nothing: simulated machines have no volumes."""

    def detach(self, volume_id: str, instance_id: str) -> None:
        """Do nothing: simulated machines have no volumes."""

    def delete_volume(self, volume_id: str) -> None:
        """Do nothing: a simulated volume has no content."""

    def read_console(self, instance_id: str) -> str:
        """An empty text: a simulated machine has no console."""
        return ""

    def read_state(self, instance_id: str) -> str:
        """The state that the last call set; 'absent' for an unknown machine."""
        return self.states.get(instance_id, "absent")

    def watch(self, instance_id: str, ended: Callable[[], None]) -> None:
        """Do nothing: a simulated machine never stops by itself."""

    def has_rebooted(self, instance_id: str) -> bool:
        """False: a simulated machine never reboots by itself."""
        return False

    def delete_network(self, subnet_id: str) -> None:
        """Do nothing: a simulated subnet has no network."""

    def enforce(self, region: str, chains: str) -> None:
        """Do nothing: simulated machines have no traffic."""

    def read_enforced(self, region: str) -> str:
        """An empty text: no chains are set for simulated machines."""
        return ""

    def explain_unjudged(self) -> str:
        """The reason why no traffic is filtered: the machines are simulated."""
        return "the machines are simulated"


class ContainerMachines:
    """The containers of `bootstrap.local.machines`; that package is imported when the first machine is needed."""

    def __init__(self, environment: str, state: Path) -> None:
        self._environment = environment
        self._state = state
        self._machines: Machines | None = None

    def boot(self, spec: MachineSpec) -> None:
        """Boot the container of an instance."""
        container_spec = importlib.import_module("bootstrap.local.machines").InstanceSpec(**vars(spec))
        self._load().boot(container_spec)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)

    def _load(self) -> Machines:
        if self._machines is None:
            module = importlib.import_module("bootstrap.local.machines")
            self._machines = cast(Machines, module.Machines(self._environment, self._state))
        return self._machines


def load(environment: str, state: Path, *, with_machines: bool) -> Machines:
    """The machines of `environment`, with their files below `state`: containers, or simulated ones without `with_machines`."""
    return cast(Machines, ContainerMachines(environment, state)) if with_machines else SimulatedMachines()
