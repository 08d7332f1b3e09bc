"""Volumes: directories of the environment that appear in a running machine where EC2's disks do.

Each machine has one directory here that is its /dev/disk/by-id: a mount of its own, shared here and a slave in the container,
so that what is mounted in it here appears in and vanishes from the running machine. It belongs to this machine's root, so the
machine can neither make nor replace anything in it. Which volume is attached where is kept in files, since mounts do not
survive a reboot of the operator's machine: they are made again before a machine starts.

What is in a volume belongs to the ids of the environment's machines. All steps here go by descriptors and follow no link.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import mounts, trees
from bootstrap.local.machines.names import Names, checked

Execute = Callable[[str], str]

DEVICE_PREFIX = "nvme-Amazon_Elastic_Block_Store_"
# What is looked after of the mounts of one disk in a machine: the list is the machine's own, and a command line has an end.
PULLED_AT_MOST = 64
LONGEST_PATH = 1000


class Volumes:
    """The volumes of one environment; `first_id` tells what root in its machines is on this machine."""

    def __init__(self, names: Names, first_id: Callable[[], int]) -> None:
        self._names = names
        self._first_id = first_id

    def attach(self, volume_id: str, instance_id: str) -> None:
        """Show the volume to the machine, at once if it runs, else at its start. Refused when attached elsewhere."""
        holder = self.holder(volume_id)
        if holder not in {None, instance_id}:
            raise LocalCloudFailed(
                f"attaching {volume_id} to {instance_id}",
                f"it is attached to {holder}",
                f"Detach it from {holder} first, or terminate that machine.",
            )
        self._names.volume(volume_id).mkdir(mode=0o755, parents=True, exist_ok=True)
        note = self._names.attachment(volume_id)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(instance_id)
        self.prepare(instance_id)

    def detach(self, volume_id: str, execute: Execute | None) -> None:
        """Take the volume from its machine, which runs shell lines by `execute` if it is up; not attached is fine.

        As when a disk is pulled, nothing waits for who still uses it: the machine's own mounts of it go too.
        """
        holder = self.holder(volume_id)
        if holder is None:
            return
        name = device_name(volume_id)
        doing = f"detaching {volume_id} from {holder}"
        with _telling(doing), suppress(FileNotFoundError), self._disks(holder) as disks:
            while mounts.is_mount_point(disks, name):
                disk = _mounted_at(disks, name)
                mounts.unmount(disks, name)
                _pull(disk, execute)
            trees.remove(disks, name)
        self._names.attachment(volume_id).unlink()

    def delete(self, volume_id: str) -> None:
        """Remove the volume and its data for good; refused while it is attached."""
        holder = self.holder(volume_id)
        if holder is not None:
            raise LocalCloudFailed(f"deleting {volume_id}", f"it is attached to {holder}", "Detach it first.")
        with suppress(FileNotFoundError), mounts.folder(self._names.state, "volumes") as volumes:
            trees.remove(volumes, volume_id)

    def holder(self, volume_id: str) -> str | None:
        """The instance that the volume is attached to."""
        note = self._names.attachment(volume_id)
        return checked(note.read_text(), "i") if note.exists() else None

    def attached(self, instance_id: str) -> list[str]:
        """The volumes attached to an instance."""
        notes = self._names.state / "attachments"
        return sorted(note.name for note in notes.glob("vol-*") if note.read_text() == instance_id)

    def all(self) -> list[str]:
        """Every volume there is."""
        return sorted(path.name for path in (self._names.state / "volumes").glob("vol-*"))

    def prepare(self, instance_id: str) -> Path:
        """Make the machine's /dev/disk/by-id with all attached volumes in it, whatever of it is there; its path here."""
        disks = self._names.disks(instance_id)
        self._names.state.mkdir(parents=True, exist_ok=True)
        with _telling(f"preparing the disks of {instance_id}"):
            with mounts.folder(self._names.state, "machines", instance_id, make=True) as machine:
                mounts.make_point(machine, disks.name)
                if not mounts.is_mount_point(machine, disks.name):
                    _share(machine, disks.name)
            with self._disks(instance_id) as shared:
                for volume_id in self.attached(instance_id):
                    self._show(shared, volume_id)
        return disks

    def release(self, instance_id: str) -> None:
        """Detach everything from a machine that is gone and take its /dev/disk/by-id away."""
        for volume_id in self.attached(instance_id):
            self.detach(volume_id, None)
        disks = self._names.disks(instance_id)
        with (
            _telling(f"removing the disks of {instance_id}"),
            suppress(FileNotFoundError),
            mounts.folder(self._names.state, "machines", instance_id) as machine,
        ):
            while mounts.is_mount_point(machine, disks.name):
                mounts.unmount(machine, disks.name)

    @contextmanager
    def _disks(self, instance_id: str) -> Iterator[int]:
        disks = self._names.disks(instance_id)
        with mounts.folder(self._names.state, "machines", instance_id, disks.name) as opened:
            yield opened

    def _show(self, disks: int, volume_id: str) -> None:
        """Mount a volume at its name, with all its files in the machines' ids."""
        name = device_name(volume_id)
        with mounts.folder(self._names.state, "volumes") as volumes:
            trees.give(volumes, volume_id, self._first_id())
        mounts.make_point(disks, name)
        if mounts.is_mount_point(disks, name):
            return
        with mounts.folder(self._names.state, "volumes", volume_id) as volume:
            point = mounts.open_in(disks, name)
            try:
                mounts.bind(volume, point)
            finally:
                os.close(point)


def device_name(volume_id: str) -> str:
    """The name that EC2's disks have under /dev/disk/by-id: the controller's name and the volume's id without its dash."""
    return DEVICE_PREFIX + checked(volume_id, "vol").replace("-", "")


def _share(machine: int, name: str) -> None:
    """Make a folder a mount of its own, whose later mounts appear in the machine and nowhere else."""
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


def _mounted_at(disks: int, name: str) -> mounts.Mount | None:
    """What this side's own list of mounts says about the mount at a name."""
    point = mounts.open_in(disks, name)
    try:
        number = mounts.mount_number(point)
    finally:
        os.close(point)
    listed = mounts.parse_mountinfo(mounts.MOUNTINFO.read_text(errors="surrogateescape"))
    return next((mount for mount in listed if mount.number == number), None)


def _pull(disk: mounts.Mount | None, execute: Execute | None) -> None:
    """Have the machine unmount what it still shows of a volume that is gone: its own bind mounts of the disk.

    What it lists and what it does are its own affair: the volume is detached here, whatever comes back.
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
def _telling(doing: str) -> Iterator[None]:
    """Turn what the kernel refuses into an error that says what was done; 'not there' stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        remedy = "Look at what is there; a link, or a file in a folder's place, is never followed."
        raise LocalCloudFailed(doing, f"{error.strerror or error}: {error.filename}", remedy) from error
