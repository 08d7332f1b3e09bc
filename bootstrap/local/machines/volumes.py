"""Volumes: directories of the environment that appear in a running machine where EC2's disks do.

Each machine has one directory here that is its /dev/disk/by-id: a mount of its own, shared here and a slave in the container,
so that what is mounted in it here appears in and vanishes from the running machine. Which volume is attached where is kept in
files, since mounts do not survive a reboot of the operator's machine: they are made again before a machine starts.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.names import Names
from bootstrap.local.machines.podman import run, succeeds

Execute = Callable[[str], str]

DEVICE_PREFIX = "nvme-Amazon_Elastic_Block_Store_"
MOUNTINFO = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo (proc_pid_mountinfo(5)): the file system, the directory of it that is shown, and where."""

    device: str
    root: str
    point: str


class Volumes:
    """The volumes of one environment."""

    def __init__(self, names: Names) -> None:
        self._names = names

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
        point = self._names.disks(holder) / device_name(volume_id)
        for mount in parse_mountinfo(MOUNTINFO.read_text()):
            if mount.point == str(point):
                run(["umount", "--lazy", str(point)], doing=f"detaching {volume_id} from {holder}")
                _pull(mount, execute)
        if point.is_dir():
            point.rmdir()
        self._names.attachment(volume_id).unlink()

    def delete(self, volume_id: str) -> None:
        """Remove the volume and its data for good; refused while it is attached."""
        holder = self.holder(volume_id)
        if holder is not None:
            raise LocalCloudFailed(f"deleting {volume_id}", f"it is attached to {holder}", "Detach it first.")
        directory = self._names.volume(volume_id)
        if directory.exists():
            shutil.rmtree(directory)

    def holder(self, volume_id: str) -> str | None:
        """The instance that the volume is attached to."""
        note = self._names.attachment(volume_id)
        return note.read_text() if note.exists() else None

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
        disks.mkdir(mode=0o755, parents=True, exist_ok=True)
        doing = f"preparing the disks of {instance_id}"
        if not _is_mounted(disks):
            run(["mount", "--bind", str(disks), str(disks)], doing=doing)
            run(["mount", "--make-private", str(disks)], doing=doing)
            run(["mount", "--make-shared", str(disks)], doing=doing)
        for volume_id in self.attached(instance_id):
            point = disks / device_name(volume_id)
            point.mkdir(exist_ok=True)
            if not _is_mounted(point):
                run(["mount", "--bind", str(self._names.volume(volume_id)), str(point)], doing=doing)
        return disks

    def release(self, instance_id: str) -> None:
        """Detach everything from a machine that is gone and take its /dev/disk/by-id away."""
        for volume_id in self.attached(instance_id):
            self.detach(volume_id, None)
        disks = self._names.disks(instance_id)
        if _is_mounted(disks):
            run(["umount", "--lazy", str(disks)], doing=f"removing the disks of {instance_id}")


def device_name(volume_id: str) -> str:
    """The name that EC2's disks have under /dev/disk/by-id: the controller's name and the volume's id without its dash."""
    return DEVICE_PREFIX + volume_id.replace("-", "")


def parse_mountinfo(text: str) -> list[Mount]:
    """The mounts of a mountinfo file, innermost last."""
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        found.append(Mount(device=fields[2], root=_unescaped(fields[3]), point=_unescaped(fields[4])))
    return found


def _unescaped(path: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, sign)
    return path


def _is_mounted(path: Path) -> bool:
    return succeeds(["mountpoint", "--quiet", str(path)])


def _pull(disk: Mount, execute: Execute | None) -> None:
    """Unmount what a machine still shows of a volume that is gone: its own bind mounts of the disk."""
    if execute is None:
        return
    for copy in reversed(parse_mountinfo(execute("cat /proc/1/mountinfo"))):
        if (copy.device, copy.root) == (disk.device, disk.root):
            execute(f"umount --lazy {shlex.quote(copy.point)}")
