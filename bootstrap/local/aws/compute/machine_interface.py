"""What the cloud asks of whoever runs its machines, and the one that runs none.

`load` gives the real thing, which needs podman, or, for tests of the APIs alone, simulated machines: they run at
once, and their console is empty.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast


@dataclass(frozen=True)
class Wanted:
    """A machine to boot, as EC2 knows it: `user_data` is decoded, `gateway` is the first address of the subnet."""

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
    """The containers behind the instances; every method blocks until done and raises LocalCloudFailed."""

    def boot(self, spec: Any) -> None:
        """Boot the machine; returns when its sshd answers."""

    def stop(self, instance_id: str) -> None:
        """Stop it, keeping its disk."""

    def start(self, instance_id: str) -> None:
        """Start it again."""

    def reboot(self, instance_id: str) -> None:
        """Restart it."""

    def terminate(self, instance_id: str) -> None:
        """Remove it with its disk."""

    def attach(self, volume_id: str, instance_id: str, device: str) -> None:
        """Make a volume visible to it."""

    def detach(self, volume_id: str, instance_id: str) -> None:
        """Take a volume away from it."""

    def delete_volume(self, volume_id: str) -> None:
        """Remove a volume's content."""

    def console(self, instance_id: str) -> str:
        """What the machine wrote to its console."""

    def state(self, instance_id: str) -> str:
        """'running', 'stopped' or 'absent'."""

    def watch(self, instance_id: str, ended: Callable[[], None]) -> None:
        """Call `ended` once, from a thread of its own, when the machine runs no more, whatever ended it; returns at once."""

    def has_rebooted(self, instance_id: str) -> bool:
        """Whether a machine that runs no more has only rebooted, and is to be started again."""

    def delete_network(self, subnet_id: str) -> None:
        """Remove a subnet's network."""

    def enforce(self, region: str, chains: str) -> None:
        """Let these nftables chains judge what goes between the region's machines; '' judges nothing any more."""

    def enforced(self, region: str) -> str:
        """The region's chains as the kernel holds them now; '' where it holds none."""

    def unjudged(self) -> str:
        """What the kernel cannot be made to show to the chains, and why; '' where nothing is left out."""


@dataclass
class NoMachines:
    """Simulated machines: they run when told so, and nothing is behind them."""

    states: dict[str, str] = field(default_factory=dict)

    def boot(self, spec: Wanted) -> None:
        """It runs at once."""
        self.states[spec.instance_id] = "running"

    def stop(self, instance_id: str) -> None:
        """It stops at once."""
        self.states[instance_id] = "stopped"

    def start(self, instance_id: str) -> None:
        """It runs again at once."""
        self.states[instance_id] = "running"

    def reboot(self, instance_id: str) -> None:
        """It keeps running."""

    def terminate(self, instance_id: str) -> None:
        """It is gone at once."""
        self.states.pop(instance_id, None)

    def attach(self, volume_id: str, instance_id: str, device: str) -> None:
        """A simulated volume is visible to nobody."""

    def detach(self, volume_id: str, instance_id: str) -> None:
        """A simulated volume was visible to nobody."""

    def delete_volume(self, volume_id: str) -> None:
        """A simulated volume has no content."""

    def console(self, instance_id: str) -> str:
        """Nothing was ever printed."""
        return ""

    def state(self, instance_id: str) -> str:
        """What it was told last."""
        return self.states.get(instance_id, "absent")

    def watch(self, instance_id: str, ended: Callable[[], None]) -> None:
        """A simulated machine never goes down by itself."""

    def has_rebooted(self, instance_id: str) -> bool:
        """A simulated machine never reboots by itself."""
        return False

    def delete_network(self, subnet_id: str) -> None:
        """A simulated subnet has no network."""

    def enforce(self, region: str, chains: str) -> None:
        """Between simulated machines there is no traffic."""

    def enforced(self, region: str) -> str:
        """Nothing holds them."""
        return ""

    def unjudged(self) -> str:
        """Nothing goes that could be judged."""
        return "the machines are simulated"


class Real:
    """The containers of `bootstrap.local.machines`, imported when the first one is needed."""

    def __init__(self, environment: str, state: Path) -> None:
        self._environment = environment
        self._state = state
        self._machines: Machines | None = None

    def boot(self, spec: Wanted) -> None:
        """Boot the container of an instance."""
        described = importlib.import_module("bootstrap.local.machines").InstanceSpec(**vars(spec))
        self._loaded().boot(described)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loaded(), name)

    def _loaded(self) -> Machines:
        if self._machines is None:
            module = importlib.import_module("bootstrap.local.machines")
            self._machines = cast(Machines, module.Machines(self._environment, self._state))
        return self._machines


def load(environment: str, state: Path, *, with_machines: bool) -> Machines:
    """The machines of `environment`: containers, or paper ones."""
    return cast(Machines, Real(environment, state)) if with_machines else NoMachines()
