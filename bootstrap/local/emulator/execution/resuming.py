"""The state that steps change in memory only: stores it, and restores it in a resumed build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..model.build_record import read_result
from ..model.builds import Build
from ..model.program_record import RecordedSteps


def describe_state(build: Build, milestone: int) -> dict[str, Any]:
    """The state of the engine that is in no other file."""
    return {"result": build.result, "milestone": milestone, "changes": build.changes, "stages": build.stages}


def restore(build: Build, recorded: RecordedSteps) -> None:
    """Restore the build; its stages come with the steps."""
    result, build.changes = recorded.state["result"], recorded.state["changes"]
    build.result = None if result is None else read_result(str(result))
    secret = recorded.secrets
    build.parameters = [replace(it, value=secret.get(it.name, it.value)) for it in build.parameters]


def restore_stages(build: Build, recorded: RecordedSteps) -> None:
    """Restore times and results of the stages, after all recorded steps were requested again."""
    recorded_stages = list(recorded.state["stages"])
    for stage in build.stages:
        recorded_stage = next((it for it in recorded_stages if it["name"] == stage["name"]), None)
        if recorded_stage is not None:
            recorded_stages.remove(recorded_stage)
            stage.update(recorded_stage)
