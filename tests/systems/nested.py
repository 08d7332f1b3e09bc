"""A Debian 13 in which this project can be launched, on a machine of another release: a privileged container with systemd.

Its packages come from this machine's apt sources. It has what the README asks for and nothing else. It shares this machine's
kernel, and has cgroup version 2, as Debian 13 has: where this machine has version 1, the container mounts version 2 itself.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootstrap.local.machines import flags, image, podman, sources

NAME = "bootstrap-tests-debian-13"
IMAGE = f"localhost/{NAME}:latest"
# The README's first command, and what a Debian that boots has anyway. Not what `launch` installs by itself.
PACKAGES = ("ca-certificates", "git", "python3-venv", "systemd", "systemd-sysv", "dbus", "iproute2", "procps", "kmod")
# These would set the kernel of this machine.
MASKED = ("systemd-sysctl", "systemd-modules-load", "systemd-binfmt", "proc-sys-fs-binfmt_misc.automount")
AUTHORITIES = Path("/usr/local/share/ca-certificates")
PIP = Path("/etc/pip.conf")
PIP_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_TRUSTED_HOST")
# Where this machine has cgroup version 1: a cgroup of version 2 becomes the root of those that systemd sees.
INIT = f"""\
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p /sys/fs/cgroup/{NAME}
    echo 1 > /sys/fs/cgroup/{NAME}/cgroup.procs
    exec unshare --cgroup sh -c 'umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec /sbin/init'
fi
exec /sbin/init
"""
# The controllers that version 1 has are missing in version 2, so podman cannot limit processes there.
NO_PIDS_LIMIT = """\
grep -qw pids /sys/fs/cgroup/cgroup.controllers && exit
mkdir -p /etc/containers && printf '[containers]\\npids_limit = 0\\n' > /etc/containers/containers.conf
"""
FOLDER = "/root/jenkins"
AWAIT_BOOT = f"mkdir --parents {FOLDER}; until test -S /run/dbus/system_bus_socket; do sleep 0.2; done"


@dataclass(frozen=True)
class System:
    """A running Debian 13 with a clone of this project in FOLDER."""

    command: tuple[str, ...]  # podman, with the options that this machine needs

    def run(self, script: str, *, timeout: float = 1800) -> subprocess.CompletedProcess[str]:
        """A shell script as root, in FOLDER, as a unit of its systemd: in its own cgroup, with nothing of this machine's."""
        settings = (f"--setenv={name}={os.environ[name]}" for name in PIP_VARIABLES if name in os.environ)
        # What a command leaves running (the local cloud, the machines) stays, as when a user's session ends.
        unit = ("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=KillMode=process")
        place = (f"--working-directory={FOLDER}", "--setenv=HOME=/root", *settings)
        command = ("exec", NAME, *unit, *place, "sh", "-c", script)
        return subprocess.run(
            (*self.command, *command), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout
        )

    def done(self, script: str) -> str:
        """The output of a script that must succeed."""
        found = self.run(script)
        assert 0 == found.returncode, f"{script}\n{found.stdout[-8000:]}\n{found.stderr[-6000:]}"
        return found.stdout

    def toolkit(self, arguments: str) -> str:
        """The output of a command of the toolkit that must succeed."""
        return self.done(f"./bootstrap.py --yes {arguments}")


@contextmanager
def boot(bundle: Path) -> Iterator[System]:
    """The system, with a clone of a bundle's branch main; it is removed in the end, with all that was launched in it."""
    options = flags.list_runtime_options(podman.read_podman_info())
    engine = podman.Podman(options)
    try:
        _remove(engine)
        _make_image(engine)
        _start(engine)
        system = System(("podman", *options))
        engine.run("cp", str(bundle), f"{NAME}:/root/it.bundle", doing="copying the project")
        engine.run("exec", NAME, "sh", "-c", AWAIT_BOOT, doing="waiting for Debian 13 to boot")
        system.done(NO_PIDS_LIMIT)
        system.done(f"git clone --quiet --branch main /root/it.bundle {FOLDER}")
        yield system
    finally:
        _remove(engine)


def _make_image(engine: podman.Podman) -> None:
    entries = sources.adapt_to_release(sources.read_sources(), "trixie")
    settings = image.read_apt_settings()
    copied = [f"--customize-hook=copy-in {PIP} /etc"] if PIP.is_file() else []
    if any(AUTHORITIES.glob("*.crt")):
        copied += [
            f"--customize-hook=sync-in {AUTHORITIES} {AUTHORITIES}",
            '--customize-hook=chroot "$1" update-ca-certificates',
        ]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        tar = Path(scratch) / "root.tar"
        command = [
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            f"--include={','.join(PACKAGES)}",
            *(f'--aptopt={key} "{value}"' for key, value in settings.items()),
            *copied,
            f'--customize-hook=chroot "$1" systemctl mask {" ".join(MASKED)}',
            "trixie",
            str(tar),
            "-",
        ]
        source = sources.render(entries).encode()
        podman.run(command, doing="making Debian 13", stdin=source, timeout=image.BUILD_SECONDS)
        engine.run("import", str(tar), IMAGE, doing="storing Debian 13", timeout=image.BUILD_SECONDS)


def _start(engine: podman.Podman) -> None:
    limits = flags.read_own_limits()
    engine.run(
        "run",
        "--detach",
        "--tty",
        f"--name={NAME}",
        "--hostname=debian13",
        "--privileged",
        "--systemd=always",
        "--env=TERM=dumb",
        f"--ulimit=nofile={limits.nofile}:{limits.nofile}",
        f"--ulimit=nproc={limits.pid_max}:{limits.pid_max}",
        "--volume=/var/lib/containers",  # podman in it cannot put an overlay on the container's overlay
        IMAGE,
        "sh",
        "-e",
        "-c",
        INIT,
        doing="booting Debian 13",
    )


def _remove(engine: podman.Podman) -> None:
    engine.try_run("rm", "--force", "--ignore", "--volumes", "--time=0", NAME)
    engine.try_run("rmi", "--force", "--ignore", IMAGE)
