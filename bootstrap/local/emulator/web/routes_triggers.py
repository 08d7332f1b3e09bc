"""Routes that queue builds: with and without parameters, by a token, after a delay."""

from __future__ import annotations

import hmac
import re

from aiohttp import web

from ..execution.queue import QueueItem
from ..failures import NAME, Refused
from ..model import xmlfile
from ..model.build_record import Parameter, make_user_cause
from ..model.items import Folder
from ..model.job_configuration import ParameterDefinition
from ..model.jobs import Job
from .calls import Call, redirect, register_route


@register_route("job:build", "job:buildWithParameters", methods=("GET", "POST"))
async def begin(call: Call, job: Job, rest: str) -> web.Response:
    """Queue a build. A GET does so only with the token of the job; else Jenkins shows a form and answers 405."""
    form, is_build = await call.read_form(), call.request.path.rstrip("/").endswith("/build")
    is_by_token = _check_token(job, form.get("token"))
    if not is_by_token:
        call.require("Job/Build")
        if call.request.method == "GET":
            raise web.HTTPMethodNotAllowed("GET", ["POST"])
    if job.is_disabled or job.is_held:
        raise Refused(409, f"{job.full_name} is not buildable")
    delay = _read_delay(form.get("delay", ""))
    if not is_build:
        if not job.parameters:
            raise Refused(400, f"{job.full_name} is not parameterized")
        item, is_new = _schedule_build(call, job, _make_parameters(job, form), delay)
        return redirect(f"{call.base}{item.url}", 201 if is_new else 303)
    if not job.parameters:
        item, _ = _schedule_build(call, job, [], delay)
        return redirect(f"{call.base}{item.url}", 201)
    # With the form of a job's parameters Jenkins names the job, not the item of the queue.
    _schedule_build(call, job, await _read_submitted(call, job, form), delay)
    return redirect(f"/{job.path}", 201)


@register_route("folder:build", methods=("POST",))
async def scan(call: Call, folder: Folder, rest: str) -> web.Response:
    """Refuse to scan the repositories of a project of many branches; a plain folder has no such path."""
    if folder.takes_items:
        raise Refused(404, "Not Found")
    call.require("Job/Build")
    raise Refused(501, f"{NAME} keeps projects of many branches, and does not scan them: {folder.full_name}")


def _check_token(job: Job, given: str | None) -> bool:
    """Whether the request has the token of the job; raises Refused (403) for a wrong one."""
    token = xmlfile.read_text(job.root, "authToken")
    if not token or given is None:
        return False
    if not hmac.compare_digest(token.encode(), given.encode()):
        raise Refused(403, "Invalid token provided.")
    return True


async def _read_submitted(call: Call, job: Job, form: dict[str, str]) -> list[Parameter]:
    """Read the parameters that the form names in its field `json`: no others, and no defaults."""
    if not form.get("json"):
        raise Refused(400, "This page expects a form submission" if form else "Nothing is submitted", is_bare=True)
    given = (await call.read_json_field()).get("parameter") or []
    known = {entry.name: entry for entry in job.parameters}
    parameters = []
    for entry in given if isinstance(given, list) else [given]:
        name = str(entry.get("name")) if isinstance(entry, dict) else ""
        if name not in known:
            raise Refused(500, f"java.lang.IllegalArgumentException: No such parameter definition: {name}")
        value = entry.get("value", "")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parameters.append(_make_parameter(known[name], text))
    return parameters


def _read_delay(given: str) -> float | None:
    """Read a delay in seconds: a number alone is milliseconds, one with `sec` or `secs` seconds, and it may be negative."""
    if not given:
        return None
    match = re.fullmatch(r"\s*([+-]?\d+)\s*(secs?)?\s*", given)
    if match is None:
        raise Refused(500, f"java.lang.NumberFormatException: For input string: {given}")
    return int(match[1]) / (1 if match[2] else 1000)


def _make_parameters(job: Job, values: dict[str, str]) -> list[Parameter]:
    return [_make_parameter(entry, values.get(entry.name, entry.default)) for entry in job.parameters]


def _make_parameter(entry: ParameterDefinition, value: str) -> Parameter:
    if entry.kind == "BooleanParameterDefinition":
        value = "true" if value.lower() in {"true", "on", "1"} else "false"
    if entry.kind == "ChoiceParameterDefinition" and value not in entry.choices:
        raise Refused(500, f"java.lang.IllegalArgumentException: Illegal choice for parameter {entry.name}: {value}")
    return Parameter(entry.name, value.strip() if entry.trims else value, entry.kind)


def _schedule_build(call: Call, job: Job, parameters: list[Parameter], delay: float | None) -> tuple[QueueItem, bool]:
    user = call.identity.name
    cause = make_user_cause(user, call.controller.home.find_full_name(user))
    return call.controller.queue.schedule(job, parameters, [cause], delay)
