"""Routes that change what is known of an item: its description, its folder, its file; and the checks of names."""

from __future__ import annotations

import html
from typing import Any

from aiohttp import web

from ..failures import Refused, make_failure
from ..model.items import Folder, Item, check_name
from ..model.jobs import Job
from . import pages
from .calls import Call, answer_text, redirect, register_route
from .refusals import PART


@register_route("job:description", "folder:description", methods=("GET", "POST", "PUT"))
async def serve_description(call: Call, item: Item, rest: str) -> web.Response:
    """Send or set the description of an item."""
    if call.request.method == "GET":
        return answer_text(item.description)
    call.require("Job/Configure")
    form = await call.read_form()
    if "description" not in form:
        return web.Response(status=400)
    item.describe(form["description"])
    return web.Response(status=204)


@register_route("job:submitDescription", "folder:submitDescription", methods=("POST",))
async def describe(call: Call, item: Item, rest: str) -> web.Response:
    """Set the description from the form of the page."""
    call.require("Job/Configure")
    item.describe((await call.read_form()).get("description", ""))
    return redirect(f"/{item.path}")


@register_route("job:move", "folder:move", is_object=True)
async def show_destinations(call: Call, item: Item, rest: str) -> web.Response:
    """Show where an item can be moved."""
    root = call.controller.home.tree.root
    folders = ["Jenkins", *(f"Jenkins » {each.full_name}" for each in root.walk() if isinstance(each, Folder))]
    return pages.respond(pages.render_notice(call.controller, 200, "\n".join(folders)))


@register_route("job:move/move", "folder:move/move", methods=("POST",))
async def move(call: Call, item: Item, rest: str) -> web.Response:
    """Move an item into the folder that the form names, such as '/folder'; to an unknown folder nothing is moved."""
    call.require("Job/Move")
    tree = call.controller.home.tree
    destination = tree.find((await call.read_form()).get("destination", ""), tree.root)
    if not isinstance(destination, Folder) or not destination.takes_items or item.parent is None:
        return redirect(f"/{item.path}move/")
    if destination is not item.parent:
        if isinstance(item, Job) and any(build.is_building for build in item.history.list_builds()):
            raise make_failure("Unable to move a job while it is building.")
        tree.move(item, destination)
    return redirect(f"/{item.path}")


@register_route("job:reload", "folder:reload", methods=("POST",))
async def reload(call: Call, item: Item, rest: str) -> web.Response:
    """Read the file of an item again."""
    call.require("Job/Configure")
    call.controller.home.tree.reload(item)
    return web.Response(status=200)


def _answer_check(problem: str) -> web.Response:
    body = f"<div class=error>{html.escape(problem)}</div>" if problem else "<div/>"
    response = web.Response(text=body, content_type="text/html", charset="utf-8")
    response[PART] = True
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none';"
    return response


@register_route("root:checkJobName", "folder:checkJobName", "view:checkJobName", methods=("GET", "POST"))
async def check_job_name(call: Call, thing: Any, rest: str) -> web.Response:
    """Check the name of a new item; the answer is a part of a page, empty if the name is good."""
    call.require("Job/Create")
    folder: Folder = thing[0] if isinstance(thing, tuple) else thing
    name = (await call.read_form()).get("value", "").strip()
    if not name:
        return _answer_check("")
    try:
        check_name(name)
        call.controller.home.check_new_name(name)
    except Refused as refusal:
        return _answer_check(refusal.message)
    return _answer_check(f"A job already exists with the name ‘{name}’" if folder.find_child(name) else "")


@register_route("root:viewExistsCheck", "folder:viewExistsCheck", methods=("GET", "POST"))
async def check_view_name(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check the name of a new view, as `checkJobName` does."""
    call.require("View/Create")
    name = (await call.read_form()).get("value", "").strip()
    return _answer_check(f"A view already exists with the name {name}" if folder.find_view(name) else "")
