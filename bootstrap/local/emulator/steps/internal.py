"""Requests of the Groovy side that are no steps: variables, values of the build, declarations, conditions."""

from __future__ import annotations

import asyncio
from typing import Any

from ..execution.registry import Step, register_step


@register_step("_env")
async def read_variable(call: Step) -> str | None:
    """The value of a variable for `env.NAME`."""
    return call.engine.make_environment(call.context).get(call.read_text("name"))


@register_step("_environment")
async def list_variables(call: Step) -> dict[str, str]:
    """All variables that describe the build."""
    return {**call.engine.variables, **call.context.variables}


@register_step("_setEnv")
async def set_variable(call: Step) -> None:
    """Set a variable for the rest of the build (`env.NAME = value`)."""
    value = call.arguments.get("value")
    call.engine.build.own_variables[call.read_text("name")] = "" if value is None else str(value)
    if value is None:
        call.engine.variables.pop(call.read_text("name"), None)
    else:
        call.engine.variables[call.read_text("name")] = str(value)


@register_step("_setEnvs")
async def set_variables(call: Step) -> None:
    """The variables that a checkout set."""
    call.engine.variables.update({name: str(value) for name, value in call.arguments.items()})


@register_step("_line", main="text")
async def write_line(call: Step) -> None:
    """Write a line of the engine."""
    call.say(call.read_text("text"))


@register_step("_retrying")
async def wait_before_retry(call: Step) -> None:
    """Wait between two attempts of `retry`."""
    call.engine.report(call.arguments["error"])
    call.say("Retrying")


@register_step("_attempt", is_block=True)
async def begin_attempt(call: Step) -> None:
    """One attempt of `retry` or `waitUntil`."""


@register_step("_begin")
async def begin(call: Step) -> None:
    """The Jenkinsfile is compiled and begins to run."""
    call.engine.mark("[Pipeline] Start of Pipeline")
    call.engine.has_begun = True


@register_step("_stage", main="name")
async def open_plain_stage(call: Step) -> None:
    """The old form of `stage`, which has no body."""
    call.engine.open_plain_stage(call.require("name"))
    call.say("Using the ‘stage’ step without a block argument is deprecated")


@register_step("_pause")
async def pause(call: Step) -> None:
    """Wait between two checks of `waitUntil`."""
    await asyncio.sleep(float(call.arguments["seconds"]))


@register_step("_failFast")
async def fail_fast(call: Step) -> None:
    """Stop the other branches after one failed."""
    call.engine.stop_siblings(call.context, call.read_text("branch"))


@register_step("_branch", main="name", is_block=True)
async def begin_branch(call: Step) -> None:
    """One branch of `parallel`."""
    call.context.name = call.read_text("name")

    def leave(problem: dict[str, Any] | None) -> None:
        if problem is not None:
            call.say(f"Failed in branch {call.context.name}")

    call.context.leave = leave
