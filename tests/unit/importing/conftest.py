"""The Jenkins that is imported."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# With importlib as import mode, pytest puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))
from recorded_jenkins import Jenkins


@pytest.fixture
def other() -> Iterator[Jenkins]:
    """The Jenkins that is imported: the recorded settings, one plugin, no jobs."""
    server = Jenkins()
    yield server
    server.stop()
    assert [] == [
        name for name in server.asked if not name.startswith("GET ") and name != "POST configuration-as-code/export"
    ]
