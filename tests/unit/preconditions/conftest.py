"""A project with a stack of its own."""

from pathlib import Path

import pytest

from bootstrap.projects import folders
from tests.unit.preconditions.project_files import TEMPLATE


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folders, "PROJECT", tmp_path)
    monkeypatch.setattr("bootstrap.context.PROJECT", tmp_path)
    (tmp_path / "cloudformation").mkdir()
    (tmp_path / "cloudformation" / "database.yaml").write_text(TEMPLATE)
    return tmp_path
