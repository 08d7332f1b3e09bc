"""Requests of the Groovy side that are no steps: variables, values of the build, declarations, conditions."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from ..execution.agent.patterns import glob_pattern
from ..execution.bindings import bind, environment_bindings
from ..execution.registry import Step, step
from ..failures import StepFailed
from ..model.builds import Build
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
    if value is None:
        call.engine.variables.pop(call.text("name"), None)
    else:
        call.engine.variables[call.text("name")] = str(value)


@step("_setEnvs")
async def set_variables(call: Step) -> None:
    """The variables that a checkout set."""
    call.engine.variables.update({name: str(value) for name, value in call.arguments.items()})


@step("_print", main="text")
async def output(call: Step) -> None:
    """`println`."""
    call.say(call.text("text"))


@step("_line", main="text")
async def line(call: Step) -> None:
    """Write a line of the engine."""
    call.say(call.text("text"))


def _of(call: Step) -> Build:
    reference = call.text("reference")
    own = call.engine.build
    # Another job's build is '<full name>#<number>', one of the same job its number or permalink alone.
    name, separator, number = reference.rpartition("#")
    job = call.engine.home.find_job(name) if separator else None
    history = job.history if job else None if separator else own.history
    build = (history.find(number) if history else None) if reference else own
    if build is None:
        raise StepFailed(f"there is no build {reference}", "java.lang.IllegalStateException")
    return build


@step("_build")
async def build_value(call: Step) -> Any:
    """A property of `currentBuild` or of another build."""
    build, name, engine = _of(call), call.text("name"), call.engine
    spent = build.duration if not build.is_building else int(time.time() * 1000) - build.timestamp
    values: dict[str, Any] = {
        "number": build.number,
        "id": str(build.number),
        "result": build.result,
        "currentResult": build.result or "SUCCESS",
        "displayName": build.shown_name,
        "fullDisplayName": f"{build.job.full_name.replace('/', ' » ')} {build.shown_name}",
        "description": build.description or None,
        "projectName": build.job.name,
        "fullProjectName": build.job.full_name,
        "absoluteUrl": engine.home.url + build.path,
        "timeInMillis": build.timestamp,
        "startTimeInMillis": build.timestamp,
        "duration": spent,
        "durationString": f"{spent / 1000:.1f} sec and counting" if build.is_building else f"{spent / 1000:.1f} sec",
        "keepLog": build.is_kept,
        "buildVariables": {parameter.name: parameter.value for parameter in build.parameters},
        "buildCauses": [
            {"_class": cause.kind, "shortDescription": cause.text, **cause.values} for cause in build.causes
        ],
        "changeSets": [{"kind": "git", "items": build.changes}] if build.changes else [],
        "upstreamBuilds": [],
    }
    if name in values:
        return values[name]
    if name.startswith("previous"):
        return _previous(build, name)
    raise StepFailed(
        f"No such property: {name} for class: org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper",
        "groovy.lang.MissingPropertyException",
    )


def _previous(build: Build, name: str) -> str | None:
    wanted = {"previousSuccessfulBuild": ("SUCCESS", "UNSTABLE"), "previousFailedBuild": ("FAILURE",)}.get(name)
    for other in build.history.list_builds():
        if other.number < build.number and (wanted is None or other.result in wanted):
            return f"{other.job.full_name}#{other.number}"
    return None


@step("_setBuild")
async def set_build_value(call: Step) -> None:
    """Set a property of `currentBuild`."""
    build, name, value = call.engine.build, call.text("name"), call.text("value")
    if _of(call) is not build:
        raise StepFailed(f"can only set the {name} property on the current build", "java.lang.SecurityException")
    if name == "result":
        build.worsen(value) if call.arguments.get("value") is not None else None
    elif name == "displayName":
        build.display_name = value
    elif name == "description":
        build.description = value
    elif name == "keepLog":
        build.is_kept = value == "true"
    else:
        raise StepFailed(
            f"No such property: {name} for class: org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper",
            "groovy.lang.MissingPropertyException",
        )
    build.save()


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


@step("_pause")
async def pause(call: Step) -> None:
    """Wait between two checks of `waitUntil`."""
    await asyncio.sleep(float(call.arguments["seconds"]))


@step("_failFast")
async def fail_fast(call: Step) -> None:
    """Stop the other branches after one failed."""
    call.say(f"Failed in branch {call.text('branch')}")
    call.engine.stop_siblings(call.context, call.text("branch"))


@step("_branch", main="name", is_block=True)
async def branch(call: Step) -> None:
    """One branch of `parallel`."""
    call.context.name = call.text("name")


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
