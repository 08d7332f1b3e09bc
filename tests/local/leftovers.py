"""What a killed run of the tests leaves on the machine, and how the next run removes it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bootstrap.local.machines import Machines
from bootstrap.local.machines.names import LABEL, STATE_LABEL

OF_A_PROCESS = re.compile(
    r"(?:convergetest|machinetest|instances)(\d+)"
)  # environments that end with their test process


def things(name: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Podman's containers and networks of one environment, or of all: environment, state directory, name."""
    label = LABEL if name is None else f"{LABEL}={name}"
    for kind in (["ps", "--all"], ["network", "ls"]) if shutil.which("podman") else ():
        command = ["podman", *kind, "--filter", f"label={label}", "--format", "json"]
        for thing in json.loads(subprocess.run(command, capture_output=True, text=True).stdout or "[]") or []:
            labels = thing.get("Labels") or thing.get("labels") or {}
            yield labels[LABEL], labels.get(STATE_LABEL, ""), str(thing.get("Names") or thing.get("name"))


def tables(name: str) -> list[str]:
    """The packet filter's tables of an environment."""
    if not shutil.which("nft"):
        return []
    listed = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
    return [line.split()[-1] for line in listed.splitlines() if f" bootstrap.{name}." in line]


def sweep(name: str) -> None:
    """Remove everything of an environment that an earlier, killed run of the tests may have left."""
    subprocess.run(["pkill", "-f", f"bootstrap.local.aws .*--environment {name}$"], capture_output=True)
    for state in {state for _, state, _ in things(name) if state}:
        Machines(name, Path(state)).remove_all(with_volumes=True)
    for table in tables(name):
        subprocess.run(["nft", "delete", "table", "ip", table], capture_output=True)
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in reversed([point for point in mounted if f"/.bootstrap/{name}/cloud/" in point]):
        subprocess.run(["umount", "--lazy", point], capture_output=True)


def sweep_dead() -> None:
    """Remove the environments that are named after a test process which is gone."""
    for name in {name for name, _, _ in things()}:
        owner = OF_A_PROCESS.fullmatch(name)
        if owner and not Path(f"/proc/{owner[1]}").exists() and os.geteuid() == 0:
            sweep(name)
