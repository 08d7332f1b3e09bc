"""The step `input`, as in pipeline-input-step's InputStep and InputStepExecution."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ..execution.registry import Step, register_step
from ..failures import Interrupted, StepFailed
from ..model.inputs import PendingInput

# What an id may be made of: it becomes a part of a URL.
_SAFE = re.compile(r"[a-zA-Z0-9\-._~!$()*+,:@=]+")


@register_step("input", main="message", plugin="pipeline-input-step")
async def ask(call: Step) -> Any:
    """Wait until somebody proceeds or aborts; the value is the answer, None without parameters."""
    engine = call.engine
    question = _make_question(call)
    engine.services.inputs.ask(question)
    is_plain = not question.parameters
    if call.since is None:  # else it was said before the restart
        call.say(f"{question.message}\n{question.proceed} or {question.abort}" if is_plain else "Input requested")
    try:
        answer = await question.answer
    finally:
        engine.services.inputs.close(question)
    who = engine.home.find_full_name(question.answered_by)
    if answer is None:
        raise Interrupted(f"Rejected by {who}", "ABORTED")
    call.say(f"Approved by {who}")
    variable = call.read_text("submitterParameter")
    values = {**answer, variable: question.answered_by} if variable else answer
    return next(iter(values.values())) if len(values) == 1 else values or None


def _make_question(call: Step) -> PendingInput:
    call.refuse_unknown("message", "id", "ok", "cancel", "submitter", "submitterParameter", "parameters")
    message = call.require("message")
    identifier = call.read_text("id") or hashlib.md5(message.encode(), usedforsecurity=False).hexdigest()
    identifier = identifier[0].upper() + identifier[1:]
    if not _SAFE.fullmatch(identifier) or identifier in {".", ".."}:
        raise StepFailed(
            f"InputStep id is required to be URL safe, but the provided id {identifier} is not safe",
            "java.lang.IllegalArgumentException",
        )
    return PendingInput(
        build=call.engine.build,
        identifier=identifier,
        message=message,
        proceed=call.read_text("ok") or "Proceed",
        abort=call.read_text("cancel") or "Abort",
        parameters=call.arguments.get("parameters") or [],
        submitter=call.read_text("submitter"),
    )
