"""Routes of the views of the root and of folders."""

from __future__ import annotations

from aiohttp import web

from ..failures import Refused, make_failure
from ..model.items import Folder, check_name, encode_name
from ..model.views import KINDS, LIST, View, make_view, parse_view, render_view
from . import pages
from .calls import Call, redirect, register_route, respond_xml
from .routes_items import create_item


def _save(call: Call, folder: Folder) -> None:
    if folder.parent is None:
        call.controller.save()
    else:
        folder.save()


@register_route("root:createView", "folder:createView", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create a view: from XML (200), or from a form (302)."""
    if not folder.takes_items:
        raise Refused(404, "Not Found")
    call.require("View/Create")
    form = await call.read_form()
    name = form.get("name", "").strip()
    check_name(name)
    if any(view.name == name for view in folder.views):
        raise make_failure(f'A view already exists with the name "{name}"')
    if call.request.content_type in {"text/xml", "application/xml"}:
        content = await call.request.read()
        folder.views.append(parse_view(content, name, call.controller.home.options.plugins, is_new=True))
        _save(call, folder)
        return web.Response(status=200)
    mode = form.get("mode", "")
    if mode not in KINDS:
        raise make_failure("No view type is specified" if not mode else f"No view type ‘{mode}’ is known")
    folder.views.append(make_view(mode, name))
    _save(call, folder)
    return redirect(f"/{folder.path}view/{encode_name(name)}/configure")


@register_route("view:", "view:configure")
async def show_view(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Show the jobs of a view."""
    return pages.respond(pages.render_front(call, pair[0], pair[1]))


@register_route("view:config.xml", methods=("GET", "POST"))
async def serve_config(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Send or replace the XML of a view; its type cannot change."""
    folder, view = pair
    if call.request.method == "GET":
        call.require("View/Read")
        return respond_xml(render_view(view))
    call.require("View/Configure")
    replacement = parse_view(await call.request.read(), view.name, call.controller.home.options.plugins, is_new=False)
    if replacement.kind != view.kind:
        raise Refused(500, f"Expecting {view.kind} but got {replacement.kind} instead")
    view.root = replacement.root
    _save(call, folder)
    return web.Response(status=200)


@register_route("view:doDelete", methods=("POST",))
async def delete(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Delete a view; its jobs stay. After the primary view the next one is the primary; the last one cannot be deleted."""
    call.require("View/Delete")
    folder, view = pair
    if len(folder.views) == 1:
        raise make_failure("The last view cannot be deleted")
    is_primary = view is folder.first_view
    folder.views.remove(view)
    if is_primary:
        folder.primary_view = folder.views[0].name
    _save(call, folder)
    return redirect(f"/{folder.path}")


@register_route("view:submitDescription", methods=("POST",))
async def describe(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Set the description of a view."""
    call.require("View/Configure")
    folder, view = pair
    view.describe((await call.read_form()).get("description", ""))
    _save(call, folder)
    return redirect(f"/{folder.path}view/{encode_name(view.name)}/")


@register_route("view:createItem", methods=("POST",))
async def create_in_view(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Create an item in the folder of a view; a list view then lists it."""
    folder, view = pair
    item, is_new = await create_item(call, folder)
    if view.kind == LIST:
        view.add(item.name)
        _save(call, folder)
    return web.Response(status=200) if is_new else redirect(f"/{item.path}configure")


@register_route("view:addJobToView", "view:removeJobFromView", methods=("POST",))
async def change_members(call: Call, pair: tuple[Folder, View], rest: str) -> web.Response:
    """Add a job to a list view, or remove it."""
    folder, view = pair
    if view.kind != LIST:
        raise Refused(404, "Not Found")
    call.require("View/Configure")
    form, is_added = await call.read_form(), call.request.path.endswith("addJobToView")
    if "name" not in form:
        raise make_failure("Query parameter 'name' is required")
    item = call.controller.home.tree.find(form["name"], folder)
    if item is None or not form["name"]:
        known = "known item" if is_added else "known and readable item"
        raise make_failure(f"Query parameter 'name' does not correspond to a {known}")
    view.remove(form["name"])
    if is_added:
        view.add(form["name"])
    _save(call, folder)
    return web.Response(status=200)
