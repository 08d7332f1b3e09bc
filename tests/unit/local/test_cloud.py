"""The local cloud as the command line meets it: the one for a plan before anything was launched."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bootstrap.environment import settings
from bootstrap.errors import UsageError
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

    with local.open_for_plan(chosen, kept, run) as cloud:
        assert urllib.request.urlopen(f"{cloud.endpoint}/_bootstrap/health", timeout=5).status == 200
        pid = cloud._read_running()["pid"]

    assert not kept.exists()
    assert [] == list(tmp_path.glob("bootstrap-plan-*"))
    assert not Path(f"/proc/{pid}/cmdline").exists() or b"local.aws" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert os.environ.get("AWS_ENDPOINT_URL") is None


@pytest.mark.parametrize(
    ("variable", "elsewhere"), [("", False), ("http://127.0.0.1:4566", False), ("http://127.0.0.1:9", True)]
)
def test_a_shell_with_the_operators_keys_opens_the_environments_own_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, elsewhere: bool
) -> None:
    (tmp_path / "mine" / "cloud").mkdir(parents=True)
    (tmp_path / "mine" / "cloud" / "port").write_text("4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL", variable)

    assert elsewhere == local.is_elsewhere("mine", tmp_path)


def test_the_keys_of_another_environment_are_refused_where_there_is_a_cloud_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other" / "cloud").mkdir(parents=True)
    (tmp_path / "other" / "cloud" / "port").write_text("4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")

    assert local.is_elsewhere("mine", tmp_path)  # the account for both, as with a promotion

    (tmp_path / "mine" / "cloud").mkdir(parents=True)
    (tmp_path / "mine" / "cloud" / "port").write_text("4567")
    with pytest.raises(UsageError, match="names the local cloud of the environment 'other'"):
        local.is_elsewhere("mine", tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from bootstrap.environment import settings
from bootstrap.local import cloud as local
from bootstrap.runs.journal import Journal, Run

folder = Path(sys.argv[1])
run = Run("r", Journal(folder / "run"), as_json=True)
with local.open_for_plan(settings.load(folder / "planned.yaml"), folder / "kept", run) as cloud:
    print(cloud._running()["pid"], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_cloud_of_a_plan_that_is_killed_ends_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "planned.yaml").write_text(FILE)
    environ = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], env=environ, capture_output=True, text=True)
    assert killed.stdout, killed.stderr
    pid = Path("/proc", killed.stdout.split()[-1])

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (pid.exists() or list(tmp_path.glob("bootstrap-plan-*"))):
        time.sleep(0.1)
    assert not pid.exists()
    assert [] == list(tmp_path.glob("bootstrap-plan-*"))
