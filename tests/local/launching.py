"""How the tests come to an environment of their own: a fresh clone, and one launch of it.

The fixtures are imported by the conftest of each part that launches, which thereby shares one launch.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from leftovers import sweep, sweep_dead
from trial import ENVIRONMENT, NAME, Launched, commit

from bootstrap.remote import toolkit_repository

ROOT = Path(__file__).resolve().parents[2]


def clone(scratch: Path) -> Path:
    """A fresh clone of this working tree in `scratch`, with an environment of the tests' own."""
    taken = toolkit_repository.take_snapshot(ROOT, scratch)
    bundle = toolkit_repository.write_bundle(taken, "main", scratch / "it.bundle")
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


@pytest.fixture(scope="session", autouse=True)
def no_leftovers() -> None:
    """A killed run of the tests has cleaned nothing up: its networks would take the ranges of this one."""
    sweep_dead()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of this working tree, with an environment of the tests' own."""
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def launched(checkout: Path) -> Iterator[Launched]:
    """The environment, launched with one command from nothing."""
    yield from launch(checkout)
