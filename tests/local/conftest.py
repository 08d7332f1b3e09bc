"""A whole environment, launched once from a fresh clone as a user would, and shared by every test that looks at it.

The tests run in the order of `ORDER`: what destroys the environment comes last.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from leftovers import sweep, sweep_dead
from trial import ENVIRONMENT, NAME, Launched, commit

from bootstrap.remote import toolkit_repository

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "acceptance"))  # the acceptance suite is no package, for it runs by itself as well
ORDER = (
    "test_machines",
    "test_instances",
    "test_enforcement",
    "test_converge",
    "test_launch",
    "test_moved_world",
    "test_planted_faults",
    "test_jobs_on_the_machine",
    "test_draining",
    "test_mail",
    "test_promotion",
    "test_authority",
    "test_rebuild",
    "test_faults",
    "test_kills",
    "test_bastion",
    "test_drift",
    "test_destroy",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = Path(str(item.path)).stem
        return ORDER.index(name) if name in ORDER else len(ORDER) - 1

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def _no_leftovers() -> None:
    """A killed run of the tests has cleaned nothing up: its networks would take the ranges of this one."""
    sweep_dead()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of this working tree, with an environment of the tests' own."""
    scratch = tmp_path_factory.mktemp("clone")
    taken = toolkit_repository.snapshot(ROOT, scratch)
    bundle = toolkit_repository.bundle(taken, "main", scratch / "it.bundle")
    folder = scratch / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--branch", "main", str(bundle), str(folder)], check=True)
    for key, value in {"user.name": "tests", "user.email": "tests@localhost"}.items():
        subprocess.run(["git", "config", key, value], cwd=folder, check=True)
    (folder / "environments" / f"{NAME}.yaml").write_text(ENVIRONMENT)
    commit(folder, "an environment for the tests")
    return folder


@pytest.fixture(scope="session")
def launched(checkout: Path) -> Iterator[Launched]:
    """The environment, launched with one command from nothing."""
    if os.geteuid() != 0:
        pytest.fail("the local cloud boots machines, which needs root: run the tests with sudo")
    sweep(NAME)
    it = Launched(checkout)
    try:
        found = it.run("-v", "launch")
        it.output = found.stdout
        assert 0 == found.returncode, f"launch failed\n{found.stdout[-8000:]}\n{found.stderr[-6000:]}"
        yield it
    finally:
        it.close()
        it.run("destroy", "--delete-data", NAME)
        sweep(NAME)
