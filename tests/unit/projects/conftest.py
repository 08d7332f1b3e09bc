"""A toolkit and a project of it."""

from pathlib import Path

import pytest

from bootstrap.projects import creation, pin
from tests.unit.projects.toolkits import commit, git


@pytest.fixture
def toolkit(tmp_path: Path) -> Path:
    folder = tmp_path / "toolkit"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "one")
    return folder


@pytest.fixture
def project(toolkit: Path, tmp_path: Path) -> Path:
    creation.create(tmp_path / "project", pin.choose(toolkit))
    return tmp_path / "project"
