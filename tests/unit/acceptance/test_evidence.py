"""The evidence is whole before the first check ends: pytest and the threads that gather share the environment's variables."""

import time
from typing import Any

import evidence
import pytest


def test_every_thread_has_ended_before_a_check_can(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def gather(_: Any) -> str:
        time.sleep(0.2)
        ended.append("slow")
        return "found"

    monkeypatch.setattr(evidence, "GATHERERS", {"slow": gather})
    gathered = evidence.Evidence(None, {"slow"})  # type: ignore[arg-type]

    assert ["slow"] == ended
    assert "found" == gathered.of("slow")
    gathered.close()
