"""Routes of a job's workspace: its files, its polling, and its deletion."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from ..execution.nodes import BuiltInNode, Node
from ..failures import Refused
from ..model.jobs import Job
from . import pages
from .calls import Call, redirect, register_route


@register_route("job:doWipeOutWorkspace", methods=("POST",))
async def wipe(call: Call, job: Job, rest: str) -> web.Response:
    """Delete the workspace of a freestyle job; without one Jenkins answers with a page that says so."""
    call.require("Job/Workspace")
    if job.is_pipeline:
        raise Refused(404, "Not Found")
    connected_node, folder = _find_workspace(call, job)
    if await connected_node.find_kind(folder) != "directory":
        return pages.respond(pages.render_notice(call.controller, 200, "Wipe Out Current Workspace: there is none."))
    await connected_node.remove(folder)
    return redirect(f"/{job.path}")


def _has_polling(job: Job) -> bool:
    return any(trigger.kind == "SCMTrigger" for trigger in job.triggers)


@register_route("job:polling", methods=("POST",))
async def poll(call: Call, job: Job, rest: str) -> web.Response:
    """Poll the repository of a job now; a job without a trigger that polls is not polled."""
    call.require("Job/Build")
    if _has_polling(job):
        await call.controller.triggers.poll(job)
    return redirect(f"/{job.path}")


@register_route("job:scmPollLog")
async def show_poll_log(call: Call, job: Job, rest: str) -> web.Response:
    """Show the log of the last poll; only a job that polls has one."""
    if not _has_polling(job):
        raise Refused(404, "Not Found")
    path = job.directory / "scm-polling.log"
    text = path.read_text(errors="replace") if path.exists() else "Polling has not run yet."
    return pages.respond(pages.render_notice(call.controller, 200, text))


@register_route("job:ws", takes_rest=True)
async def send_workspace_file(call: Call, job: Job, rest: str) -> web.StreamResponse:
    """Send a file of the workspace."""
    call.require("Job/Workspace")
    connected_node, folder = _find_workspace(call, job)
    if isinstance(connected_node, BuiltInNode):
        return serve_file(call, folder, rest)
    path = folder / rest
    if ".." in path.parts or await connected_node.find_kind(path) != "file":
        raise Refused(404, f"No such file: {rest}")
    try:
        return _restrict(web.Response(body=await connected_node.read(path)), path.name)
    except OSError as fault:
        raise Refused(404, f"No such file: {rest}") from fault


def _find_workspace(call: Call, job: Job) -> tuple[Node, Path]:
    """Find the node and the folder of a job's last workspace; raises Refused (404) while that agent is not connected."""
    controller = call.controller
    first = next((node.name for node in controller.home.configuration.nodes if node.executors), "")
    node = controller.executors.find_settings(controller.workspaces.find_last_node(job) or first)
    connected_node = controller.executors.find_connected(node.name)
    if connected_node is None:
        raise Refused(404, f"{node.shown_name} is offline")
    return connected_node, controller.workspaces.find_first(job, node)


def serve_file(call: Call, folder: Any, rest: str) -> web.StreamResponse:
    """Send a file below a folder; raises Refused (404) if there is none, or if the path leads out of the folder."""
    above, marker, name = rest.rpartition("*zip*/")
    if marker and name.endswith(".zip"):
        return _send_zip((folder / above).resolve(), folder.resolve(), name)
    path = (folder / rest).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Refused(404, f"No such file: {rest}")
    return _restrict(web.FileResponse(path), path.name)


def _send_zip(place: Path, root: Path, name: str) -> web.Response:
    """Send all files below a folder as one archive, in a folder of the place's name, as Jenkins does."""
    if not place.is_relative_to(root) or not place.is_dir():
        raise Refused(404, f"No such folder: {place.name}")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(place.rglob("*")):
            if path.is_file() and path.resolve().is_relative_to(root):
                archive.write(path, f"{place.name}/{path.relative_to(place)}")
    response = web.Response(body=content.getvalue(), content_type="application/zip")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def _restrict(response: web.StreamResponse, name: str) -> web.StreamResponse:
    """Forbid browsers to run scripts of a file that a build made."""
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}"
    return response
