"""Makes `scripted` and its neighbours importable; the desired state, and a shell on a real SSH server."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# With importlib as import mode, pytest puts no folder of tests on the path.
sys.path.insert(0, str(Path(__file__).parent))
import sshd as server_module
from sshd import Sshd
from wished import inputs

from bootstrap.remote.shell import FabricShell
from tests.unit.remote.desired_units import by_id


@pytest.fixture
def wished() -> dict[str, dict[str, Any]]:
    return by_id(inputs())


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with server_module.running() as running:
        yield running


@pytest.fixture
def shell(sshd: Sshd) -> Iterator[FabricShell]:
    shell = FabricShell(sshd.machine(), patience=5)
    yield shell
    shell.close()
