"""The Jenkins that is imported."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# With importlib as import mode, pytest puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))
from recorded_jenkins import ROOT, Jenkins

from bootstrap.importing.conversion import import_jenkins


@pytest.fixture
def other() -> Iterator[Jenkins]:
    """The Jenkins that is imported: the recorded settings, one plugin, no jobs."""
    server = Jenkins()
    yield server
    server.stop()
    assert [] == [
        name for name in server.asked if not name.startswith("GET ") and name != "POST configuration-as-code/export"
    ]


@pytest.fixture
def import_it(other, tmp_path: Path):
    """Import the other Jenkins into a new folder."""
    return lambda: import_jenkins(other.source(), tmp_path / "into", ROOT)
