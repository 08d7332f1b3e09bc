"""Recorded Pipelines: the emulator holds them as a real Jenkins did, in result, stages and console."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.recorded.player import Outcome, Player, read_cases

SETTINGS = Path(__file__).with_name("recorded") / "settings.yaml"
# How many cases of each half must be identical, and how many may end with another result; both may only get better.
FLOOR = {"declarative": (18, 21), "scripted": (79, 29)}
pytestmark = pytest.mark.own_process


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory, make_emulator: Callable[[Path], Any]) -> Iterator[Player]:
    root = tmp_path_factory.mktemp("recorded")
    tool = root / "tools" / "maven" / "bin" / "mvn"
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\necho "fake-mvn $0"\n')
    tool.chmod(0o755)
    server = make_emulator(root / "server")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "key")], check=True)
    (server.root / "secrets" / "SSH_KEY").write_text((root / "key").read_text())
    for path in server.casc.iterdir():
        path.unlink()
    settings = SETTINGS.read_text().replace("URL/", f"{server.url}/").replace("TOOLS", str(root / "tools"))
    (server.casc / "settings.yaml").write_text(settings)
    server.start()
    yield Player(server.url, "admin", "admin-password", str(root / "tools"))
    server.stop()


@pytest.mark.parametrize("half", FLOOR)
def test_recorded_pipelines_run_as_they_ran_on_jenkins(player: Player, half: str) -> None:
    outcomes: list[Outcome] = list(player.play(read_cases(half)))
    different = [outcome for outcome in outcomes if outcome.differences]
    print("\n".join(outcome.describe() for outcome in different))
    identical, others = len(outcomes) - len(different), [it.name for it in outcomes if it.has_other_result]
    print(f"{identical} of {len(outcomes)} identical; with another result: {others}")
    least, most = FLOOR[half]
    assert identical >= least
    assert len(others) <= most, others
