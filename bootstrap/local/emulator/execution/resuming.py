"""The state that steps change in memory only: stores it, and restores it in a resumed build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..model.build_record import read_result
from ..model.builds import Build
from ..model.program_record import Past


def state_of(build: Build, milestone: int) -> dict[str, Any]:
    """The state of the engine that is in no other file."""
    return {"result": build.result, "milestone": milestone, "changes": build.changes, "stages": build.stages}


def restore(build: Build, past: Past) -> None:
    """Restore the build; its stages come with the steps."""
    result, build.changes = past.state["result"], past.state["changes"]
    build.result = None if result is None else read_result(str(result))
    secret = past.secrets
    build.parameters = [replace(it, value=secret.get(it.name, it.value)) for it in build.parameters]


def restore_stages(build: Build, past: Past) -> None:
    """Restore times and results of the stages, after all past steps were requested again."""
    past_stages = list(past.state["stages"])
    for stage in build.stages:
        past_stage = next((it for it in past_stages if it["name"] == stage["name"]), None)
        if past_stage is not None:
            past_stages.remove(past_stage)
            stage.update(past_stage)
