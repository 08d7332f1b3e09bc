"""A node of /dev/net/tun that users of a machine may open, for the networks of their containers.

The kernel's own access rights for the device allow everybody to open it (its documentation, networking/tuntap: mode 0666); what
a program may do with it is decided by its network namespace. On a machine without udev the node belongs to root alone, and in a
user namespace root of this machine is nobody. So machines get a node of the toolkit's own.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

NODE = Path("/var/lib/bootstrap-local-cloud/tun")  # in a folder of root, which outlives every environment
DEVICE = os.makedev(10, 200)
"""The numbers of /dev/net/tun (the kernel's list of devices, admin-guide/devices)."""

_MODE = stat.S_IFCHR | 0o666


def ensure_node(path: Path = NODE) -> Path:
    """The path of the node; made if there is none. LocalCloudFailed if it cannot be made, or if another file is there."""
    doing = f"making {path}, the network device for containers in machines"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with suppress(FileExistsError):
            os.mknod(path, _MODE, DEVICE)
        status = path.lstat()
        if not stat.S_ISCHR(status.st_mode) or status.st_rdev != DEVICE:
            raise LocalCloudFailed(doing, "another file is there", f"Remove {path}.")
        path.chmod(_MODE & 0o777)  # mknod takes the permissions of the umask away
    except OSError as error:
        remedy = "Run it as root, on a file system that may have devices."
        raise LocalCloudFailed(doing, f"{error.strerror or error}", remedy) from error
    return path
