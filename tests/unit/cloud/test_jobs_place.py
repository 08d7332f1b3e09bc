"""Where a job of the toolkit runs: on the machine, on an agent, or nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap.cloud import jobs_place
from bootstrap.cloud.world import World
from bootstrap.environment.models import Settings
from bootstrap.remote.desired import jobs_access
from bootstrap.values import Secret

CHOSEN = {"environment": "trial", "cloud": "local", "owner": "a", "cost_center": "b"}


@pytest.fixture(autouse=True)
def machine_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "machine.json"
    monkeypatch.setattr(jobs_place, "MACHINE_FILE", path)
    monkeypatch.setattr(jobs_access, "KEY", str(tmp_path / "key"))
    monkeypatch.delenv(jobs_place.VARIABLE, raising=False)
    return path


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that Jenkins fills before it starts the agent of a job."""
    folder = tmp_path / "controller"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"environment": "trial"}))
    (folder / "known_hosts").write_text("10.1.2.3 ssh-ed25519 AAAA\n")
    (tmp_path / "key").write_text("the key\n")
    monkeypatch.setenv(jobs_place.VARIABLE, str(folder))
    return folder


def make_world(name: str = "trial") -> World:
    return World(Settings.model_validate(CHOSEN | {"environment": name}))


def test_an_operator_runs_no_job() -> None:
    assert not jobs_place.is_job()
    assert not make_world().is_on_machine
    assert make_world().jobs_login is None


def test_a_job_on_the_machine_needs_no_login(machine_file: Path) -> None:
    machine_file.write_text(json.dumps({"environment": "trial"}))

    assert jobs_place.is_job()
    assert make_world().is_on_machine and make_world().jobs_login is None
    assert not make_world("other").is_on_machine


def test_a_job_on_an_agent_logs_in_with_its_key_and_knows_the_host_key(agent: Path) -> None:
    expected = jobs_place.Login("jenkins-agent", Secret("the key\n"), ("ssh-ed25519 AAAA",))

    assert jobs_place.is_job()
    assert make_world().is_on_machine
    assert expected == make_world().jobs_login


def test_a_job_on_an_agent_does_not_log_in_on_the_machine_of_another_environment(agent: Path) -> None:
    assert not make_world("other").is_on_machine
    assert make_world("other").jobs_login is None


def test_an_agent_whose_files_are_gone_is_no_job_of_the_environment(agent: Path) -> None:
    (agent / "settings.json").unlink()

    assert not make_world().is_on_machine
