"""The machines of the local cloud's EC2 instances; the API server calls this when an instance changes its state."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import (
    bridges,
    cgroups,
    console,
    file_trees,
    flags,
    ids,
    mounts,
    namespaces,
    network,
    packets,
    tunnels,
)
from bootstrap.local.machines.container import Container, State
from bootstrap.local.machines.image import Report, ensure_image
from bootstrap.local.machines.names import IDS_LABEL, RANGES_LABEL, Names
from bootstrap.local.machines.podman import Podman, read_podman_info
from bootstrap.local.machines.seed import InstanceSpec, write_seed
from bootstrap.local.machines.volumes import Volumes


def _ignore_report(_text: str) -> None:
    """The default for `report`: ignores the lines about the build of the image."""


class Machines:
    """All machines, networks and volumes of one environment; `state` is the directory for volumes and seeds.

    Every method can be called from several threads, and can be repeated: what is done already is not done again. Machines
    continue to run when this process ends. All failures are LocalCloudFailed (or Missing, if podman is not installed).
    """

    def __init__(self, environment: str, state: Path, report: Report = _ignore_report) -> None:
        self._names = Names(environment, state)
        self._report = report
        self._volumes = Volumes(self._names, lambda: self.first_id)
        self._lock = threading.RLock()
        self._ending = threading.Lock()

    @cached_property
    def _info(self) -> dict[str, Any]:
        return read_podman_info()

    @cached_property
    def _engine(self) -> Podman:
        runtime = cgroups.write_runtime() if flags.keeps_cgroups(self._info) else None
        return Podman(flags.list_runtime_options(self._info, runtime))

    @cached_property
    def first_id(self) -> int:
        """The id on this machine of root in the environment's machines."""
        return ids.choose_own_range(self._names.state, self._list_ids_in_use)

    @cached_property
    def wide_first_id(self) -> int:
        """The id on this machine of root in those machines whose users run containers."""
        folder = self._names.locate_wide_ids()
        folder.mkdir(parents=True, exist_ok=True)
        return ids.choose_own_range(folder, self._list_ids_in_use, count=ids.WIDE)

    def _list_ids_in_use(self) -> list[int]:
        """The first ids of all ranges of all machines on this machine."""
        template = f'{{{{index .Labels "{IDS_LABEL}"}}}}:{{{{index .Labels "{RANGES_LABEL}"}}}}'
        doing = "looking which user ids containers have"
        listed = self._engine.run("ps", "--all", f"--filter=label={IDS_LABEL}", f"--format={template}", doing=doing)
        pairs = [word.partition(":")[::2] for word in listed.split()]
        # Containers of an earlier version have no number of ranges: podman prints nothing, or '<no value>'.
        return [
            each
            for first, count in pairs
            if first.isdigit()
            for each in ids.list_ranges(int(first), int(count) if count.isdigit() else 1)
        ]

    def boot(self, spec: InstanceSpec) -> None:
        """Make the machine of an instance, or start a stopped one, and wait until it is up."""
        container = self._make_container(spec.instance_id)
        if container.read_state() == "absent":
            namespaces.ensure()
            image = ensure_image(self._report)
            with self._lock:
                subnet = network.ensure_network(self._engine, self._names, spec.subnet_id, spec.subnet_cidr)
                disks = self._volumes.prepare(spec.instance_id)
                own_ids = ids.list_ranges(self.wide_first_id, ids.WIDE) if spec.runs_containers else [self.first_id]
            write_seed(spec, self._names.locate_seed(spec.instance_id), own_ids[0])
            options = flags.list_machine_options(
                self._info, flags.read_own_limits(), own_ids[0], len(own_ids) * ids.WIDTH
            )
            if spec.runs_containers:
                options += flags.list_nesting_options(tunnels.ensure_node())
            container.create(spec, image, subnet, disks, own_ids, options)
            network.keep_bridge_address(network.compute_gateway(spec.subnet_cidr))
            container.await_up()
        else:
            self.start(spec.instance_id)

    def start(self, instance_id: str) -> None:
        """Start a stopped machine with its attached volumes, and wait until it is up."""
        container = self._find_existing(instance_id)
        container.require_namespace()
        if container.read_state() == "stopped":
            with self._lock:
                self._volumes.prepare(instance_id)
            container.start()
            network.keep_bridge_address(container.read_gateway())
        container.await_up()

    def stop(self, instance_id: str) -> None:
        """Shut a machine down; it keeps its root file system, its address and its volumes."""
        container = self._find_existing(instance_id)
        if container.read_state() == "running":
            container.stop()

    def reboot(self, instance_id: str) -> None:
        """Shut down and start again; a stopped machine is started."""
        self.stop(instance_id)
        self.start(instance_id)

    def terminate(self, instance_id: str) -> None:
        """Shut down and remove a machine; its volumes are detached and kept. No error if there is no machine.

        One machine after the other: when two end at once, podman (4.3, with user namespaces) keeps the address of one of them,
        and the bridge of its network, as if it still ran (2 of 2 pairs).
        """
        container = self._make_container(instance_id)
        with self._ending:
            if container.read_state() == "running":
                container.stop()
            container.remove()
        with self._lock:
            self._remove_files(instance_id)

    def read_state(self, instance_id: str) -> State:
        """'running', 'stopped' or 'absent'."""
        return self._make_container(instance_id).read_state()

    def watch(self, instance_id: str, ended: Callable[[], None]) -> None:
        """Call `ended` once, from another thread, when the machine stops for any reason; returns at once."""

        def wait() -> None:
            # If the container was removed meanwhile, or podman failed, the callback checks the state again.
            with contextlib.suppress(LocalCloudFailed):
                self._make_container(instance_id).await_end()
            ended()

        threading.Thread(target=wait, name=f"watch-{instance_id}", daemon=True).start()

    def has_rebooted(self, instance_id: str) -> bool:
        """Whether a stopped machine was rebooted, so that it must be started again.

        Podman's own restart policy is not used: before 4.8 it loses the network of a container with a user namespace.
        """
        return self._make_container(instance_id).has_rebooted()

    def read_console(self, instance_id: str) -> str:
        """The last 64 KiB of the console with the block of SSH host keys; '' if there is no machine."""
        container = self._make_container(instance_id)
        if container.read_state() == "absent":
            return ""
        log = container.read_log()
        keys = ""
        if not console.has_host_keys(console.compose(log, "")) and container.read_state() == "running":
            keys = container.execute(console.READ_HOST_KEYS, doing=f"reading the host keys of {instance_id}")
        return console.compose(log, keys)

    def attach(self, volume_id: str, instance_id: str, device: str) -> None:
        """Attach a volume; a new one is made empty.

        `device` is not used: on current instances the disk's name has the volume id.
        """
        del device
        container = self._make_container(instance_id)
        if container.read_state() != "absent":
            container.require_namespace()
            container.require_ordinary_ids(f"attaching {volume_id}")
        with self._lock:
            self._volumes.attach(volume_id, instance_id)

    def detach(self, volume_id: str, instance_id: str) -> None:
        """Detach a volume from this machine; nothing happens if it is not attached to it."""
        with self._lock:
            if self._volumes.find_holder(volume_id) == instance_id:
                container = self._make_container(instance_id)
                self._volumes.detach(volume_id, container.execute if container.read_state() == "running" else None)

    def delete_volume(self, volume_id: str) -> None:
        """Delete a volume's data; refused while attached."""
        with self._lock:
            self._volumes.delete(volume_id)

    def delete_network(self, subnet_id: str) -> None:
        """Remove a subnet's network; refused while machines are in it."""
        with self._lock:
            network.delete_network(self._engine, self._names, subnet_id)

    def enforce(self, region: str, chains: str) -> None:
        """Filter the traffic between machines with these nftables chains; '' removes the filter."""
        packets.enforce(self._names, region, chains)

    def read_enforced(self, region: str) -> str:
        """The region's chains as the kernel has them now; '' if it has none."""
        return packets.list_table(self._names, region)

    def explain_unjudged(self) -> str:
        """A message if the kernel cannot filter traffic within a subnet, with the reason; '' if it filters all traffic."""
        reason = bridges.filter_them()
        return f"security groups are not enforced within a subnet: {reason}" if reason else ""

    def remove_all(self, *, with_volumes: bool = False) -> None:
        """Remove every machine and network of this environment, and the data of volumes only `with_volumes`."""
        doing = f"removing the machines of environment {self._names.environment}"
        filters = tuple(f"--filter=label={label}" for label in self._names.labels)
        for instance_id in self._list_ids(
            self._engine.run("ps", "--all", *filters, "--format={{.Names}}", doing=doing)
        ):
            self._make_container(instance_id).remove()
        with self._lock:
            for directory in sorted((self._names.state / "machines").glob("i-*")):
                self._remove_files(directory.name)
            for subnet_id in self._list_ids(
                self._engine.run("network", "ls", *filters, "--format={{.Name}}", doing=doing)
            ):
                network.delete_network(self._engine, self._names, subnet_id)
            for volume_id in self._volumes.list_all() if with_volumes else ():
                self._volumes.delete(volume_id)
        packets.remove(self._names)

    def require_namespaces(self) -> None:
        """LocalCloudFailed if there is a machine without a user namespace, which an earlier version made."""
        for instance_id in self.list_without_namespace():
            self._make_container(instance_id).require_namespace()

    def list_without_namespace(self) -> list[str]:
        """The ids of machines without a user namespace, which an earlier version made: root in them is root on this machine."""
        filters = tuple(f"--filter=label={label}" for label in self._names.labels)
        template = f'--format={{{{.Names}}}} {{{{index .Labels "{IDS_LABEL}"}}}}'
        engine = Podman(flags.list_runtime_options(self._info))  # listing needs no runtime script, so none is written
        listed = engine.run("ps", "--all", *filters, template, doing="looking for machines of an earlier version")
        return self._list_ids(" ".join(words[0] for line in listed.splitlines() if len(words := line.split()) == 1))

    def _remove_files(self, instance_id: str) -> None:
        """Remove the files of a removed machine from this machine."""
        self._volumes.release(instance_id)
        with contextlib.suppress(FileNotFoundError), mounts.open_folder(self._names.state, "machines") as machines:
            file_trees.remove(machines, instance_id)

    def _list_ids(self, listing: str) -> list[str]:
        prefix = f"bootstrap-{self._names.environment}-"
        return [name.removeprefix(prefix) for name in listing.split() if name.startswith(prefix)]

    def _make_container(self, instance_id: str) -> Container:
        return Container(self._engine, self._names, instance_id)

    def _find_existing(self, instance_id: str) -> Container:
        container = self._make_container(instance_id)
        if container.read_state() == "absent":
            raise LocalCloudFailed(
                f"looking for the machine of {instance_id}",
                f"there is no container '{container.name}'",
                "Something else removed it: terminate the instance, or rebuild the machine.",
            )
        return container
