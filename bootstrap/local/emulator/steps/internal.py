"""Requests of the Groovy side that are no steps: variables, values of the build, declarations, conditions."""

from __future__ import annotations

import asyncio
from typing import Any

from ..execution.registry import Step, step


@step("_env")
async def variable(call: Step) -> str | None:
    """The value of a variable for `env.NAME`."""
    return call.engine.environment(call.context).get(call.text("name"))


@step("_environment")
async def variables(call: Step) -> dict[str, str]:
    """All variables that describe the build."""
    return {**call.engine.variables, **call.context.variables}


@step("_setEnv")
async def set_variable(call: Step) -> None:
    """Set a variable for the rest of the build (`env.NAME = value`)."""
    value = call.arguments.get("value")
    call.engine.build.own_variables[call.text("name")] = "" if value is None else str(value)
    if value is None:
        call.engine.variables.pop(call.text("name"), None)
    else:
        call.engine.variables[call.text("name")] = str(value)


@step("_setEnvs")
async def set_variables(call: Step) -> None:
    """The variables that a checkout set."""
    call.engine.variables.update({name: str(value) for name, value in call.arguments.items()})


@step("_line", main="text")
async def line(call: Step) -> None:
    """Write a line of the engine."""
    call.say(call.text("text"))


@step("_retrying")
async def retrying(call: Step) -> None:
    """Wait between two attempts of `retry`."""
    call.engine.report(call.arguments["error"])
    call.say("Retrying")


@step("_attempt", is_block=True)
async def attempt(call: Step) -> None:
    """One attempt of `retry` or `waitUntil`."""


@step("_begin")
async def begin(call: Step) -> None:
    """The Jenkinsfile is compiled and begins to run."""
    call.engine.mark("[Pipeline] Start of Pipeline")
    call.engine.has_begun = True


@step("_stage", main="name")
async def stage_without_body(call: Step) -> None:
    """The old form of `stage`, which has no body."""
    call.engine.open_plain_stage(call.need("name"))
    call.say("Using the ‘stage’ step without a block argument is deprecated")


@step("_pause")
async def pause(call: Step) -> None:
    """Wait between two checks of `waitUntil`."""
    await asyncio.sleep(float(call.arguments["seconds"]))


@step("_failFast")
async def fail_fast(call: Step) -> None:
    """Stop the other branches after one failed."""
    call.engine.stop_siblings(call.context, call.text("branch"))


@step("_branch", main="name", is_block=True)
async def branch(call: Step) -> None:
    """One branch of `parallel`."""
    call.context.name = call.text("name")

    def leave(problem: dict[str, Any] | None) -> None:
        if problem is not None:
            call.say(f"Failed in branch {call.context.name}")

    call.context.leave = leave
