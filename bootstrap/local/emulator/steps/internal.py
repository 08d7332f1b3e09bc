"""Requests of the Groovy side that are no steps: variables, values of the build, declarations, conditions."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from ..execution.agent.patterns import glob_pattern
from ..execution.bindings import bind, environment_bindings
from ..execution.registry import Step, step
from ..failures import StepFailed
from ..model.properties import declare_properties, record_declarations


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


@step("_declare")
async def declare(call: Step) -> dict[str, Any]:
    """Apply the declarations of a declarative pipeline to its job; returns the build's parameters."""
    job = call.engine.build.job
    declare_properties(job, call.arguments)
    record_declarations(job, call.engine.home.options.plugins, call.arguments)
    return call.engine.parameters()


@step("_skipped")
async def skipped(call: Step) -> None:
    """Record a skipped stage."""
    call.say(f'Stage "{call.text("name")}" skipped due to {call.text("why")}')
    call.engine.mark_stage(call.context, "NOT_EXECUTED")


@step("_post")
async def post_conditions(call: Step) -> list[str]:
    """The post conditions that are true, for a stage or for the Pipeline."""
    build = call.engine.build
    error = call.arguments.get("error")
    if error:
        build.worsen(str(error.get("result") or "FAILURE"))
    now = build.result or "SUCCESS"
    before = next(
        (other.result for other in build.earlier if not other.is_building),
        None,
    )
    due = ["always", "cleanup"]
    names = {
        "SUCCESS": "success",
        "FAILURE": "failure",
        "UNSTABLE": "unstable",
        "ABORTED": "aborted",
        "NOT_BUILT": "notBuilt",
    }
    due.append(names[now])
    if now != "SUCCESS":
        due.append("unsuccessful")
    if before != now:
        due.append("changed")
    if now == "SUCCESS" and before in {"FAILURE", "UNSTABLE"}:
        due.append("fixed")
    if now in {"FAILURE", "UNSTABLE", "ABORTED"} and before == "SUCCESS":
        due.append("regression")
    return due


@step("_postFailed")
async def post_failed(call: Step) -> None:
    """Record the failure of a post block; the other blocks still run."""
    call.say(f"Error when executing {call.text('condition')} post condition:")
    call.engine.report(call.arguments["error"])
    call.engine.build.worsen(str(call.arguments["error"].get("result") or "FAILURE"))


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


@step("_declaredEnvironment", is_block=True)
async def declared_environment(call: Step) -> None:
    """`environment { }`: values, and credentials by their kind."""
    engine, held, wanted = call.engine, call.context.allocation, []
    for name, value in call.arguments["values"].items():
        if isinstance(value, dict):
            wanted += environment_bindings(engine.home, engine.build, name, str(value["credentialsId"]))
        else:
            call.context.layer[name] = str(value)
    if wanted:
        call.context.layer.update(
            await call.context.stack.enter_async_context(
                bind(
                    engine.home,
                    engine.services.audit,
                    engine.build,
                    engine.console,
                    held.node if held else None,
                    wanted,
                )
            )
        )


TOOL_VARIABLES = {
    "jdk": "JAVA_HOME",
    "maven": "M2_HOME",
    "ant": "ANT_HOME",
    "gradle": "GRADLE_HOME",
    "nodejs": "NODEJS_HOME",
}


@step("_tools", is_block=True)
async def tools(call: Step) -> None:
    """`tools { }`: the configured home of each goes before PATH."""
    for kind, name in call.arguments["tools"].items():
        installed = call.engine.home.configuration.read("tool", kind, "installations", default=[])
        installation = next((entry for entry in installed if entry.get("name") == name), None)
        if installation is None:
            raise StepFailed(f'Tool type "{kind}" does not have an install of "{name}" configured')
        home = str(installation.get("home", ""))
        call.context.layer[f"PATH+{kind.upper()}"] = home if kind == "git" else f"{home}/bin"
        if kind in TOOL_VARIABLES:
            call.context.layer[TOOL_VARIABLES[kind]] = home


@step("_when")
async def when(call: Step) -> bool:
    """The conditions of `when` that look at branch, changes or causes."""
    condition, given = call.text("condition"), call.arguments["given"]
    build, environment = call.engine.build, call.engine.environment(call.context)
    pattern = str(given.get("pattern", given.get("value", "")))
    if condition in {"branch", "tag"}:
        actual = environment.get({"branch": "BRANCH_NAME", "tag": "TAG_NAME"}[condition])
        return actual is not None and bool(glob_pattern(pattern).match(actual))
    if condition == "changeset":
        matcher = glob_pattern(pattern)
        return any(matcher.match(path) for change in build.changes for path in change["paths"])
    if condition == "changelog":
        return any(re.search(pattern, change["msg"]) for change in build.changes)
    if condition == "triggeredBy":
        wanted = str(given.get("cause", given.get("value", "")))
        return any(
            wanted in {cause.kind, cause.kind.rpartition("$")[2], cause.kind.rpartition("$")[2].removesuffix("Cause")}
            for cause in build.causes
        )
    return environment.get("CHANGE_ID") is not None
