"""What steps leave in a Pipeline's build and in no file, and how a build that is resumed gets it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..model.build_record import read_result
from ..model.builds import Build
from ..model.program_record import Past


def state_of(build: Build, milestone: int) -> dict[str, Any]:
    """What steps leave in the engine and in no file."""
    return {"result": build.result, "milestone": milestone, "changes": build.changes, "stages": build.stages}


def restore(build: Build, past: Past) -> None:
    """The build as it was; its stages come with the steps."""
    result, build.changes = past.state["result"], past.state["changes"]
    build.result = None if result is None else read_result(str(result))
    secret = past.secrets
    build.parameters = [replace(it, value=secret.get(it.name, it.value)) for it in build.parameters]


def restore_stages(build: Build, past: Past) -> None:
    """Every step of then was asked for again: the stages get the times and outcomes of then."""
    past_stages = list(past.state["stages"])
    for stage in build.stages:
        past_stage = next((it for it in past_stages if it["name"] == stage["name"]), None)
        if past_stage is not None:
            past_stages.remove(past_stage)
            stage.update(past_stage)
