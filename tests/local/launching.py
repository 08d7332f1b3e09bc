"""How the tests come to an environment of their own: a fresh clone, and one launch of it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from leftovers import sweep
from trial import ENVIRONMENT, NAME, Launched, commit

from bootstrap.remote import toolkit_repository

ROOT = Path(__file__).resolve().parents[2]


def clone(scratch: Path) -> Path:
    """A fresh clone of this working tree in `scratch`, with an environment of the tests' own."""
    taken = toolkit_repository.snapshot(ROOT, scratch)
    bundle = toolkit_repository.bundle(taken, "main", scratch / "it.bundle")
    folder = scratch / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--branch", "main", str(bundle), str(folder)], check=True)
    for key, value in {"user.name": "tests", "user.email": "tests@localhost"}.items():
        subprocess.run(["git", "config", key, value], cwd=folder, check=True)
    (folder / "environments" / f"{NAME}.yaml").write_text(ENVIRONMENT)
    commit(folder, "an environment for the tests")
    return folder


def launch(checkout: Path) -> Iterator[Launched]:
    """The environment, launched with one command from nothing, and destroyed with its data in the end."""
    if os.geteuid() != 0:
        pytest.fail("the local cloud boots machines, which needs root: run the tests with sudo")
    sweep(NAME)
    environment = Launched(checkout)
    try:
        done = environment.run("-v", "launch")
        environment.output = done.stdout
        assert 0 == done.returncode, f"launch failed\n{done.stdout[-8000:]}\n{done.stderr[-6000:]}"
        yield environment
    finally:
        environment.close()
        environment.run("destroy", "--delete-data", NAME)
        sweep(NAME)
