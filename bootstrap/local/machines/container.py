"""The container of one machine: makes it, starts and stops it, waits for it, and removes it.

A machine is up when cloud-init has finished without an error and sshd answers: before that, nobody can use an EC2 instance.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.image_content import REBOOT_EXIT_CODE
from bootstrap.local.machines.names import IDS_LABEL, RANGES_LABEL, STATE_LABEL, Names
from bootstrap.local.machines.podman import Podman, cut_tail
from bootstrap.local.machines.seed import InstanceSpec

State = Literal["running", "stopped", "absent"]

BOOT_SECONDS = 300.0
# cloud-init writes its result at the end of the boot; /run is empty at each start, so the file is always of this boot.
AWAIT_CLOUD_INIT = "until test -e /run/cloud-init/result.json; do sleep 0.1; done; cat /run/cloud-init/result.json"
LOOK_SECONDS = 0.5  # between two checks whether podman has noticed the end of a machine
CLOUD_INIT_LOG = "tail -n 25 /var/log/cloud-init-output.log"


class Container:
    """The container of one instance."""

    def __init__(self, engine: Podman, names: Names, instance_id: str) -> None:
        self._engine = engine
        self._names = names
        self.instance_id = instance_id
        self.name = names.name_object(instance_id)

    def read_state(self) -> State:
        """The state as EC2 names it; a container that never ran (this process was killed) counts as absent."""
        if not self._engine.has("container", self.name):
            return "absent"
        status, _, owner = self._inspect(
            f'{{{{.State.Status}}}} {{{{index .Config.Labels "{STATE_LABEL}"}}}}'
        ).partition(" ")
        self._names.require_own(self.name, owner)
        if status in {"created", "configured", "initialized", "removing", "unknown"}:
            return "absent"
        return "running" if status in {"running", "stopping", "paused"} else "stopped"

    def read_address(self) -> str:
        """The private address with which the machine was made."""
        return self._inspect('{{index .Config.Labels "bootstrap.address"}}')

    def read_gateway(self) -> str:
        """The gateway address of its subnet, while it runs."""
        return self._inspect("{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}")

    def require_namespace(self) -> None:
        """LocalCloudFailed if the container was made without a user namespace: it must not run any more."""
        if not self._inspect(f'{{{{index .Config.Labels "{IDS_LABEL}"}}}}'):
            raise LocalCloudFailed(
                f"starting the machine of {self.instance_id}",
                "an earlier version made it, without a user namespace: root in it would be root on this machine",
                "Destroy the environment without --delete-data, then launch it: its data stays.",
            )

    def require_ordinary_ids(self, doing: str) -> None:
        """LocalCloudFailed if the container has more ids than other machines: files of volumes would have no owner in it."""
        if self._inspect(f'{{{{index .Config.Labels "{RANGES_LABEL}"}}}}') not in {"", "1"}:
            raise LocalCloudFailed(
                doing,
                f"the local cloud has no volumes for instances whose users run containers, such as {self.instance_id}",
                "Attach it to another instance.",
            )

    def create(
        self,
        spec: InstanceSpec,
        image: str,
        network: str,
        disks: Path,
        own_ids: list[int],
        options: tuple[str, ...],
    ) -> None:
        """Make and start the container; an incomplete one is replaced.

        `own_ids` are the first ids of its ranges on this machine; the first of all is its root.
        """
        self._engine.run_when_free(
            "run",
            *options,
            "--replace",
            f"--name={self.name}",
            f"--hostname={spec.hostname}",
            *(f"--label={label}" for label in self._names.labels),
            f"--label=bootstrap.address={spec.private_ip}",
            f"--label={IDS_LABEL}={own_ids[0]}",
            f"--label={RANGES_LABEL}={len(own_ids)}",
            f"--network={network}",
            f"--ip={spec.private_ip}",
            f"--volume={self._names.locate_seed(spec.instance_id)}:/var/lib/cloud/seed/nocloud:ro",
            # The folder has no owner in the container, so it is protected even if the machine makes the mount writable.
            f"--volume={disks}:/dev/disk/by-id:ro,rslave",
            image,
            doing=f"starting the container of {spec.instance_id}",
        )

    def start(self) -> None:
        """Start a stopped container; it keeps its root file system and its address."""
        doing = f"starting {self.instance_id}"
        # Podman may not have removed the old network setup yet; with a user namespace it makes a new one without a check.
        self._engine.run("container", "cleanup", self.name, doing=doing)
        self._engine.run("start", self.name, doing=doing)

    def has_rebooted(self) -> bool:
        """Whether the container stopped because of a reboot, and not because of a power-off."""
        return self.read_state() == "stopped" and self._inspect("{{.State.ExitCode}}") == str(REBOOT_EXIT_CODE)

    def stop(self) -> None:
        """Shut the machine down; it is killed after the container's stop time-out."""
        self._engine.run("stop", self.name, doing=f"stopping {self.instance_id}")

    def remove(self) -> None:
        """Remove the container and its root file system; no error if there is none."""
        self._engine.run_when_free(
            "rm", "--force", "--ignore", "--volumes", "--time=0", self.name, doing=f"removing {self.instance_id}"
        )

    def execute(self, script: str, *, doing: str = "", timeout: float = 60.0) -> str:
        """Run a shell command as root in the machine and return its output; LocalCloudFailed if it fails."""
        return self._engine.run(
            "exec", self.name, "sh", "-c", script, doing=doing or f"looking into {self.instance_id}", timeout=timeout
        )

    def read_log(self) -> str:
        """Everything that the machine wrote on its console since it was made."""
        return self._engine.run("logs", self.name, doing=f"reading the console of {self.instance_id}").replace("\r", "")

    def await_up(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until cloud-init has finished and sshd answers; LocalCloudFailed, with logs, after `timeout` seconds."""
        doing = f"waiting for {self.instance_id} to boot"
        deadline = time.monotonic() + timeout
        try:
            result_text = self.execute(AWAIT_CLOUD_INIT, doing=doing, timeout=timeout)
        except LocalCloudFailed as failure:
            raise self._boot_failed(
                doing, f"{failure.found}\nIts console ends with:\n{cut_tail(self.read_log())}"
            ) from None
        try:
            errors = [str(error) for error in json.loads(result_text)["v1"]["errors"]]
        except (ValueError, LookupError, TypeError):
            errors = [f"its result cannot be read: {cut_tail(result_text, 3)}"]
        if errors:
            log_tail = self.execute(CLOUD_INIT_LOG, doing="reading cloud-init's log")
            raise self._boot_failed(doing, f"cloud-init failed: {'; '.join(errors)}\n{cut_tail(log_tail, 25)}")
        while not does_sshd_answer(self.read_address()):
            if time.monotonic() > deadline:
                raise self._boot_failed(doing, f"sshd did not answer in {timeout:.0f} s\n{cut_tail(self.read_log())}")
            time.sleep(0.1)

    def await_end(self) -> None:
        """Wait until the machine does not run any more, for whatever reason, without polling."""
        while self.read_state() == "running":
            process = self._process()
            if process:
                _await_exit(process, self._process)
            time.sleep(LOOK_SECONDS)

    def _process(self) -> int:
        """The id of the container's first process on this machine; 0 if it does not run."""
        return int(self._inspect("{{.State.Pid}}"))

    def _boot_failed(self, doing: str, found: str) -> LocalCloudFailed:
        return LocalCloudFailed(
            doing, found, f"The machine is kept: examine it with 'podman exec -it {self.name} bash'."
        )

    def _inspect(self, template: str) -> str:
        return self._engine.run(
            "container", "inspect", "--format", template, self.name, doing=f"looking at {self.instance_id}"
        ).strip()


def _await_exit(process: int, read_process: Callable[[], int]) -> None:
    """Wait until a process has ended. `read_process` is called again after opening it, because ids of processes are reused."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        if read_process() == process:
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            ended.poll()
    finally:
        os.close(handle)


def does_sshd_answer(address: str, port: int = 22) -> bool:
    """Whether an SSH server answers at an address."""
    try:
        with socket.create_connection((address, port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
