"""Instances and their machines without moto: a backend that records events, and machines that take their time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.aws.compute.machine_interface import MachineSpec, SimulatedMachines


class Backend:
    """The parts of EC2's backend that an instance needs."""

    account_id = "1"
    region_name = "eu-central-1"
    key_pairs = {"pair": SimpleNamespace(public_key="ssh-ed25519 AAAA\n")}

    def get_subnet(self, _: str) -> Any:
        return SimpleNamespace(cidr_block="10.77.3.0/24")


class Instance:
    """The parts of moto's instance that the work on machines reads; a test has one, the `latest` one."""

    latest: Instance

    def __init__(self) -> None:
        Instance.latest = self
        self.id = "i-1"
        self.subnet_id = "subnet-1"
        self.private_ip = "10.77.3.4"
        self.image_id = "ami-1"
        self.user_data = "I2Nsb3VkLWNvbmZpZw=="
        self.key_name = "pair"
        self.root_device_name = "/dev/xvda"
        self.ec2_backend = Backend()
        self._state = SimpleNamespace(name="running", code=16)
        self.get_block_device_mapping = [("/dev/xvda", SimpleNamespace(volume_id="vol-root"))]

    @property
    def state(self) -> str:
        return str(self._state.name)

    def get_tags(self) -> list[dict[str, str]]:
        return [{"key": "Name", "value": "controller"}]


class Slow(SimulatedMachines):
    """Machines whose boot ends when the test allows it, with success or with `problem`."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.problem = ""
        self.rebooted = False
        self.done: list[str] = []
        self.watchers: list[Callable[[], None]] = []

    def boot(self, spec: MachineSpec) -> None:
        self.may_go_on.wait(10)
        if self.problem:
            raise LocalCloudFailed("booting", self.problem, "look")
        self.done.append(f"boot {spec.instance_id}")
        super().boot(spec)

    def start(self, instance_id: str) -> None:
        if self.problem:
            raise LocalCloudFailed("starting", self.problem, "look")
        super().start(instance_id)

    def watch(self, instance_id: str, ended: Callable[[], None]) -> None:
        self.watchers.append(ended)

    def lose_power(self) -> None:
        self.states["i-1"] = "stopped"
        self.watchers.pop()()

    def reboot_itself(self) -> None:
        self.rebooted = True
        self.lose_power()

    def has_rebooted(self, instance_id: str) -> bool:
        return self.rebooted and self.states[instance_id] == "stopped"

    def attach(self, volume_id: str, instance_id: str, device: str) -> None:
        self.done.append(f"attach {volume_id}")
