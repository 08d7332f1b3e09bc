"""The state that steps change in memory only: stores it, and restores it in a resumed build."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from ..failures import StepFailed
from ..model.build_record import read_result
from ..model.builds import Build
from ..model.program_record import WAITING, RecordedSteps
from .contexts import Context
from .durable_node import DurableNode

_SCRIPT = "sh"
_NOT_RESUMED = "org.jenkinsci.plugins.workflow.steps.SynchronousResumeNotSupportedException"


def make_note(message: dict[str, Any], context: Context) -> dict[str, Any]:
    """What is recorded with the request of a step that works on an agent of a cloud; empty for other steps.

    A script gets the folder in which it keeps its output and its exit code.
    """
    held, where = context.allocation, context.here
    if message["kind"] != "call" or message["name"].startswith("_") or held is None or where is None:
        return {}
    if not isinstance(held.node, DurableNode):
        return {}
    control = {"control": f"{where}@tmp/durable-{secrets.token_hex(4)}"} if message["name"] == _SCRIPT else {}
    return {"agent": held.node.name, **control}


def describe_held(context: Context) -> dict[str, Any]:
    """What a block holds of an agent of a cloud, for the record: so that it gets the same agent after a restart."""
    held = context.own_allocation
    if held is None or not isinstance(held.node, DurableNode):
        return {}
    return {"held": {"agent": held.node.name, "workspace": str(held.workspace)}}


def require_resumable(name: str) -> None:
    """Refuse to go on with a step that a restart has interrupted on an agent, unless it is a script."""
    if name not in {_SCRIPT, *WAITING}:
        words = f"The Pipeline step `{name}` cannot be resumed after a controller restart."
        raise StepFailed(words, _NOT_RESUMED)


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
