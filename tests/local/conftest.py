"""A whole environment, launched once from a fresh clone as a user would, and shared by every test that looks at it.

The tests run in the order of `ORDER`: what destroys the environment comes last.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from launching import ROOT, clone, launch
from leftovers import sweep_dead
from trial import Launched

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
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def launched(checkout: Path) -> Iterator[Launched]:
    """The environment, launched with one command from nothing."""
    yield from launch(checkout)
