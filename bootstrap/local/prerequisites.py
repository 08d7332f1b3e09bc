"""What this machine must have before it can be a cloud: found out first, announced, then installed through apt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from bootstrap import wording
from bootstrap.errors import Missing
from bootstrap.values import Reporter

# Program to Debian package: podman with the network and runtime it needs, and what makes a Debian root without an image.
PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "iptables": "iptables",  # netavark calls it; podman only suggests it
    "nft": "nftables",  # the packet filter between machines
    "git": "git",
    "gpg": "gnupg",
    "newuidmap": "uidmap",
    "dot": "graphviz",  # draws the network for the reports
}
# What the tests run besides: pipelines in real Groovy, a file system made for real, the report in a browser.
TEST_PACKAGES = {
    "groovy": "groovy",
    "java": "default-jre-headless",
    "mkfs.ext4": "e2fsprogs",
    "chromium": "chromium",
    "pdftotext": "poppler-utils",
}
_FILES = {"/usr/lib/podman/netavark": "netavark", "/usr/lib/podman/aardvark-dns": "aardvark-dns"}


def list_missing(*, for_tests: bool = False) -> tuple[str, ...]:
    """The Debian packages that are not there yet, in the order in which they are announced."""
    wanted = PACKAGES | (TEST_PACKAGES if for_tests else {})
    programs = [package for program, package in wanted.items() if _is_absent(program)]
    return (*programs, *(package for path, package in _FILES.items() if not os.path.exists(path)))  # noqa: PTH110


def _is_absent(program: str) -> bool:
    """Whether a program is nowhere to be found; Debian keeps some in root's folders, which a user's PATH leaves out."""
    return shutil.which(program) is None and shutil.which(program, path="/usr/sbin:/sbin") is None


def ensure(
    report: Reporter, *, is_agreed: bool, ask: Callable[[str], bool] | None = None, for_tests: bool = False
) -> None:
    """Install what is missing, after saying so; Missing with the command to run where that is not possible.

    On a terminal it asks unless `is_agreed`; without one it goes on, for nobody could answer.
    """
    wanted = list_missing(for_tests=for_tests)
    if not wanted:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    remedy = wording.advise_installation(*wanted)
    doing = "preparing this machine"
    if shutil.which("apt-get") is None:
        raise Missing(doing, f"{', '.join(wanted)} are missing and there is no apt", "Install them, then launch again.")
    if os.geteuid() != 0:
        raise Missing(doing, f"{', '.join(wanted)} are missing, and only root can install them", remedy)
    report.notice(f"this machine lacks {', '.join(wanted)}: installing with apt")
    if (
        not is_agreed
        and sys.stdin.isatty()
        and ask is not None
        and not ask(f"Run 'apt-get install {' '.join(wanted)}'?")
    ):
        raise Missing(doing, "the installation was declined", remedy)
    begun = time.monotonic()
    _run_apt(["apt-get", "update", "--quiet"], doing, remedy)
    _run_apt(command, doing, remedy)
    report.progress(f"installed in {time.monotonic() - begun:.1f} s")


def ensure_root(doing: str) -> None:
    """Containers with systemd, mounts and addresses of their own take root; say so before anything is begun."""
    if os.geteuid() != 0:
        raise Missing(
            doing,
            "the local cloud boots machines with their own addresses and volumes, which needs root",
            "Run it with sudo.",
        )


def _run_apt(command: Sequence[str], doing: str, remedy: str) -> None:
    environ = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    done = subprocess.run(command, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise Missing(doing, f"'{' '.join(command)}' exited with {done.returncode}\n{tail}", remedy)
