"""SSH through Session Manager, with a real SSH server behind a stand-in for AWS' plugin; and Direct Connect as a model."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "remote"))

import sshd as server_module
from sshd import Sshd

from bootstrap.cloud import session_manager
from tests.unit.cloud.direct_connect_model import Cloud
from tests.unit.cloud.sessions import Ssm


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with server_module.running() as running:
        yield running


@pytest.fixture
def ssm(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ssm]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / session_manager.PLUGIN).symlink_to(Path(__file__).parents[1] / "plugin.py")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PLUGIN_CALLS", str(tmp_path / "calls"))
    made = Ssm(tmp_path / "calls", sshd.port)
    monkeypatch.setenv("AWS_PROFILE", "operators")
    yield made
    made.lender.close()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()
