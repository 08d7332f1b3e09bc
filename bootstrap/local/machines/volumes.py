"""Volumes: folders of the environment that appear in a running machine at the paths of EC2's disks.

Each machine has one folder on this machine that is its /dev/disk/by-id. It is a mount, shared on this machine and a slave in
the container: what is mounted in it appears in the running machine, and what is unmounted disappears. It belongs to root of
this machine, so the machine can neither make nor replace anything in it. Files store which volume is attached to which
instance, because mounts do not survive a reboot of the operator's machine; they are made again before a machine starts.

The files in a volume belong to the ids of the environment's machines. All steps here use descriptors and follow no link.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import file_trees, mounts
from bootstrap.local.machines.names import Names, check_id

Execute = Callable[[str], str]

DEVICE_PREFIX = "nvme-Amazon_Elastic_Block_Store_"
# Limits for the mounts of one disk in a machine: the list comes from the machine, and a command line has a maximal length.
PULLED_AT_MOST = 64
LONGEST_PATH = 1000


class Volumes:
    """The volumes of one environment; `first_id` returns the id on this machine of root in its machines."""

    def __init__(self, names: Names, first_id: Callable[[], int]) -> None:
        self._names = names
        self._first_id = first_id

    def attach(self, volume_id: str, instance_id: str) -> None:
        """Attach the volume: at once if the machine runs, else at its start. LocalCloudFailed if it is attached elsewhere."""
        holder = self.find_holder(volume_id)
        if holder not in {None, instance_id}:
            raise LocalCloudFailed(
                f"attaching {volume_id} to {instance_id}",
                f"it is attached to {holder}",
                f"Detach it from {holder} first, or terminate that machine.",
            )
        self._names.locate_volume(volume_id).mkdir(mode=0o755, parents=True, exist_ok=True)
        note = self._names.locate_attachment(volume_id)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(instance_id)
        self.prepare(instance_id)

    def detach(self, volume_id: str, execute: Execute | None) -> None:
        """Detach the volume, if it is attached. `execute` runs a shell command in the machine; None if it does not run.

        As when a disk is removed, this does not wait for processes that use it, and the machine's own mounts of it are
        unmounted.
        """
        holder = self.find_holder(volume_id)
        if holder is None:
            return
        name = make_device_name(volume_id)
        doing = f"detaching {volume_id} from {holder}"
        with _convert_failures(doing), suppress(FileNotFoundError), self._open_disks(holder) as disks:
            while mounts.is_mount_point(disks, name):
                disk = _find_mount(disks, name)
                mounts.unmount(disks, name)
                _unmount_in_machine(disk, execute)
            file_trees.remove(disks, name)
        self._names.locate_attachment(volume_id).unlink()

    def delete(self, volume_id: str) -> None:
        """Delete the volume and its data; LocalCloudFailed while it is attached."""
        holder = self.find_holder(volume_id)
        if holder is not None:
            raise LocalCloudFailed(f"deleting {volume_id}", f"it is attached to {holder}", "Detach it first.")
        with suppress(FileNotFoundError), mounts.open_folder(self._names.state, "volumes") as volumes:
            file_trees.remove(volumes, volume_id)

    def find_holder(self, volume_id: str) -> str | None:
        """The instance to which the volume is attached, or None."""
        note = self._names.locate_attachment(volume_id)
        return check_id(note.read_text(), "i") if note.exists() else None

    def list_attached(self, instance_id: str) -> list[str]:
        """The volumes attached to an instance."""
        notes = self._names.state / "attachments"
        return sorted(note.name for note in notes.glob("vol-*") if note.read_text() == instance_id)

    def list_all(self) -> list[str]:
        """The ids of all volumes."""
        return sorted(path.name for path in (self._names.state / "volumes").glob("vol-*"))

    def prepare(self, instance_id: str) -> Path:
        """Make what is missing of the machine's /dev/disk/by-id with all attached volumes; returns its path on this machine."""
        disks = self._names.locate_disks(instance_id)
        self._names.state.mkdir(parents=True, exist_ok=True)
        with _convert_failures(f"preparing the disks of {instance_id}"):
            with mounts.open_folder(self._names.state, "machines", instance_id, make=True) as machine:
                mounts.make_point(machine, disks.name)
                if not mounts.is_mount_point(machine, disks.name):
                    _make_shared_mount(machine, disks.name)
            with self._open_disks(instance_id) as shared:
                for volume_id in self.list_attached(instance_id):
                    self._mount_volume(shared, volume_id)
        return disks

    def release(self, instance_id: str) -> None:
        """Detach all volumes from a removed machine, and unmount its /dev/disk/by-id."""
        for volume_id in self.list_attached(instance_id):
            self.detach(volume_id, None)
        disks = self._names.locate_disks(instance_id)
        with (
            _convert_failures(f"removing the disks of {instance_id}"),
            suppress(FileNotFoundError),
            mounts.open_folder(self._names.state, "machines", instance_id) as machine,
        ):
            while mounts.is_mount_point(machine, disks.name):
                mounts.unmount(machine, disks.name)

    @contextmanager
    def _open_disks(self, instance_id: str) -> Iterator[int]:
        disks = self._names.locate_disks(instance_id)
        with mounts.open_folder(self._names.state, "machines", instance_id, disks.name) as opened:
            yield opened

    def _mount_volume(self, disks: int, volume_id: str) -> None:
        """Mount a volume at its name; all its files get owners in the machines' range of ids."""
        name = make_device_name(volume_id)
        with mounts.open_folder(self._names.state, "volumes") as volumes:
            file_trees.give(volumes, volume_id, self._first_id())
        mounts.make_point(disks, name)
        if mounts.is_mount_point(disks, name):
            return
        with mounts.open_folder(self._names.state, "volumes", volume_id) as volume:
            point = mounts.open_in(disks, name)
            try:
                mounts.bind(volume, point)
            finally:
                os.close(point)


def make_device_name(volume_id: str) -> str:
    """The name of an EC2 disk in /dev/disk/by-id: the name of the NVMe controller, and the volume id without its dash."""
    return DEVICE_PREFIX + check_id(volume_id, "vol").replace("-", "")


def _make_shared_mount(machine: int, name: str) -> None:
    """Make a folder a mount, so that later mounts in it appear in the machine and nowhere else."""
    before = mounts.open_in(machine, name)
    try:
        mounts.bind(before, before)
    finally:
        os.close(before)
    shared = mounts.open_in(machine, name)
    try:
        mounts.set_propagation(shared, mounts.PRIVATE)
        mounts.set_propagation(shared, mounts.SHARED)
    finally:
        os.close(shared)


def _find_mount(disks: int, name: str) -> mounts.Mount | None:
    """The mount at a name, as this machine's own list of mounts has it."""
    point = mounts.open_in(disks, name)
    try:
        number = mounts.mount_number(point)
    finally:
        os.close(point)
    listed = mounts.parse_mountinfo(mounts.MOUNTINFO.read_text(errors="surrogateescape"))
    return next((mount for mount in listed if mount.number == number), None)


def _unmount_in_machine(disk: mounts.Mount | None, execute: Execute | None) -> None:
    """Let the machine unmount its own bind mounts of a detached volume.

    The machine's answer is not trusted and not necessary: the volume is detached on this machine in any case.
    """
    if disk is None or execute is None:
        return
    with suppress(LocalCloudFailed):
        listed = mounts.parse_mountinfo(execute("cat /proc/1/mountinfo"))
        copies = [copy.point for copy in reversed(listed) if (copy.device, copy.root) == (disk.device, disk.root)]
        points = [point for point in copies if len(point) <= LONGEST_PATH and "\0" not in point][:PULLED_AT_MOST]
        if points:
            execute(f"umount --lazy -- {shlex.join(points)}")


@contextmanager
def _convert_failures(doing: str) -> Iterator[None]:
    """Convert an OSError into LocalCloudFailed with what was being done; FileNotFoundError is not converted."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        remedy = "Look at what is there; a link, or a file in a folder's place, is never followed."
        raise LocalCloudFailed(doing, f"{error.strerror or error}: {error.filename}", remedy) from error
