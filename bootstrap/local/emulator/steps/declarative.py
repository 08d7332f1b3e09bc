"""Requests of declarative pipelines: declarations, conditions of stages and of `post`, tools, credentials."""

from __future__ import annotations

import re
from typing import Any

from ..execution import failure_report
from ..execution.agent.patterns import compile_glob
from ..execution.bindings import NOT_FOUND, make_environment_bindings
from ..execution.cron import BadSchedule, Schedule
from ..execution.registry import Step, register_step
from ..failures import StepFailed
from ..model.build_record import ORDER
from ..model.builds import Build
from ..model.properties import declare_jenkinsfile
from .node import find_directory, find_node

NAMES = {
    "SUCCESS": "success",
    "FAILURE": "failure",
    "UNSTABLE": "unstable",
    "ABORTED": "aborted",
    "NOT_BUILT": "notBuilt",
}
TOOL_VARIABLES = {"jdk": ["JAVA_HOME"], "maven": ["M2_HOME", "MAVEN_HOME"]}


@register_step("_declare")
async def declare(call: Step) -> dict[str, Any]:
    """Apply the declarations of a declarative pipeline to its job; returns the build's parameters."""
    job = call.engine.build.job
    for trigger in call.arguments.get("triggers") or []:
        _check_schedule(trigger)
    home = call.engine.home
    declare_jenkinsfile(job, home.options.plugins, call.arguments, home.configuration.quiet_period)
    return call.engine.make_parameters()


@register_step("validateDeclarativePipeline", main="path", plugin="pipeline-model-definition")
async def validate(call: Step) -> Any:
    """Read a Jenkinsfile of the workspace, which the Groovy side judges."""
    path, place, node = call.require("path"), find_directory(call) / call.require("path"), find_node(call)
    if await node.find_kind(place) != "file":
        call.say(f"Declarative Pipeline file '{path}' does not exist.")
        return False
    text = (await node.read(place)).decode("utf-8", "replace")
    if not text.strip():
        call.say(f"Declarative Pipeline file '{path}' is empty.")
        return False
    return {"path": path, "text": text}


# The classes of triggers, with the name of the text that the parser of their schedule reads.
SCHEDULED = {
    "cron": ("hudson.triggers.TimerTrigger", "spec"),
    "pollSCM": ("hudson.triggers.SCMTrigger", "scmpoll_spec"),
}


def _check_schedule(trigger: dict[str, Any]) -> None:
    """Refuse a schedule that cannot be read."""
    kind, name = SCHEDULED.get(str(trigger["$class"]), ("", ""))
    spec = str(trigger.get("value", trigger.get(name, "")))
    try:
        Schedule(spec if kind else "", "")
    except BadSchedule as fault:
        strange = re.search(r"[^-0-9*/,H()@ \t]", spec)
        if strange is None or "\n" in spec or spec.startswith(("@", "TZ=")):
            raise StepFailed(f"what Jenkins says of the schedule {spec!r} is not known to the emulator") from fault
        place = f"line 1:{strange.start()}: token recognition error at: '{strange[0]}'"
        raise StepFailed(
            f"Could not instantiate {{{name}={spec}}} for {kind}: java.lang.reflect.InvocationTargetException",
            "java.lang.IllegalArgumentException",
            causes=[
                (f"LexerNoViableAltException('{strange[0]}')", None),
                ("antlr.ANTLRException", place),
                ("antlr.ANTLRException", f'Invalid input: "{spec}": {place}'),
                ("java.lang.reflect.InvocationTargetException", None),
            ],
        ) from fault


@register_step("_skipped")
async def record_skipped(call: Step) -> None:
    """Record a skipped stage: one that `when` excluded was not executed, another one has the state of the failure before it."""
    call.say(f'Stage "{call.read_text("name")}" skipped due to {call.read_text("why")}')
    call.engine.mark("[Pipeline] getContext")
    if call.read_flag("isExcluded"):
        call.engine.mark_stage(call.context, "NOT_EXECUTED")


def _find_worst_result(*results: str | None) -> str:
    return max((result or "SUCCESS" for result in results), key=ORDER.index)


def _find_logical_result(call: Step) -> str:
    """The result that `post` sees: that of the build, of the failure, and of warnings of the stage."""
    error = call.arguments.get("error")
    if error:
        own = str(error.get("result") or "FAILURE")
    else:
        own = call.engine.find_warning(call.context) if call.read_flag("isOfStage") else "SUCCESS"
    return _find_worst_result(call.engine.build.result, own)


def _find_last_result(build: Build) -> str | None:
    return next((other.result for other in build.earlier if not other.is_building), None)


@register_step("_isDue")
async def is_due(call: Step) -> bool:
    """Whether a condition of `post` holds now."""
    condition, now, before = (
        call.read_text("condition"),
        _find_logical_result(call),
        _find_last_result(call.engine.build),
    )
    if condition in {"changed", "fixed", "regression"} and not call.arguments.get("error"):
        now = _find_worst_result(call.engine.build.result)
    if condition == "fixed":
        return now == "SUCCESS" and before in {"FAILURE", "UNSTABLE"}
    if condition == "regression":
        return before is not None and ORDER.index(now) > ORDER.index(before)
    if condition == "changed":
        return before != now
    if condition == "unsuccessful":
        return now != "SUCCESS"
    return condition in {"always", "cleanup", NAMES[now]}


@register_step("_beginPost")
async def begin_post(call: Step) -> dict[str, Any]:
    """Show the block of a condition the result that was judged; returns what `_endPost` needs."""
    build, logical = call.engine.build, _find_logical_result(call)
    original, build.result = build.result, logical
    return {"original": original, "logical": logical}


@register_step("_endPost")
async def end_post(call: Step) -> None:
    """Take back the result that was shown, unless the block has changed it."""
    build = call.engine.build
    if build.result == call.read_text("logical"):
        build.result = call.arguments.get("original")


@register_step("_postFailed")
async def report_failed_post(call: Step) -> None:
    """Show the failure of a block of `post`; the other blocks still run."""
    call.say(f"Error when executing {call.read_text('condition')} post condition:")
    for line in failure_report.describe_fully(call.arguments["error"]):
        call.say(line)
    call.say()


@register_step("_credentialBindings")
async def list_credential_bindings(call: Step) -> list[dict[str, Any]]:
    """The bindings of `environment { NAME = credentials('id') }`, by the kinds of the credentials."""
    engine, found = call.engine, []
    for name, identifier in call.arguments["identifiers"].items():
        if engine.home.credentials.find(str(identifier)) is None:
            raise StepFailed(str(identifier), NOT_FOUND)
        found += make_environment_bindings(engine.home, engine.build, name, str(identifier))
    return found


@register_step("_toolVariables")
async def list_tool_variables(call: Step) -> list[str]:
    """The variables of a tool, as `withEnv` takes them."""
    call.engine.mark("[Pipeline] envVarsForTool")
    kind = call.read_text("kind")
    tools = call.engine.home.configuration.find_tools(kind)
    home = next((str(entry.get("home", "")) for entry in tools if entry.get("name") == call.read_text("name")), "")
    if kind == "git":
        return []
    return [*(f"{name}={home}" for name in TOOL_VARIABLES[kind]), f"PATH+{kind.upper()}={home}/bin"]


@register_step("_when")
async def evaluate_when(call: Step) -> bool:
    """The conditions of `when` that look at branch, changes or causes."""
    condition, given = call.read_text("condition"), call.arguments["given"]
    build, environment = call.engine.build, call.engine.make_environment(call.context)
    pattern = str(given.get("pattern", given.get("value", "")))
    if condition in {"branch", "tag"}:
        actual = environment.get({"branch": "BRANCH_NAME", "tag": "TAG_NAME"}[condition])
        return actual is not None and bool(compile_glob(pattern).match(actual))
    if condition == "changeset":
        matcher = compile_glob(pattern)
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
