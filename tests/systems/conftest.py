"""One Debian 13 for all tests of this part, in their order."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nested import System, boot

from bootstrap.local import prerequisites
from bootstrap.remote import toolkit_repository

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Debian 13 with a clone of this working tree; nothing is launched yet."""
    if os.geteuid() != 0:
        pytest.fail("a system that boots machines needs root: run the tests with sudo")
    if missing := prerequisites.list_missing():
        pytest.fail(f"these packages are missing: {', '.join(missing)}; './bootstrap.py test --long' installs them")
    scratch = tmp_path_factory.mktemp("project")
    taken = toolkit_repository.take_snapshot(ROOT, scratch)
    with boot(toolkit_repository.write_bundle(taken, "main", scratch / "it.bundle")) as booted:
        yield booted
