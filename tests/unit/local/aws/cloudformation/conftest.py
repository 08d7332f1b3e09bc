"""Makes `in_process` importable, and holds every test to it that its stacks have leaked nothing.

With importlib as import mode, pytest puts no folder of tests on the path.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
import in_process


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """After a test, everything that its stacks created belongs to a stack, was retained, or is gone."""
    in_process.CLOUDS.clear()
    yield
    assert [] == [cloud.leaked() for cloud in in_process.CLOUDS if cloud.leaked()]
