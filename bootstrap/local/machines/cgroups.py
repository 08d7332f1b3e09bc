"""The cgroups that systemd in a machine needs, on a machine of cgroup version 1.

There a runtime leaves a container's cgroups to this machine's root, and systemd inside, whose root is another, may not use
them. With version 2 the runtimes hand the container's own cgroup over themselves. So for version 1 podman is given a runtime of
ours: it is runc, and when a container was made it gives the container's own cgroups in systemd's two hierarchies (name=systemd
and unified) to the container's root. The others, which hold limits and devices, stay this machine's.

Podman keeps the runtime's path for each container, and cannot even remove a container without it. So it lies where no checkout
and no environment takes it along when it is deleted.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from pathlib import Path

RUNTIME = Path("/var/lib/bootstrap-local-cloud/runc")  # podman judges what a runtime can do by its name

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


def script(runc: str) -> str:
    """The runtime's text, over the real runc at that path."""
    return _SCRIPT.format(runc=shlex.quote(runc))


def write_runtime(path: Path = RUNTIME) -> Path:
    """Put the runtime in its place, whole at once, for containers may use it at this moment; its path."""
    runc = shutil.which("runc") or shutil.which("runc", path="/usr/sbin:/sbin") or "/usr/bin/runc"
    text = script(runc)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.read_text() == text and os.access(path, os.X_OK):
        return path
    handle, written = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), 0o755)
    Path(written).replace(path)
    return path
