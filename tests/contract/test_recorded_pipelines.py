"""Recorded Pipelines: the emulator holds them as a real Jenkins did, in result, stages and console."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.recorded.player import Outcome, Player, read_cases

SETTINGS = Path(__file__).with_name("recorded") / "settings.yaml"
# The share of the cases of each half that must be identical, in percent; none may end with another result. May only rise.
FLOOR = {"declarative": 95, "scripted": 92}  # "Possible solutions" of Groovy differ from run to run in a few
# All of them take minutes.
EVERY = 1 if os.environ.get("RECORDED") == "all" else 5
ARCHIVE_SECONDS = 60
pytestmark = pytest.mark.own_process


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory, make_emulator: Callable[..., Any]) -> Iterator[Player]:
    root = tmp_path_factory.mktemp("recorded")
    tool = root / "tools" / "maven" / "bin" / "mvn"
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\necho "fake-mvn $0"\n')
    tool.chmod(0o755)
    # A service of long life makes an archive of Java's classes first; with it each Pipeline begins sooner.
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(root / "notify"))
    server = make_emulator(root / "server", NOTIFY_SOCKET=str(root / "notify"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "key")], check=True)
    (server.root / "secrets" / "SSH_KEY").write_text((root / "key").read_text())
    for path in server.casc.iterdir():
        path.unlink()
    settings = SETTINGS.read_text().replace("URL/", f"{server.url}/").replace("TOOLS", str(root / "tools"))
    (server.casc / "settings.yaml").write_text(settings)
    server.start()
    end = time.monotonic() + ARCHIVE_SECONDS
    while not list(server.home.glob("caches/pipeline-runner-*/*.jsa")) and time.monotonic() < end:
        time.sleep(0.2)
    yield Player(server.url, "admin", "admin-password", str(root / "tools"))
    server.stop()
    listener.close()


@pytest.mark.parametrize("half", FLOOR)
def test_recorded_pipelines_run_as_they_ran_on_jenkins(player: Player, half: str) -> None:
    cases = read_cases(half)
    chosen = {name: cases[name] for name in sorted(cases)[::EVERY]}
    outcomes: list[Outcome] = list(player.play(chosen))
    # Where two programs of a build write at the same time, their order differs from run to run: they are played once more.
    again = {it.name: chosen[it.name] for it in outcomes if it.differences and not it.has_other_result}
    held = {outcome.name for outcome in player.play(again) if not outcome.differences}
    different = [outcome for outcome in outcomes if outcome.differences and outcome.name not in held]
    print("\n".join(outcome.describe() for outcome in different))
    identical, others = len(outcomes) - len(different), [it.name for it in outcomes if it.has_other_result]
    print(f"{identical} of {len(outcomes)} identical; with another result: {others}")
    assert not others
    assert identical * 100 >= FLOOR[half] * len(outcomes)
