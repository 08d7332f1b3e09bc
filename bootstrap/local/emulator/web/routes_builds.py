"""Routes of builds: pages, console, progressive logs, stop, delete, artifacts, tests, stages."""

from __future__ import annotations

import html
import json
import re
import time
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from ..failures import NAME, Refused
from ..model import console_notes
from ..model.builds import Build
from ..model.item_xml import DECLARED
from ..model.job_options import NO_RESTART
from ..model.jobs import Job
from . import pages
from .answers import respond_exported
from .api import Exported
from .calls import Call, answer_text, redirect, register_route
from .rendering import FLAVOURS
from .routes_workspaces import serve_file


@register_route("build:", "build:console", "build:consoleFull")
async def show_build(call: Call, build: Build, rest: str) -> web.Response:
    """Show the page of a build, with its console."""
    return pages.respond(pages.render_build(call, build))


@register_route("build:consoleText")
async def send_console_text(call: Call, build: Build, rest: str) -> web.Response:
    """Send the whole log without its notes."""
    return answer_text(build.log)


@register_route("build:logText/progressiveText", "build:logText/progressiveHtml", methods=("GET", "POST"))
async def send_progressive_log(call: Call, build: Build, rest: str) -> web.Response:
    """Send the log from `start`, an offset in the stored file; a start beyond the end sends the whole log.

    As text the log has its notes, and CRLF at the end of lines. As HTML Jenkins makes links of notes; here they are omitted.
    """
    start = int((await call.read_form()).get("start", "0"))
    content = build.log_path.read_bytes() if build.log_path.exists() else b""
    chunk = b"" if start < 0 else content[start if start <= len(content) else 0 :]
    if call.request.path.endswith("Html"):
        shown = html.escape(console_notes.remove_notes(chunk).decode("utf-8", "replace"), quote=False)
        response = answer_text(shown, kind="text/html")
    else:
        lines = re.sub(rb"\r?\n", b"\r\n", chunk)
        response = web.Response(body=lines, headers={"Content-Type": "text/plain;charset=utf-8"})
    response.headers["X-Text-Size"] = str(len(content))
    if build.is_building:
        response.headers["X-More-Data"] = "true"
    return response


@register_route("build:stop", "build:term", "build:kill", methods=("POST",))
async def stop(call: Call, build: Build, rest: str) -> web.Response:
    """Abort a running build, then redirect to it."""
    call.require("Job/Cancel")
    call.controller.runs.abort(build, call.controller.home.find_full_name(call.identity.name))
    return redirect(call.resolve(f"/{build.path}"))


@register_route("build:restart", methods=("GET", "POST"), takes_rest=True)
async def refuse_restart(call: Call, build: Build, rest: str) -> web.Response:
    """Refuse to restart a declarative Pipeline from a stage; builds that Jenkins cannot restart either have no such path.

    The job tells whether its Pipeline is declarative, so a scripted build of before is refused as well.
    """
    job = build.job
    is_restartable = (
        not build.is_building
        and call.controller.home.authorization.allows(call.identity, "Job/Build")
        and not (job.is_disabled or (isinstance(job, Job) and job.is_held))
        and job.root.find(f"actions/{DECLARED}JobAction") is not None
        and job.root.find(f"actions/{NO_RESTART}") is None
    )
    if not is_restartable:
        raise Refused(404, "Not Found")
    raise Refused(
        501, f"{NAME} does not restart a Pipeline from a stage; Jenkins does: {job.full_name} {build.shown_name}"
    )


@register_route("build:doDelete", methods=("POST",))
async def delete(call: Call, build: Build, rest: str) -> web.Response:
    """Delete a build; for one that is kept or running Jenkins answers with a page that says so."""
    call.require("Run/Delete")
    if build.is_kept or build.is_building:
        reason = "it is marked as kept" if build.is_kept else "it is still running"
        words = f"Deletion of the build failed\n{build.job.full_name} {build.shown_name}: {reason}"
        return pages.respond(pages.render_notice(call.controller, 200, words))
    build.history.delete(build)
    return redirect(f"/{build.job.path}")


@register_route("build:", methods=("DELETE",))
async def show_after_delete(call: Call, build: Build, rest: str) -> web.Response:
    """Show the build: in Jenkins a DELETE of this path deletes nothing."""
    return pages.respond(pages.render_build(call, build))


@register_route("build:buildNumber", "build:buildTimestamp")
async def send_fact(call: Call, build: Build, rest: str) -> web.Response:
    """Send the number of a build, or when it began."""
    if call.request.path.rstrip("/").endswith("buildNumber"):
        return answer_text(str(build.number))
    moment = time.gmtime(build.timestamp / 1000)
    return answer_text(f"{moment.tm_mon}/{moment.tm_mday}/{moment.tm_year % 100}, {time.strftime('%-I:%M %p', moment)}")


@register_route("build:toggleLogKeep", methods=("POST",))
async def toggle_keep(call: Call, build: Build, rest: str) -> web.Response:
    """Keep a build for ever, or no longer if it is kept."""
    call.require("Run/Update")
    build.is_kept = not build.is_kept
    build.save()
    return redirect(f"/{build.path}")


@register_route("build:submitDescription", methods=("POST",))
async def describe(call: Call, build: Build, rest: str) -> web.Response:
    """Set the description of a build."""
    call.require("Run/Update")
    build.description = (await call.read_form()).get("description", "")
    build.save()
    return redirect(f"/{build.path}")


@register_route("build:artifact", takes_rest=True)
async def send_artifact(call: Call, build: Build, rest: str) -> web.StreamResponse:
    """Send an archived file."""
    return serve_file(call, build.directory / "archive", rest)


@register_route("build:testReport/api", takes_rest=True)
async def send_tests(call: Call, build: Build, rest: str) -> web.Response:
    """Send the test counts, and the cases if there are any; the emulator does not keep the suites apart."""
    if build.tests is None or rest not in FLAVOURS:
        raise Refused(404, "Not Found")
    counts = build.tests
    cases = [Exported("", case, is_whole=True) for case in counts.cases]
    properties = {
        "failCount": counts.failed,
        "passCount": counts.total - counts.failed - counts.skipped,
        "skipCount": counts.skipped,
        "suites": [Exported("", {"name": "tests", "cases": cases}, is_whole=True)] if cases else [],
    }
    return respond_exported(Exported("hudson.tasks.junit.TestResult", properties, is_whole=True), rest, call)


@register_route("build:wfapi/artifacts")
async def list_artifacts(call: Call, build: Build, rest: str) -> web.Response:
    """List the artifacts of a Pipeline build (plugin pipeline-rest-api)."""
    shown = [
        {
            "id": f"n{number}",
            "name": Path(path).name,
            "path": path,
            "url": f"/{build.path}artifact/{quote(path)}",
            "size": (build.directory / "archive" / path).stat().st_size,
        }
        for number, path in enumerate(build.artifacts, 1)
    ]
    return answer_text(json.dumps(shown), kind="application/json")


@register_route("build:wfapi/describe", "build:wfapi")
async def describe_stages(call: Call, build: Build, rest: str) -> web.Response:
    """Send the stages of a Pipeline build (plugin pipeline-rest-api)."""
    if not build.job.is_pipeline:
        raise Refused(404, "Not Found")
    waiting = call.controller.inputs.list_open(build)
    status = (
        "PAUSED_PENDING_INPUT"
        if waiting
        else "IN_PROGRESS"
        if build.is_building
        else {"FAILURE": "FAILED"}.get(build.result or "", build.result)
    )
    links = ["self", *(["pendingInputActions"] if waiting else []), *(["artifacts"] if build.artifacts else [])]
    data = {
        "_links": {name: {"href": f"/{build.path}wfapi/{'describe' if name == 'self' else name}"} for name in links},
        "id": str(build.number),
        "name": build.shown_name,
        "status": status,
        "startTimeMillis": build.timestamp,
        "durationMillis": build.duration,
        "stages": [{"id": str(place), **stage} for place, stage in enumerate(build.stages, 1)],
    }
    return answer_text(json.dumps(data), kind="application/json")
