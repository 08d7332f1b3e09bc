"""The cgroups for systemd in a machine, if this machine has cgroup version 1.

With version 1, the cgroups of a container belong to root of this machine, and systemd in a user namespace may not use them.
With version 2, runtimes change the owner themselves. So for version 1 podman gets a runtime of this toolkit: a script that
calls runc. When a container is made, it changes the owner of the container's cgroups in the two hierarchies of systemd
(name=systemd and unified) to the root of the container. The other hierarchies, for limits and devices, still belong to root of
this machine.

Podman stores the path of the runtime for each container, and cannot remove a container without it. So the script is outside of
all checkouts and environments, which can be deleted.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from pathlib import Path

RUNTIME = Path("/var/lib/bootstrap-local-cloud/runc")  # the name must be runc: podman derives its features from it

_SCRIPT = """\
#!/bin/sh
# runc, which also gives a new container's cgroups of systemd to the root of the container's user namespace.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
runc={runc}
pid_file= previous= creates=
for word; do
    case $previous in --pid-file) pid_file=$word ;; esac
    case $word in create) creates=yes ;; --pid-file=*) pid_file=${{word#*=}} ;; esac
    previous=$word
done
[ "$creates" ] && [ "$pid_file" ] || exec "$runc" "$@"
"$runc" "$@" || exit
read -r pid < "$pid_file" || [ "$pid" ] || exit 1
read -r inside owner _ < "/proc/$pid/uid_map" || exit 1
[ "$inside" = 0 ] && [ "$owner" != 0 ] || exit 0
give() {{
    case $2 in ''|/) return 0 ;; esac
    for file in '' /cgroup.procs /tasks /cgroup.clone_children /cgroup.subtree_control /cgroup.threads; do
        [ ! -e "$1$2$file" ] || chown "$owner:$owner" "$1$2$file" || exit 1
    done
}}
give /sys/fs/cgroup/systemd "$(sed -n 's/^[0-9]*:name=systemd://p' "/proc/$pid/cgroup")"
give /sys/fs/cgroup/unified "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
"""


def format_script(runc: str) -> str:
    """The text of the runtime, for the real runc at a path."""
    return _SCRIPT.format(runc=shlex.quote(runc))


def write_runtime(path: Path = RUNTIME) -> Path:
    """Write the runtime and return its path.

    The file is replaced as a whole, because containers can use it at the same time.
    """
    runc = shutil.which("runc") or shutil.which("runc", path="/usr/sbin:/sbin") or "/usr/bin/runc"
    text = format_script(runc)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.read_text() == text and os.access(path, os.X_OK):
        return path
    handle, new_file = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), 0o755)
    Path(new_file).replace(path)
    return path
