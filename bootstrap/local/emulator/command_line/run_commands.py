"""Commands that start builds and print their consoles."""

from __future__ import annotations

import asyncio
import re

from ..execution.queue import QueueItem
from ..failures import NAME
from ..model import console_notes
from ..model.build_record import ORDER, Parameter, make_command_line_cause
from ..model.builds import PERMALINKS, Build
from ..model.job_configuration import ParameterDefinition
from ..model.jobs import Job
from .arguments import Argument, BadArguments, Kind, NoSuchThing, Option, find_nearest, parse_int
from .commands import ABORTED, BAD_STATE, FAULT, Context, Failed, register_command
from .item_commands import JOB

_PART = 1024 * 1024  # bytes of a log that are sent at a time
_BEAT = 0.05  # seconds between two looks at a build


@register_command(
    "build",
    "Builds a job, and optionally waits until its completion.",
    Argument("JOB", "Name of the job to build"),
    Option(
        "-c", "Check for SCM changes before starting the build, and if there's no change, exit without doing a build"
    ),
    Option("-f", "Follow the build progress. Like -s only interrupts are not passed through to the build."),
    Option("-p", "Specify the build parameters in the key=value format.", Kind.PAIRS, default="{}"),
    Option("-r", "", Kind.NUMBER),
    Option("-s", "Wait until the completion/abortion of the command. Interrupts are passed through to the build."),
    Option("-v", "Prints out the console output of the build. Use with -s"),
    Option("-w", "Wait until the start of the command"),
)
async def build(context: Context) -> int:
    """Queue a build; with -w, -s or -f wait for it, and with the last two end with its result."""
    job = context.find_item(context.name, Job)
    context.require("Job/Build")
    parameters = _read_parameters(job, context.given.pairs) if context.given.pairs else []
    if "-c" in context.given.flags:
        raise Failed(ABORTED, f"{NAME} does not look for changes before a build (-c); Jenkins does")
    title = job.full_name.replace("/", " » ")
    if job.is_disabled:
        raise Failed(BAD_STATE, f"Cannot build {title} because it is disabled.")
    if job.is_held:
        raise Failed(BAD_STATE, f"Cannot build {title} because its configuration has not been saved.")
    user = context.identity.name
    cause = make_command_line_cause(user, context.controller.home.find_full_name(user))
    item, _ = context.controller.queue.schedule(job, parameters, [cause], 0)
    if not context.given.flags & {"-w", "-s", "-f"}:
        return 0
    begun = await _wait_for_start(context, item)
    named = f"{title} {begun.shown_name}"
    await context.terminal.print(f"Started {named}\n")
    if not context.given.flags & {"-s", "-f"}:
        return 0
    return await _wait_for_end(context, begun, named)


async def _wait_for_start(context: Context, item: QueueItem) -> Build:
    while item.build is None:
        if item.is_cancelled:
            raise Failed(FAULT, "Unexpected exception occurred while performing build command.")
        await asyncio.sleep(_BEAT)
    return item.build


async def _wait_for_end(context: Context, begun: Build, named: str) -> int:
    """Wait for the end of a build; a caller who goes away aborts it, unless he only follows."""
    try:
        if "-v" in context.given.flags:
            await _follow(context, begun)
        while begun in context.controller.running or begun.is_building:
            await asyncio.sleep(_BEAT)
    except asyncio.CancelledError:
        if "-f" not in context.given.flags:
            context.controller.runs.abort(begun, context.controller.home.find_full_name(context.identity.name))
        raise
    await context.terminal.print(f"Completed {named} : {begun.result}\n")
    return ORDER.index(begun.result or "SUCCESS")


def _read_parameters(job: Job, given: dict[str, str]) -> list[Parameter]:
    """The given parameters, and the defaults of the others."""
    title = job.full_name.replace("/", " » ")
    if not job.parameters:
        raise Failed(BAD_STATE, f"{title} is not parameterized but the -p option was specified.")
    known = {entry.name: entry for entry in job.parameters}
    for name in given:
        if name not in known:
            nearest = find_nearest(name, list(known))
            raise BadArguments(f"'{name}' is not a valid parameter. Did you mean {nearest}?")
    values = [_read_parameter(known[name], value) for name, value in given.items()]
    return values + [
        Parameter(entry.name, entry.default, entry.kind) for entry in job.parameters if entry.name not in given
    ]


def _read_parameter(entry: ParameterDefinition, value: str) -> Parameter:
    if entry.kind == "BooleanParameterDefinition":
        value = "true" if value.lower() == "true" else "false"
    if entry.kind == "ChoiceParameterDefinition" and value not in entry.choices:
        raise NoSuchThing(f"Illegal choice for parameter {entry.name}: {value}")
    return Parameter(entry.name, value.strip() if entry.trims else value, entry.kind)


@register_command(
    "console",
    "Retrieves console output of a build.",
    JOB,
    Argument(
        "BUILD",
        "Build number or permalink to point to the build. Defaults to the last build",
        is_required=False,
        default="lastBuild",
    ),
    Option("-f", "If the build is in progress, stay around and append console output as it comes, like 'tail -f'"),
    Option("-n", "Display the last N lines", Kind.NUMBER, "N", default="-1"),
)
async def print_console(context: Context) -> None:
    """Print the console of a build as it is stored, with its notes; with -f without them, until the build ends."""
    job = context.find_item(context.name, Job)
    reference = (*context.given.arguments, "lastBuild")[1]
    wanted = _find_build(job, reference)
    stored = wanted.log_path.read_bytes() if wanted.log_path.exists() else b""
    lines = context.given.numbers.get("-n", -1)
    start = _find_last_lines(stored, lines) if lines >= 0 else 0
    if "-f" in context.given.flags:
        await _follow(context, wanted, start)
    else:
        for part in range(start, len(stored), _PART):
            await context.terminal.write(stored[part : part + _PART])


def _find_build(job: Job, reference: str) -> Build:
    number = parse_int(reference)
    if number is not None:
        numbered = job.find_build(str(number))
        if numbered is None:
            raise NoSuchThing(f"No such build #{number}")
        return numbered
    if reference not in PERMALINKS:
        nearest = find_nearest(reference, list(PERMALINKS))
        raise NoSuchThing(f'Not sure what you meant by "{reference}". Did you mean "{nearest}"?')
    found = job.find_build(reference)
    if found is None:
        raise Failed(BAD_STATE, f"Permalink {reference} produced no build")
    return found


def _find_last_lines(stored: bytes, count: int) -> int:
    """Where the last lines of a log begin."""
    ends = [match.end() for match in re.finditer(rb"\r\n|\r|\n", stored)]
    begins = [0, *(end for end in ends if end < len(stored))]
    return len(stored) if count == 0 else begins[-min(count, len(begins))]


def _cut_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _read_part(build: Build, start: int) -> bytes:
    """A part of a log, at most a megabyte; empty if there is no log yet."""
    try:
        with build.log_path.open("rb") as log:
            log.seek(start)
            return log.read(_PART)
    except FileNotFoundError:
        return b""


async def _follow(context: Context, running: Build, start: int = 0) -> None:
    """Print the whole lines of a log as they come, without their notes, until the build ends."""
    while True:
        is_over = not running.is_building and running not in context.controller.running
        content = _read_part(running, start)
        # The end of a part is no end of a line, unless nothing follows.
        is_last = is_over and len(content) < _PART
        whole = content if is_last or (len(content) == _PART and b"\n" not in content) else _cut_lines(content)
        await context.terminal.write(console_notes.remove_notes(whole))
        start += len(whole)
        if is_last:
            return
        if len(content) == _PART:  # more is there already
            continue
        await asyncio.sleep(_BEAT)
