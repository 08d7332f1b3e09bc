"""The data volume: a block device gets a file system only if it is proven empty; a directory is bind-mounted."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.files import write
from bootstrap.remote.converge.open_directories import keep_attributes, open_folder

_SYSTEM_UNITS = "/etc/systemd/system"
_SLACK = 16 << 20  # bytes that a file system may leave unused at a device's end
_NOTHING_FOUND = 2  # blkid's exit code for a device without any known signature


def mount(context: Context, resource: Resource) -> Finding | None:
    """`device` mounted at `path` now and at every boot; waits up to `wait` seconds for a device that is being attached."""
    path, device = context.path(resource["path"]), context.path(resource["device"])
    unit_text = device.exists() and _format_unit(resource, device)
    unit_file = context.path(_SYSTEM_UNITS) / unit_name(resource["path"])
    is_mounted = _is_mounted(path)
    if is_mounted and device.exists() and not _is_same(path, device):
        raise Failed(f"another device than {resource['device']} is mounted at {resource['path']}")
    reasons = [] if is_mounted else [resource["device"]]
    is_written = unit_file.is_file() and unit_file.read_text() == unit_text and _is_enabled(context, unit_file)
    if is_mounted and not is_written:
        reasons.append("unit file")
    if is_mounted and _has_room_to_grow(device):
        reasons.append("file system grows to the size of its volume")
    if not reasons:
        return None
    kind = "alter" if is_mounted else "add"
    return Finding(kind, ", ".join(reasons), lambda: _mount(context, resource, path, device, unit_file))


def unit_name(path: str) -> str:
    """systemd's name of the mount unit of an absolute path."""
    escaped = "".join(
        "-" if c == "/" else c if re.match(r"[A-Za-z0-9:_.]", c) else "".join(f"\\x{byte:02x}" for byte in c.encode())
        for c in path.strip("/")
    )
    return f"{escaped}.mount"


def _mount(context: Context, resource: Resource, path: Path, device: Path, unit_file: Path) -> None:
    _wait_for(device, float(resource.get("wait", 60)))
    if not _is_mounted(path):
        if path.is_dir() and any(path.iterdir()):
            raise Failed(f"{resource['path']} contains files, which the volume would hide")
        if not device.is_dir():
            _make_file_system(context, device)
    with open_folder(context, path, keep_attributes):
        pass  # it is made if missing; the mount fails while the folder is open
    with open_folder(context, unit_file.parent, keep_attributes) as folder:
        write(folder, unit_file.name, _format_unit(resource, device).encode(), {}, "0644")
    context.run(["systemctl", "daemon-reload"])
    context.run(["systemctl", "enable", "--now", unit_file.name])
    if not _is_mounted(path):
        raise Failed(f"{resource['path']} is not mounted although its unit started")
    if _has_room_to_grow(device):
        context.run(["resize2fs", str(device)], timeout=600)


def _wait_for(device: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not device.exists():
        if time.monotonic() > deadline:
            raise Failed(f"{device} did not appear within {seconds:.0f} s; is the volume attached?")
        time.sleep(0.5)


def _make_file_system(context: Context, device: Path) -> None:
    """Make ext4 on a device that blkid finds empty; existing ext4 is used as it is, anything else is refused."""
    if not stat.S_ISBLK(device.stat().st_mode):
        raise Failed(f"{device} is neither a block device nor a directory")
    answer = context.run(["blkid", "-p", "-o", "export", str(device)], check=False)
    if answer.returncode == _NOTHING_FOUND:
        context.run(["mkfs.ext4", "-q", "-m", "1", "-E", "nodiscard", "-L", "jenkins-home", str(device)])
    elif answer.returncode != 0:
        raise Failed("the device cannot be examined", f"blkid -p {device}", answer.returncode, answer.stderr)
    elif "TYPE=ext4" not in answer.stdout.splitlines():
        signatures = ", ".join(line for line in answer.stdout.splitlines() if "TYPE=" in line)
        raise Failed(f"{device} already contains something else ({signatures}); it is not changed")


def _has_room_to_grow(device: Path) -> bool:
    """Whether a device is larger than the ext4 on it, by the superblock's own count of blocks (1024 bytes into the device)."""
    if not device.is_block_device():
        return False
    with device.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(1024)
        superblock = stream.read(1024)
    return size - _read_ext4_size(superblock) > _SLACK


def _read_ext4_size(superblock: bytes) -> int:
    """The bytes that an ext4 file system spans: s_blocks_count (low and high half) blocks of 1024 << s_log_block_size."""
    low, shift, high = (int.from_bytes(superblock[at : at + 4], "little") for at in (0x4, 0x18, 0x150))
    return (low | high << 32) * (1024 << shift)


def _format_unit(resource: Resource, device: Path) -> str:
    is_folder = device.is_dir()
    return "\n".join(
        [
            "[Unit]",
            "Description=Jenkins' data volume",
            "",
            "[Mount]",
            f"What={resource['device']}",
            f"Where={resource['path']}",
            f"Type={'none' if is_folder else 'ext4'}",
            f"Options={'bind,' if is_folder else ''}nodev,nosuid",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )


def _is_mounted(path: Path) -> bool:
    """Whether something is mounted at `path`; unlike os.path.ismount this also knows bind mounts of the same file system."""
    octal = re.compile(r"\\([0-7]{3})")
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return str(path.resolve()) in {octal.sub(lambda m: chr(int(m[1], 8)), point) for point in points}


def _is_same(path: Path, device: Path) -> bool:
    if device.is_dir():
        return path.samefile(device)
    return path.stat().st_dev == device.stat().st_rdev


def _is_enabled(context: Context, unit_file: Path) -> bool:
    return os.path.lexists(context.path(_SYSTEM_UNITS) / "multi-user.target.wants" / unit_file.name)
