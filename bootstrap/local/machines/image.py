"""The machine image: Debian made by mmdebstrap from this machine's own apt sources, kept in podman's storage.

Built once; the tag is a hash of everything that went in (recipe, sources, apt settings), so a changed recipe or mirror makes a
new image and an unchanged one costs a single look-up.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bootstrap.local.machines import podman, recipe, sources

Report = Callable[[str], None]

REPOSITORY = "localhost/bootstrap-machine"
# Root's alone, as images are: in /var/lock everybody may put the file there first, or hold it for ever.
LOCK = Path("/run/bootstrap/machine-image.lock")
BUILD_SECONDS = 900.0
TELL_EVERY_SECONDS = 5.0
# The settings of apt without which the operator's mirror may not answer.
APT_SETTINGS = (
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
)
REMEDY = (
    "Look at the machine's apt sources ('apt-get update' must work). If a key is missing, bring Debian's keys up to date: "
    "apt-get install --only-upgrade debian-archive-keyring."
)


def ensure_image(report: Report) -> str:
    """The name of the machine image, built first if podman does not have it (about half a minute).

    `report` is told about the build, with the seconds since it began. Two callers at once build once. Raises LocalCloudFailed.
    """
    entries = sources.for_release(sources.read_sources(), recipe.RELEASE)
    settings = apt_settings()
    name = f"{REPOSITORY}:{digest(entries, settings)}"
    door = podman.Podman()
    if door.has("image", name):
        return name
    with _locked():
        if not door.has("image", name):
            _build(door, name, entries, settings, report)
            _forget_others(door, name)
    return name


def digest(entries: list[sources.Source], settings: Mapping[str, str]) -> str:
    """What an image is made of, in 16 hexadecimal digits."""
    made_of = [
        recipe.RELEASE,
        recipe.PACKAGES,
        recipe.FILES,
        recipe.CUSTOMIZE,
        sources.render(entries),
        dict(settings),
        [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources.keyrings(entries) if path.is_file()],
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def apt_settings() -> dict[str, str]:
    """This machine's values of APT_SETTINGS; those that are not set are left out."""
    names = [word for index, key in enumerate(APT_SETTINGS) for word in (f"V{index}", key)]
    answer = podman.run(["apt-config", "shell", *names], doing="reading this machine's apt configuration")
    values = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    return {key: shlex.split(values[f"V{index}"])[0] for index, key in enumerate(APT_SETTINGS) if f"V{index}" in values}


def apt_configuration(settings: Mapping[str, str]) -> str:
    """The machine's own apt.conf: the operator's settings, less a proxy on the operator's loopback, which it cannot reach."""
    reachable = {
        key: value for key, value in settings.items() if "://localhost" not in value and "://127." not in value
    }
    return "".join(f'{key} "{value}";\n' for key, value in reachable.items())


def mmdebstrap_command(entries: list[sources.Source], settings: Mapping[str, str], tree: Path, tar: Path) -> list[str]:
    """The command that makes the root file system `tar`, laying the files under `tree` over it; sources come on stdin."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(recipe.PACKAGES)}",
        *(f'--aptopt={key} "{value}"' for key, value in settings.items()),
        f"--customize-hook=sync-in {tree} /",
        *(f"--customize-hook={line}" for line in recipe.CUSTOMIZE),
        recipe.RELEASE,
        str(tar),
        "-",
    ]


def _build(
    door: podman.Podman, name: str, entries: list[sources.Source], settings: Mapping[str, str], report: Report
) -> None:
    began = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="bootstrap-image-", dir="/var/tmp"))
    try:
        tree, tar = work / "tree", work / "root.tar"
        lay_out(tree, entries, settings)
        with _telling(report, "making the machine image from this machine's Debian mirror", began):
            podman.run(
                mmdebstrap_command(entries, settings, tree, tar),
                doing="making the machine image with mmdebstrap",
                stdin=sources.render(entries).encode(),
                timeout=BUILD_SECONDS,
                remedy=REMEDY,
            )
        with _telling(report, "storing the machine image", began):
            command = ("--change", 'CMD ["/sbin/init"]', "--change", "STOPSIGNAL SIGRTMIN+3")
            door.run("import", *command, str(tar), name, doing="storing the machine image", timeout=BUILD_SECONDS)
    finally:
        shutil.rmtree(work)
    report(f"machine image {name} is ready ({time.monotonic() - began:.0f} s)")


def _forget_others(door: podman.Podman, name: str) -> None:
    """Remove the images that this one takes the place of; podman keeps those that a machine was made from."""
    listing = door.run("images", "--format={{.Repository}}:{{.Tag}}", REPOSITORY, doing="listing machine images")
    for other in set(listing.split()) - {name}:
        door.try_run("rmi", other)


def lay_out(tree: Path, entries: list[sources.Source], settings: Mapping[str, str]) -> None:
    """Write the recipe's files, the apt configuration and a company's keyrings as they are to lie in the machine."""
    files = {path: text.encode() for path, text in recipe.FILES.items()}
    files["etc/apt/sources.list.d/debian.sources"] = sources.render(entries).encode()
    files["etc/apt/apt.conf.d/99mmdebstrap"] = apt_configuration(settings).encode()
    files |= {str(path).lstrip("/"): path.read_bytes() for path in sources.keyrings(entries) if path.is_file()}
    tree.mkdir(mode=0o755)
    for path, content in files.items():
        file = tree / path
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o644)


@contextmanager
def _telling(report: Report, what: str, began: float) -> Iterator[None]:
    """Say what goes on, now and every few seconds, with the seconds since `began`."""
    over = threading.Event()

    def tell() -> None:
        report(f"{what} ({time.monotonic() - began:.0f} s)")
        while not over.wait(TELL_EVERY_SECONDS):
            report(f"{what} ({time.monotonic() - began:.0f} s)")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


@contextmanager
def _locked() -> Iterator[None]:
    LOCK.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with os.fdopen(os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
