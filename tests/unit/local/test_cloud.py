"""The local cloud as the command line meets it: the one for a plan before anything was launched."""

import os
import urllib.request
from pathlib import Path

import pytest

from bootstrap.environment import settings
from bootstrap.local import cloud as local
from bootstrap.runs.journal import Journal, Run

FILE = "environment: planned\ncloud: local\nowner: x\ncost_center: x\nnetwork: {cidr: 10.98.0.0/16}\n"


def test_a_plan_before_a_launch_has_a_cloud_that_installs_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(local.prerequisites, "ensure", lambda *_, **__: pytest.fail("it would install packages"))
    monkeypatch.setattr(local.prerequisites, "ensure_root", lambda *_: pytest.fail("it would need root"))
    (tmp_path / "planned.yaml").write_text(FILE)
    chosen = settings.load(tmp_path / "planned.yaml")
    run = Run("r", Journal(tmp_path / "run"), as_json=True)
    kept = tmp_path / "kept" / "cloud"

    with local.for_a_plan(chosen, kept, run) as cloud:
        assert urllib.request.urlopen(f"{cloud.endpoint}/_bootstrap/health", timeout=5).status == 200
        pid = cloud._running()["pid"]

    assert not kept.exists()
    assert [] == list(tmp_path.glob("bootstrap-plan-*"))
    assert not Path(f"/proc/{pid}/cmdline").exists() or b"local.aws" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert os.environ.get("AWS_ENDPOINT_URL") is None
