"""What commands leave in `.bootstrap`, and who may read it."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import context, launch
from bootstrap.cli import environment_opening
from bootstrap.cli.commands import destroy
from bootstrap.errors import EnvironmentProtected, UsageError
from bootstrap.preconditions import host_inputs
from bootstrap.remote.toolkit_repository import BUNDLE
from bootstrap.runs.journal import Journal, Run
from bootstrap.views import leftovers


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run("20260101T000000Z-abcd", Journal(tmp_path / "run"))


def test_a_command_narrows_an_open_folder_before_it_writes_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / ".bootstrap"
    (top / "local").mkdir(parents=True)
    for folder in (top, top / "local"):
        folder.chmod(0o755)
    seen: list[int] = []

    def refuse(*_: Any, **__: Any) -> None:
        seen.extend(path.stat().st_mode & 0o777 for path in (top, *top.rglob("*")) if path.is_dir())
        raise UsageError("opening", "no cloud in this test", "none")

    monkeypatch.setattr(environment_opening, "PROJECT", tmp_path)
    monkeypatch.setattr(environment_opening, "_start_cloud", refuse)
    options = argparse.Namespace(environment="local", command="status", json=False, verbose=False)
    with pytest.raises(UsageError), environment_opening.open_environment(options):
        pass
    assert len(seen) == 4  # the folder, the environment's, its runs and this one
    assert set(seen) == {0o700}


@pytest.mark.parametrize("data", [None, "trial"])
def test_destroy_removes_the_bundle(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, data: str | None
) -> None:
    (tmp_path / BUNDLE).write_text("code")
    settings = SimpleNamespace(name="trial", cloud="aws")
    opened = SimpleNamespace(state=tmp_path, settings=settings, stacks={}, world=SimpleNamespace(), close=lambda: None)

    @contextlib.contextmanager
    def open_environment(*_: Any, **__: Any) -> Iterator[tuple[Any, Run]]:
        yield opened, run

    monkeypatch.setattr(environment_opening, "open_environment", open_environment)
    monkeypatch.setattr(destroy, "_report_if_never_launched", lambda _: False)
    monkeypatch.setattr(launch, "destroy", lambda *_, **__: ())
    monkeypatch.setattr(leftovers, "report_leftovers", lambda *_: None)
    assert destroy.destroy(argparse.Namespace(delete_data=data, yes=True)) == 0
    assert not (tmp_path / BUNDLE).exists()


def test_a_file_that_does_not_travel_is_told(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=checkout, check=True)
    (checkout / "a").write_text("code")
    subprocess.run(["git", "add", "a"], cwd=checkout, check=True)
    (checkout / "notes.txt").write_text("secret")
    monkeypatch.setattr(host_inputs, "PROJECT", checkout)
    settings = SimpleNamespace(repository=SimpleNamespace(url=None, branch="main"))
    own = checkout / "mine.yaml"
    opened: Any = SimpleNamespace(settings=settings, state=tmp_path, environment_file=own)

    host_inputs._make_toolkit(opened, {}, run)

    assert ["notes.txt" in notice and "git add -- notes.txt" in notice for notice in run.notices] == [True]
    own.write_text("environment: mine\n")
    host_inputs._make_toolkit(opened, {}, run)
    assert "the jobs on the machine will not find this environment: mine.yaml" in run.notices[-1]
    subprocess.run(["git", "add", "mine.yaml"], cwd=checkout, check=True)
    host_inputs._make_toolkit(opened, {}, run)
    assert "mine.yaml" not in run.notices[-1]
    assert (tmp_path / BUNDLE).stat().st_mode & 0o777 == 0o600


def test_who_cannot_be_asked_must_say_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    with pytest.raises(UsageError, match="there is no terminal") as caught:
        environment_opening.is_agreed(argparse.Namespace(yes=False), "Destroy 'local'?")
    assert "--yes" in caught.value.remedy
    assert environment_opening.is_agreed(argparse.Namespace(yes=True), "Destroy 'local'?")


FILE = "environment: trial\ncloud: local\nowner: x\ncost_center: x\nprotect: {}\n"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing was launched."""
    monkeypatch.setattr(context, "PROJECT", tmp_path)
    (tmp_path / "trial.yaml").write_text(FILE.format("false"))
    return tmp_path


def options(checkout: Path, data: str | None = None) -> argparse.Namespace:
    given = {"delete_data": data, "unprotect": False, "yes": False, "json": False, "verbose": False}
    return argparse.Namespace(environment=str(checkout / "trial.yaml"), command="destroy", **given)


@pytest.mark.parametrize("data", [None, "trial"])
def test_where_nothing_was_launched_there_is_nothing_to_destroy(
    checkout: Path, capsys: pytest.CaptureFixture[str], data: str | None
) -> None:
    (checkout / ".bootstrap" / "trial" / "cloud").mkdir(parents=True)  # of a launch that was killed at once
    assert destroy.destroy(options(checkout, data)) == 0
    assert capsys.readouterr().out == "nothing to destroy: 'trial' was not launched from this checkout\n"
    assert not (checkout / ".bootstrap" / "trial" / "cloud").exists()


def test_what_destroy_refuses_is_refused_where_nothing_was_launched(checkout: Path) -> None:
    with pytest.raises(UsageError, match="not the environment's name"):
        destroy.destroy(options(checkout, "other"))
    (checkout / "trial.yaml").write_text(FILE.format("true"))
    with pytest.raises(EnvironmentProtected):
        destroy.destroy(options(checkout))
