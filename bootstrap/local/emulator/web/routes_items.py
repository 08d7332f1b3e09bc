"""Routes that create, read, change and build items."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from ..execution.nodes import BuiltInNode, Node
from ..execution.queue import QueueItem
from ..failures import Refused, failure
from ..model import xmlfile
from ..model.build_record import Parameter, user_cause
from ..model.item_tree import FOLDER, FREESTYLE
from ..model.items import Folder, Item, check_name
from ..model.job_configuration import PIPELINE
from ..model.jobs import Job
from . import pages
from .calls import Call, redirect, route

NEW = {
    FOLDER: f"<{FOLDER}><description/></{FOLDER}>",
    "hudson.model.FreeStyleProject": f"<{FREESTYLE}/>",
    "org.jenkinsci.plugins.workflow.job.WorkflowJob": f"<{PIPELINE}/>",
}


@route("root:createItem", "folder:createItem", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create an item: from XML (200), as a copy, or empty of a type (302)."""
    call.require("Job/Create")
    form = await call.read_form()
    name, mode = form.get("name", ""), form.get("mode", "")
    check_name(name)
    call.controller.home.check_new_name(name)
    tree = call.controller.home.tree
    if mode == "copy":
        source = tree.find(form.get("from", ""), folder)
        if source is None or not form.get("from"):
            raise failure(f"No such job: {form.get('from', '')}")
        item = tree.copy(folder, name, source)
        return redirect(f"{call.base}{item.path}configure")
    if mode:
        if mode not in NEW:
            raise Refused(400, f"No item type ‘{mode}’ is known")
        item = tree.create(folder, name, NEW[mode].encode())
        return redirect(f"{call.base}{item.path}configure")
    if call.request.content_type not in {"text/xml", "application/xml"}:
        raise failure("No mode given" if call.request.can_read_body else "No Content-Type header set")
    tree.create(folder, name, await call.request.read())
    return web.Response(status=200)


@route("job:", "job:configure")
async def show_job(call: Call, job: Job, rest: str) -> web.Response:
    """Show the page of a job; the redirect after a copy leads here, too."""
    return pages.respond(pages.render_job(call, job))


@route("folder:configure")
async def show_folder(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show a folder; the redirect after its creation leads here."""
    return pages.respond(pages.render_front(call, folder))


@route("job:config.xml", "folder:config.xml", methods=("GET", "POST"))
async def serve_config(call: Call, item: Item, rest: str) -> web.Response:
    """Send or replace the config.xml of an item."""
    if call.request.method == "GET":
        call.require("Job/ExtendedRead")
        return web.Response(body=xmlfile.serialise_for_client(item.root), content_type="application/xml")
    call.require("Job/Configure")
    call.controller.home.tree.replace(item, await call.request.read())
    call.controller.queue.wake()
    return web.Response(status=200)


def _folder_url(call: Call, item: Item) -> str:
    assert item.parent is not None
    return f"{call.base}{item.parent.path}"


@route("job:doDelete", "folder:doDelete", methods=("POST",))
async def delete(call: Call, item: Item, rest: str) -> web.Response:
    """Delete an item, then redirect to its folder."""
    call.require("Job/Delete")
    call.controller.delete(item)
    return redirect(_folder_url(call, item))


@route("job:enable", "job:disable", methods=("POST",))
async def enable(call: Call, job: Job, rest: str) -> web.Response:
    """Enable or disable a job; a disabled job leaves the queue."""
    call.require("Job/Configure")
    is_disabled = call.request.path.rstrip("/").endswith("disable")
    job.disable(is_disabled)
    waiting = call.controller.queue.of(job)
    if is_disabled and waiting:
        call.controller.queue.cancel(waiting)
    return redirect(f"{call.base}{job.path}")


@route("folder:enable", "folder:disable", methods=("POST",))
async def enable_folder(call: Call, folder: Folder, rest: str) -> web.Response:
    """Answer as if a folder could be enabled or disabled; Jenkins' plain folders ignore it."""
    return redirect(f"{call.base}{folder.path}")


@route("job:doRename", "job:confirmRename", "folder:confirmRename", methods=("POST",))
async def rename(call: Call, item: Item, rest: str) -> web.Response:
    """Rename an item within its folder; refused while the job is building."""
    call.require("Job/Configure")
    name = (await call.read_form()).get("newName", "")
    if isinstance(item, Job) and any(build.is_building for build in item.history.list_builds()):
        raise failure("Unable to rename a job while it is building.")
    call.controller.home.check_new_name(name)
    call.controller.home.tree.rename(item, name)
    return redirect(f"{call.base}{item.path}")


@route("job:doWipeOutWorkspace", methods=("POST",))
async def wipe(call: Call, job: Job, rest: str) -> web.Response:
    """Delete the workspace of a freestyle job."""
    call.require("Job/Workspace")
    if job.is_pipeline:
        raise Refused(404, "Not Found")
    connected_node, folder = _find_workspace(call, job)
    await connected_node.remove(folder)
    return redirect(f"{call.base}{job.path}")


@route("job:nextbuildnumber/submit", methods=("POST",))
async def set_next_number(call: Call, job: Job, rest: str) -> web.Response:
    """Set the number of the next build (plugin next-build-number)."""
    if "next-build-number" not in call.controller.home.options.plugins:
        raise Refused(404, "Not Found")
    call.require("Job/Configure")
    number = (await call.read_form()).get("nextBuildNumber", "")
    if not number.isdigit():
        raise failure("nextBuildNumber is not a number")
    job.history.renumber(int(number))
    return redirect(f"{call.base}{job.path}")


@route("job:build", methods=("POST",))
async def build(call: Call, job: Job, rest: str) -> web.Response:
    """Queue a build; answers 201 with the URL of the queue item."""
    _check_buildable(call, job)
    structured = (await call.read_json_field()).get("parameter")
    if job.parameters and structured is None:
        raise Refused(400, "the job has parameters, and the request names none")
    given = structured if isinstance(structured, list) else [structured] if structured else []
    values = {str(entry.get("name")): str(entry.get("value", "")) for entry in given if isinstance(entry, dict)}
    item, _ = _schedule(call, job, values, await _read_delay(call))
    return redirect(f"{call.base}{item.url}", 201)


@route("job:buildWithParameters", methods=("POST",))
async def build_with_parameters(call: Call, job: Job, rest: str) -> web.Response:
    """Queue a build with values from query and form; 201, or 303 if the queue already has the same build."""
    _check_buildable(call, job)
    if not job.parameters:
        raise Refused(400, f"{job.full_name} is not parameterized")
    item, is_new = _schedule(call, job, await call.read_form(), await _read_delay(call))
    return redirect(f"{call.base}{item.url}", 201 if is_new else 303)


def _check_buildable(call: Call, job: Job) -> None:
    call.require("Job/Build")
    if job.is_disabled or job.is_held:
        raise Refused(409, f"{job.full_name} is not buildable")


async def _read_delay(call: Call) -> float | None:
    given = (await call.read_form()).get("delay", "")
    match = re.fullmatch(r"(\d+)\s*(sec|secs|second|seconds)?", given)
    if given and not match:
        raise Refused(400, f"Invalid delay: {given}")
    return float(match[1]) if match else None


def _schedule(call: Call, job: Job, values: dict[str, str], delay: float | None) -> tuple[QueueItem, bool]:
    parameters = []
    for entry in job.parameters:
        value = values.get(entry.name, entry.default)
        if entry.kind == "BooleanParameterDefinition":
            value = "true" if value.lower() in {"true", "on", "1"} else "false"
        if entry.kind == "ChoiceParameterDefinition" and value not in entry.choices:
            raise Refused(
                500, f"java.lang.IllegalArgumentException: Illegal choice for parameter {entry.name}: {value}"
            )
        parameters.append(Parameter(entry.name, value, entry.kind))
    user = call.identity.name
    return call.controller.queue.schedule(
        job, parameters, [user_cause(user, call.controller.home.find_full_name(user))], delay
    )


@route("job:polling", methods=("POST",))
async def poll(call: Call, job: Job, rest: str) -> web.Response:
    """Poll the repository of a job now."""
    call.require("Job/Build")
    await call.controller.triggers.poll(job)
    return redirect(f"{call.base}{job.path}")


@route("job:scmPollLog")
async def show_poll_log(call: Call, job: Job, rest: str) -> web.Response:
    """Show the log of the last poll."""
    path = job.directory / "scm-polling.log"
    text = path.read_text(errors="replace") if path.exists() else "Polling has not run yet."
    return pages.respond(pages.render_notice(call.controller, 200, text))


@route("job:ws", takes_rest=True)
async def send_workspace_file(call: Call, job: Job, rest: str) -> web.StreamResponse:
    """Send a file of the workspace."""
    call.require("Job/Workspace")
    connected_node, folder = _find_workspace(call, job)
    if isinstance(connected_node, BuiltInNode):
        return serve_file(call, folder, rest)
    path = folder / rest
    if ".." in path.parts or await connected_node.kind_of(path) != "file":
        raise Refused(404, f"No such file: {rest}")
    try:
        return _restrict(web.Response(body=await connected_node.read(path)), path.name)
    except OSError as fault:
        raise Refused(404, f"No such file: {rest}") from fault


def _find_workspace(call: Call, job: Job) -> tuple[Node, Path]:
    """Find the node and the folder of a job's last workspace; raises Refused (404) while that agent is not connected."""
    controller = call.controller
    first = next((node.name for node in controller.home.configuration.nodes if node.executors), "")
    node = controller.executors.node(controller.workspaces.last_node(job) or first)
    connected_node = controller.executors.connected_node(node.name)
    if connected_node is None:
        raise Refused(404, f"{node.shown_name} is offline")
    return connected_node, controller.workspaces.first(job, node)


def serve_file(call: Call, folder: Any, rest: str) -> web.StreamResponse:
    """Send a file below a folder; raises Refused (404) if there is none, or if the path leads out of the folder."""
    path = (folder / rest).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Refused(404, f"No such file: {rest}")
    return _restrict(web.FileResponse(path), path.name)


def _restrict(response: web.StreamResponse, name: str) -> web.StreamResponse:
    """Forbid browsers to run scripts of a file that a build made."""
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}"
    return response
