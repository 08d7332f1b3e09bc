"""The machine image: mmdebstrap makes Debian from the apt sources of this machine; podman stores the image.

The tag is a hash of all inputs (recipe, sources, apt settings). So a changed recipe or mirror makes a new image; otherwise the
image is built only once.
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

from bootstrap.local.machines import image_content, podman, sources

Report = Callable[[str], None]

REPOSITORY = "localhost/bootstrap-machine"
# In a folder of root, like the images: in /var/lock any user could make the file first, or hold the lock.
LOCK = Path("/run/bootstrap/machine-image.lock")
BUILD_SECONDS = 900.0
TELL_EVERY_SECONDS = 5.0
# The settings of apt that may be necessary to reach the operator's mirror.
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
    """The name of the machine image; it is built first if podman does not have it (about half a minute).

    `report` gets lines about the build, with the seconds since it began. Two callers at the same time build it once.
    LocalCloudFailed if the build fails.
    """
    entries = sources.adapt_to_release(sources.read_sources(), image_content.RELEASE)
    settings = read_apt_settings()
    name = f"{REPOSITORY}:{compute_digest(entries, settings)}"
    engine = podman.Podman()
    if engine.has("image", name):
        return name
    with _hold_image_lock():
        if not engine.has("image", name):
            _build(engine, name, entries, settings, report)
            _remove_other_images(engine, name)
    return name


def compute_digest(entries: list[sources.Source], settings: Mapping[str, str]) -> str:
    """The hash of all inputs of an image: 16 hexadecimal digits."""
    made_of = [
        image_content.RELEASE,
        image_content.PACKAGES,
        image_content.FILES,
        image_content.CUSTOMIZE,
        sources.render(entries),
        dict(settings),
        [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources.list_keyrings(entries) if path.is_file()],
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def read_apt_settings() -> dict[str, str]:
    """The values of APT_SETTINGS on this machine, without those that are not set."""
    names = [word for index, key in enumerate(APT_SETTINGS) for word in (f"V{index}", key)]
    answer = podman.run(["apt-config", "shell", *names], doing="reading this machine's apt configuration")
    values = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    return {key: shlex.split(values[f"V{index}"])[0] for index, key in enumerate(APT_SETTINGS) if f"V{index}" in values}


def format_apt_configuration(settings: Mapping[str, str]) -> str:
    """The machine's apt.conf: the operator's settings, without a proxy on the loopback, which a machine cannot reach."""
    reachable = {
        key: value for key, value in settings.items() if "://localhost" not in value and "://127." not in value
    }
    return "".join(f'{key} "{value}";\n' for key, value in reachable.items())


def make_mmdebstrap_command(
    entries: list[sources.Source], settings: Mapping[str, str], tree: Path, tar: Path
) -> list[str]:
    """The command that makes the root file system `tar`, with the files of `tree` copied into it; stdin has the sources."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(image_content.PACKAGES)}",
        *(f'--aptopt={key} "{value}"' for key, value in settings.items()),
        f"--customize-hook=sync-in {tree} /",
        *(f"--customize-hook={line}" for line in image_content.CUSTOMIZE),
        image_content.RELEASE,
        str(tar),
        "-",
    ]


def _build(
    engine: podman.Podman, name: str, entries: list[sources.Source], settings: Mapping[str, str], report: Report
) -> None:
    began = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="bootstrap-image-", dir="/var/tmp"))
    try:
        tree, tar = work / "tree", work / "root.tar"
        write_tree(tree, entries, settings)
        with _report_step(report, "making the machine image from this machine's Debian mirror", began):
            podman.run(
                make_mmdebstrap_command(entries, settings, tree, tar),
                doing="making the machine image with mmdebstrap",
                stdin=sources.render(entries).encode(),
                timeout=BUILD_SECONDS,
                remedy=REMEDY,
            )
        with _report_step(report, "storing the machine image", began):
            command = ("--change", 'CMD ["/sbin/init"]', "--change", "STOPSIGNAL SIGRTMIN+3")
            engine.run("import", *command, str(tar), name, doing="storing the machine image", timeout=BUILD_SECONDS)
    finally:
        shutil.rmtree(work)
    report(f"machine image {name} is ready ({time.monotonic() - began:.0f} s)")


def _remove_other_images(engine: podman.Podman, name: str) -> None:
    """Remove all other machine images; podman keeps those that a machine uses."""
    listing = engine.run("images", "--format={{.Repository}}:{{.Tag}}", REPOSITORY, doing="listing machine images")
    for other in set(listing.split()) - {name}:
        engine.try_run("rmi", other)


def write_tree(tree: Path, entries: list[sources.Source], settings: Mapping[str, str]) -> None:
    """Write the recipe's files, the apt configuration and additional keyrings into `tree`, at their paths in the machine."""
    files = {path: text.encode() for path, text in image_content.FILES.items()}
    files["etc/apt/sources.list.d/debian.sources"] = sources.render(entries).encode()
    files["etc/apt/apt.conf.d/99mmdebstrap"] = format_apt_configuration(settings).encode()
    files |= {str(path).lstrip("/"): path.read_bytes() for path in sources.list_keyrings(entries) if path.is_file()}
    tree.mkdir(mode=0o755)
    for path, content in files.items():
        file = tree / path
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o644)


@contextmanager
def _report_step(report: Report, step: str, began: float) -> Iterator[None]:
    """Report a step, at once and then every few seconds, with the seconds since `began`."""
    finished = threading.Event()

    def report_repeatedly() -> None:
        report(f"{step} ({time.monotonic() - began:.0f} s)")
        while not finished.wait(TELL_EVERY_SECONDS):
            report(f"{step} ({time.monotonic() - began:.0f} s)")

    reporter = threading.Thread(target=report_repeatedly, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        finished.set()
        reporter.join()


@contextmanager
def _hold_image_lock() -> Iterator[None]:
    LOCK.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with os.fdopen(os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
