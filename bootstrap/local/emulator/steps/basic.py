"""Basic steps: text, environment, time, failure handling, blocks without effect."""

from __future__ import annotations

import asyncio
import time
from contextvars import Context
from typing import Any

from ..execution.bindings import bind
from ..execution.contexts import Verdict
from ..execution.environment import expand
from ..execution.failure_report import INTERRUPTION
from ..execution.registry import NUMBER, REFLECTED, TEXT, Step, register_step
from ..execution.spans import describe_span
from ..failures import Interrupted, StepFailed
from ..model.build_record import read_result

STEPS = "org.jenkinsci.plugins.workflow.steps"
ILLEGAL = ("java.lang.IllegalArgumentException", None)
UNITS = {
    "NANOSECONDS": 1e-9,
    "MICROSECONDS": 1e-6,
    "MILLISECONDS": 1e-3,
    "SECONDS": 1.0,
    "MINUTES": 60.0,
    "HOURS": 3600.0,
    "DAYS": 86400.0,
}


def _read_seconds(call: Step, default_unit: str) -> float:
    """The span of the arguments `time` (a whole number, 0 where it is missing) and `unit`."""
    unit = call.read_text("unit", default_unit)
    if unit not in UNITS:
        raise StepFailed(f"No enum constant java.util.concurrent.TimeUnit.{unit}", "java.lang.IllegalArgumentException")
    return int(call.arguments.get("time") or 0) * UNITS[unit]


@register_step("echo", main="message", java=f"{STEPS}.EchoStep", kinds={"message": TEXT})
async def echo(call: Step) -> None:
    """Write a text to the console."""
    call.say(call.read_text("message", "null"))


@register_step("error", main="message", java=f"{STEPS}.ErrorStep", kinds={"message": TEXT})
async def fail(call: Step) -> None:
    """Fail with a message."""
    raise StepFailed(call.read_text("message", "null"))


@register_step("unstable", main="message", java=f"{STEPS}.UnstableStep", kinds={"message": TEXT})
async def mark_unstable(call: Step) -> None:
    """Make build and stage unstable and go on."""
    call.say(f"WARNING: {call.require('message')}")
    call.engine.build.worsen("UNSTABLE")
    call.engine.mark_stage(call.context, "UNSTABLE")


@register_step("sleep", main="time", java=f"{STEPS}.SleepStep", kinds={"time": NUMBER})
async def sleep(call: Step) -> None:
    """Wait."""
    seconds = _read_seconds(call, "SECONDS")
    spent = 0.0 if call.since is None else time.time() - call.since
    if call.since is None:
        call.say(f"Sleeping for {describe_span(int(seconds * 1000))}")
    await asyncio.sleep(max(0.0, seconds - spent))


@register_step("isUnix", plugin="workflow-durable-task-step")
async def is_unix(call: Step) -> bool:
    """Always true: the emulator runs on Unix."""
    return True


@register_step("withEnv", main="overrides", is_block=True, java=f"{STEPS}.EnvStep")
async def set_environment(call: Step) -> None:
    """Set variables for a body."""
    known = call.engine.make_environment(call.context)
    entries = [str(entry) for entry in call.arguments.get("overrides") or []]
    if any("=" not in entry for entry in entries):
        raise call.refuse_arguments([ILLEGAL, REFLECTED])
    for entry in entries:
        name, _, value = entry.partition("=")
        call.context.layer[name] = expand(value, known)


@register_step("withCredentials", main="bindings", plugin="credentials-binding", is_block=True)
async def bind_credentials(call: Step) -> None:
    """Bind credentials to variables for a body, and mask them in the log."""
    wanted = call.arguments.get("bindings") or []
    engine, held = call.engine, call.context.allocation
    node, directory = (held.node, call.context.here) if held else (None, None)
    bound = await call.context.stack.enter_async_context(
        bind(engine.home, engine.services.audit, engine.build, engine.console, node, wanted, directory)
    )
    call.context.layer.update(bound)
    call.context.secrets.update(bound.secrets)
    if bound.secrets:
        call.say(bound.notice)


@register_step("timeout", main="time", is_block=True, java=f"{STEPS}.TimeoutStep", kinds={"time": NUMBER})
async def limit_time(call: Step) -> None:
    """Stop the body when it takes too long; with `activity`, when it writes nothing for so long."""
    seconds = _read_seconds(call, "MINUTES")
    span = describe_span(int(seconds * 1000))
    spent = 0.0 if call.since is None else time.time() - call.since
    context, engine, watches_output = call.context, call.engine, call.read_flag("activity")
    fired: list[bool] = []

    def fire() -> None:
        fired.append(True)
        engine.console.write_line("Cancelling nested steps due to timeout")
        engine.interrupt(context, Interrupted("Timeout has been exceeded", "ABORTED"))

    if seconds <= 0:
        call.say("Timeout expired 0 ms ago")
        fire()
    elif watches_output:
        call.say(f"Timeout set to expire after {span} without activity")
    else:
        call.say(f"Timeout set to expire in {span}")
    loop = asyncio.get_running_loop()

    def check() -> None:
        idle = time.monotonic() - engine.console.last_output
        if watches_output and idle < seconds:
            timers[0] = loop.call_later(seconds - idle, check, context=Context())
        else:
            fire()

    # In a context where nothing is muted.
    timers = [loop.call_later(max(0.0, seconds - spent), check, context=Context())] if seconds > 0 else []

    def leave(problem: dict[str, Any] | None) -> Verdict | None:
        for timer in timers:
            timer.cancel()
        if fired and problem is None and seconds <= 0:
            return Verdict(replacement=Interrupted("Timeout has been exceeded", "ABORTED", is_actual=False))
        if fired and problem is not None:
            return Verdict(replacement=Interrupted("Timeout has been exceeded", "ABORTED", is_actual=False))
        return None

    context.leave = leave


@register_step("retry", main="count", is_block=True, java=f"{STEPS}.RetryStep", kinds={"count": NUMBER})
async def retry(call: Step) -> None:
    """The loop itself is on the Groovy side."""


@register_step("waitUntil", is_block=True)
async def wait_until(call: Step) -> None:
    """The loop itself is on the Groovy side."""


@register_step("parallel", is_block=True)
async def run_branches(call: Step) -> None:
    """The threads are on the Groovy side."""


@register_step("script", plugin="pipeline-model-definition", is_block=True)
async def run_script(call: Step) -> None:
    """A body of scripted Pipeline."""


@register_step(
    "stage",
    main="name",
    plugin="pipeline-stage-step",
    is_block=True,
    java="org.jenkinsci.plugins.workflow.support.steps.StageStep",
)
async def open_stage(call: Step) -> None:
    """A named part of the build."""
    if call.arguments.get("name") is None:
        raise call.refuse_arguments([(ILLEGAL[0], "must specify name"), REFLECTED])
    call.context.name = call.read_text("name")
    call.context.layer["STAGE_NAME"] = call.context.name
    call.engine.open_stage(call.context)
    call.context.leave = lambda problem: call.engine.close_stage(call.context, problem)


@register_step("catchError", is_block=True)
async def catch_error(call: Step) -> None:
    """A failure of the body marks build and stage, and the build goes on."""
    message = call.read_text("message")
    _catch(call, message, call.read_text("buildResult", "FAILURE"), call.read_text("stageResult", "SUCCESS"))


@register_step("warnError", main="message", is_block=True)
async def warn_error(call: Step) -> None:
    """A failure of the body makes build and stage unstable."""
    _catch(call, call.require("message"), "UNSTABLE", "UNSTABLE")


def _catch(call: Step, message: str, build_result: str, stage_result: str) -> None:
    engine, context = call.engine, call.context
    catches_interruptions = str(call.arguments.get("catchInterruptions", "true")).lower() == "true"

    def leave(problem: dict[str, Any] | None) -> Verdict | None:
        if problem is None:
            return Verdict(is_handled=True)
        is_interruption = problem["kind"] == INTERRUPTION
        if is_interruption and (engine.is_stopped or not catches_interruptions):
            return None
        if message:
            call.say(f"ERROR: {message}")
        engine.report(problem)
        result = str(problem["result"]) if is_interruption else build_result
        if build_result not in {"SUCCESS", "null"}:
            call.say(f"Setting overall build result to {read_result(result)}")
            engine.build.worsen(result)
        if stage_result not in {"SUCCESS", "null"}:
            engine.mark_stage(context, read_result(stage_result))
        return Verdict(is_handled=True)

    context.leave = leave


@register_step("timestamps", plugin="timestamper", is_block=True)
async def stamp_lines(call: Step) -> None:
    """Write the time before each line of the body."""
    console = call.engine.console
    before, console.has_times = console.has_times, True

    def leave(problem: dict[str, Any] | None) -> None:
        console.flush()
        console.has_times = before

    call.context.leave = leave


@register_step("ansiColor", main="colorMapName", plugin="ansicolor", is_block=True)
async def keep_colours(call: Step) -> None:
    """The log keeps the escape sequences for colours; Jenkins' plugin leaves a hidden line at both ends of the body."""
    call.context.begin = call.say
    call.context.leave = lambda problem: call.say()


@register_step("milestone", main="ordinal", plugin="pipeline-milestone-step")
async def pass_milestone(call: Step) -> None:
    """Pass, and stop older builds that have not passed yet; a build that a newer one overtook is stopped."""
    engine = call.engine
    ordinal = int(call.read_text("ordinal") or engine.milestone + 1)
    if engine.milestone > 0 and ordinal <= engine.milestone:
        raise StepFailed(f"Invalid ordinal {ordinal}, as the previous one was {engine.milestone}")
    call.say(f"Trying to pass milestone {ordinal}")
    for build, other in list(engine.services.running.items()):
        if build is engine.build or build.job is not engine.build.job:
            continue
        if build.number > engine.build.number and other.milestone >= ordinal:
            raise Interrupted(f"Canceled since build #{build.number} already got here", "NOT_BUILT")
        if build.number < engine.build.number and other.milestone < ordinal:
            other.stop(f"Superseded by #{engine.build.number}")
    engine.milestone = ordinal


@register_step("lock", main="resource", plugin="lockable-resources", is_block=True)
async def lock(call: Step) -> None:
    """Hold a resource for a body: one build at a time."""
    name = call.require("resource")
    held = call.engine.services.locks.find_or_make(name)
    call.say(f"Trying to acquire lock on [Resource: {name}]")
    if held.locked():
        call.say(f"[Resource: {name}] is locked, waiting...")
    await held.acquire()
    call.say(f"Lock acquired on [Resource: {name}]")

    def release() -> None:
        held.release()
        call.say(f"Lock released on resource [Resource: {name}]")

    call.context.stack.callback(release)
