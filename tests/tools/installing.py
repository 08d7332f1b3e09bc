"""Installs programs of others by a lock with hashes, each lock into a folder of its own, which stays until the lock changes."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.aws.conftest import ROOT

INSTALL_SECONDS = 900.0


def install_python(lock: Path, name: str) -> Path:
    """The directory of the programs of a requirements.lock, below `.tox/name`."""

    def fill(place: Path) -> None:
        uv = [sys.executable, "-m", "uv"]
        install([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)])
        into = ["--python", str(place / "bin/python")]
        install([*uv, "pip", "install", "--quiet", "--require-hashes", *into, "-r", str(lock)])

    return keep(f"{name}/python", lock.read_bytes() + sys.version.encode(), fill) / "bin"


def keep(name: str, made_from: bytes, fill: Callable[[Path], None]) -> Path:
    """The folder that `fill` fills, once for what it is made from; `name` is its place below `.tox`."""
    start = ROOT / ".tox" / name
    place = start.with_name(f"{start.name}-{hashlib.sha256(made_from).hexdigest()[:16]}")
    place.parent.mkdir(parents=True, exist_ok=True)
    with _lock(place):
        if not (place / "whole").exists():
            fill(place)
            (place / "whole").touch()
    return place


def install(command: list[str]) -> None:
    """Run a program that installs; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    assert 0 == done.returncode, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@contextmanager
def _lock(place: Path) -> Iterator[None]:
    """Hold a lock file, so that two runs do not install into one place."""
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
