"""Routes of the views of the root and of folders."""

from __future__ import annotations

from aiohttp import web

from ..failures import Refused, failure
from ..model import xmlfile
from ..model.items import Folder, check_name
from ..model.views import ALL, LIST, View, make_view, parse_view
from . import pages
from .calls import Call, redirect, route


def _save(call: Call, folder: Folder) -> None:
    if folder.parent is None:
        call.controller.save()
    else:
        folder.save()


@route("root:createView", "folder:createView", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create a view: from XML (200), or from a form (302)."""
    call.require("View/Create")
    form = await call.read_form()
    name = form.get("name", "")
    check_name(name)
    if any(view.name == name for view in folder.views):
        raise failure(f"A view already exists with the name “{name}”")
    if call.request.content_type in {"text/xml", "application/xml"}:
        folder.views.append(parse_view(await call.request.read(), name, call.controller.home.options.plugins))
        _save(call, folder)
        return web.Response(status=200)
    mode = form.get("mode", "")
    if mode not in {ALL, LIST}:
        raise failure("No mode given" if not mode else f"No view type ‘{mode}’ is known")
    folder.views.append(make_view(mode, name))
    _save(call, folder)
    return redirect(f"{call.base}{folder.path}view/{name}/configure")


@route("view:", "view:configure")
async def show_view(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Show the jobs of a view."""
    return pages.respond(pages.render_front(call, pair[0], pair[1]))


@route("view:config.xml", methods=("GET", "POST"))
async def serve_config(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Send or replace the XML of a view; its type cannot change."""
    folder, view = pair
    if call.request.method == "GET":
        call.require("View/Read")
        return web.Response(
            body=xmlfile.serialise(xmlfile.parse(xmlfile.serialise(view.root))), content_type="application/xml"
        )
    call.require("View/Configure")
    replacement = parse_view(await call.request.read(), view.name, call.controller.home.options.plugins)
    if replacement.kind != view.kind:
        raise Refused(500, f"Expecting {view.kind} but got {replacement.kind} instead")
    view.root = replacement.root
    _save(call, folder)
    return web.Response(status=200)


@route("view:doDelete", methods=("POST",))
async def delete(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Delete a view; its jobs stay. The primary view cannot be deleted."""
    call.require("View/Delete")
    folder, view = pair
    if len(folder.views) == 1 or view.name == folder.primary_view:
        raise failure("The primary view cannot be deleted")
    folder.views.remove(view)
    _save(call, folder)
    return redirect(f"{call.base}{folder.path}")


@route("view:addJobToView", "view:removeJobFromView", methods=("POST",))
async def change_members(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Add a job to a list view, or remove it."""
    call.require("View/Configure")
    folder, view = pair
    name = (await call.read_form()).get("name", "")
    item = call.controller.home.tree.find(name, folder)
    if item is None or view.kind != LIST:
        raise failure(f"‘{name}’ does not exist here, or the view is no list")
    names = view.root.find("jobNames")
    if names is None:
        names = xmlfile.put(view.root, "jobNames")
    for node in names.findall("string"):
        if node.text == name:
            names.remove(node)
    if call.request.path.endswith("addJobToView"):
        xmlfile.put(names, "string", name)
    _save(call, folder)
    return web.Response(status=200)
