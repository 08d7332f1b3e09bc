"""Routes that create, read, change and build items."""

from __future__ import annotations

from aiohttp import web

from .. import journal
from ..failures import Refused, make_failure
from ..model import item_xml, xmlfile
from ..model.item_tree import FREESTYLE, MULTIBRANCH, ORGANIZATION
from ..model.items import FOLDER, Folder, Item, check_name
from ..model.job_configuration import MATRIX, PIPELINE
from ..model.jobs import Job
from . import pages
from .calls import Call, redirect, register_route, respond_xml

NEW = {
    FOLDER: f"<{FOLDER}/>",
    MULTIBRANCH: f"<{MULTIBRANCH}/>",
    ORGANIZATION: f"<{ORGANIZATION}/>",
    "hudson.model.FreeStyleProject": f"<{FREESTYLE}/>",
    "hudson.matrix.MatrixProject": f"<{MATRIX}><axes/><builders/><publishers/><buildWrappers/></{MATRIX}>",
    "org.jenkinsci.plugins.workflow.job.WorkflowJob": f"<{PIPELINE}/>",
}


@register_route("root:createItem", "folder:createItem", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create an item: from XML (200), as a copy, or empty of a type (302)."""
    item, is_new = await create_item(call, folder)
    _report_unjudged(call, item)
    return web.Response(status=200) if is_new else redirect(f"/{item.path}configure")


async def create_item(call: Call, folder: Folder) -> tuple[Item, bool]:
    """Create the item that a request describes; the second value is whether the request had its XML."""
    if not folder.takes_items:
        raise Refused(404, "Not Found")
    call.require("Job/Create")
    form = await call.read_form()
    if "name" not in form:
        raise make_failure("Query parameter 'name' is required")
    name, mode = form["name"].strip(), form.get("mode", "")
    check_name(name)
    call.controller.home.check_new_name(name)
    tree = call.controller.home.tree
    if mode == "copy":
        if not form.get("from"):
            raise make_failure("Specify which job to copy")
        source = tree.find(form["from"], folder)
        if source is None:
            raise make_failure(f"No such job: {form['from']}")
        return tree.copy(folder, name, source), False
    if mode:
        if mode not in NEW:
            raise make_failure(f"No item type ‘{mode}’ is known")
        return tree.create(folder, name, NEW[mode].encode()), False
    if call.request.content_type in {"text/xml", "application/xml"} and "Content-Type" in call.request.headers:
        return tree.create(folder, name, await call.request.read()), True
    raise make_failure("No mode given" if "Content-Type" in call.request.headers else "No Content-Type header set")


@register_route("job:")
async def show_job(call: Call, job: Job, rest: str) -> web.Response:
    """Show the page of a job."""
    return pages.respond(pages.render_job(call, job))


@register_route("job:configure", "folder:configure")
async def show_form(call: Call, item: Item, rest: str) -> web.Response:
    """Show the page of an item, to which the redirect after its creation leads; the emulator has no form of its settings."""
    call.require("Job/Configure")
    return pages.respond(
        pages.render_job(call, item) if isinstance(item, Job) else pages.render_front(call, item)  # type: ignore[arg-type]
    )


@register_route("job:config.xml", "folder:config.xml", methods=("GET", "POST", "PUT", "DELETE", "HEAD"))
async def serve_config(call: Call, item: Item, rest: str) -> web.Response:
    """Send or replace the config.xml of an item."""
    if call.request.method == "HEAD":
        raise Refused(400, "Bad Request", is_bare=True)
    if call.request.method in {"PUT", "DELETE"}:
        return web.Response(status=400)
    if call.request.method == "GET":
        if not call.controller.home.authorization.allows(call.identity, "Job/ExtendedRead"):
            call.require("Job/Configure")
        return respond_xml(xmlfile.serialise_for_client(item.root))
    call.require("Job/Configure")
    call.controller.home.tree.replace(item, await call.request.read())
    _report_unjudged(call, item)
    call.controller.queue.wake()
    return web.Response(status=200)


def _report_unjudged(call: Call, item: Item) -> None:
    """Write into the log which elements of an item were kept though the emulator knows nothing of them."""
    plugins = call.controller.home.options.plugins
    if unjudged := item_xml.find_unjudged(item.root, plugins):
        words = (
            f"The emulator has no record of the elements of the plugins {', '.join(item_xml.list_unrecorded(plugins))}"
        )
        journal.write_message(
            "WARNING", "emulator", f"{words}: it keeps {', '.join(unjudged)} of {item.full_name} as they stand"
        )


def _find_folder_url(call: Call, item: Item) -> str:
    assert item.parent is not None
    return f"/{item.parent.path}"


@register_route("job:", "folder:", methods=("DELETE",))
async def remove(call: Call, item: Item, rest: str) -> web.Response:
    """Delete an item; answers 204."""
    call.require("Job/Delete")
    if item.parent is None:
        raise Refused(404, "Not Found")
    call.controller.delete(item)
    return web.Response(status=204)


@register_route("job:doDelete", "folder:doDelete", methods=("POST",))
async def delete(call: Call, item: Item, rest: str) -> web.Response:
    """Delete an item, then redirect to its folder."""
    call.require("Job/Delete")
    call.controller.delete(item)
    return redirect(_find_folder_url(call, item))


@register_route("job:enable", "job:disable", methods=("POST",))
async def enable(call: Call, job: Job, rest: str) -> web.Response:
    """Enable or disable a job; a disabled job leaves the queue."""
    call.require("Job/Configure")
    is_disabled = call.request.path.rstrip("/").endswith("disable")
    call.controller.disable(job, is_disabled=is_disabled)
    return redirect(call.resolve(f"/{job.path}"))


@register_route("folder:enable", "folder:disable", methods=("POST",))
async def enable_folder(call: Call, folder: Folder, rest: str) -> web.Response:
    """Answer as if a folder could be enabled or disabled; Jenkins' plain folders ignore it."""
    return redirect(f"/{folder.path}")


@register_route("job:doRename", "job:confirmRename", "folder:confirmRename", methods=("POST",))
async def rename(call: Call, item: Item, rest: str) -> web.Response:
    """Rename an item within its folder; refused while the job is building."""
    call.require("Job/Configure")
    name = (await call.read_form()).get("newName", "").strip()
    if isinstance(item, Job) and any(build.is_building for build in item.history.list_builds()):
        raise make_failure("Unable to rename a job while it is building.")
    call.controller.home.check_new_name(name)
    call.controller.home.tree.rename(item, name)
    return redirect(call.resolve(f"/{item.path.rstrip('/')}"))


@register_route("job:nextbuildnumber/submit", methods=("POST",))
async def set_next_number(call: Call, job: Job, rest: str) -> web.Response:
    """Set the number of the next build (plugin next-build-number)."""
    if "next-build-number" not in call.controller.home.options.plugins:
        raise Refused(404, "Not Found")
    call.require("Job/Configure")
    number = (await call.read_form()).get("nextBuildNumber", "")
    if not number.isdigit():
        raise make_failure("nextBuildNumber is not a number")
    job.history.renumber(int(number))
    return redirect(f"/{job.path}")
