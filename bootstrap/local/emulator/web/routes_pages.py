"""Routes of small pages for people: what is known is on them, and nothing can be changed there."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from aiohttp import web

from .. import journal
from ..failures import Refused
from ..model.items import Folder, Item
from ..model.jobs import Job
from . import pages, refusals
from .calls import MANAGERS, Call, answer_text, register_route


def _show(call: Call, words: str) -> web.Response:
    return pages.respond(pages.render_notice(call.controller, 200, words))


@register_route(
    "root:api", "folder:api", "job:api", "build:api", "view:api", "computer:api", "user:api", is_object=True
)
async def show_api(call: Call, thing: Any, rest: str) -> web.Response:
    """Show where the remote API of an object is."""
    return _show(call, "REST API\nXML API: api/xml\nJSON API: api/json\nPython API: api/python")


@register_route("root:securityRealm", is_object=True)
async def list_users(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the users."""
    call.require("Overall/Administer")
    return _show(
        call, "\n".join(f"{user.identifier}: {user.full_name}" for user in call.controller.home.users.list_all())
    )


@register_route("root:signup")
async def refuse_signup(call: Call, folder: Folder, rest: str) -> web.Response:
    """Answer that nobody can make an account."""
    return refusals.answer_page(call.controller, 404, "Sign up: This is not supported in the current configuration.")


@register_route("root:oops")
async def show_oops(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the page of an exception, without one."""
    return pages.respond(pages.render_oops(call.controller, ""))


@register_route("root:error")
async def show_error(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the page of a refusal, without one."""
    return refusals.answer_page(call.controller, 400, "")


@register_route("root:instance-identity", is_object=True)
async def show_identity(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show that the emulator has no keys of its own."""
    return _show(call, "Instance Identity\nThe emulator has no pair of keys.")


@register_route("root:tcpSlaveAgentListener", is_object=True)
async def show_listener(call: Call, folder: Folder, rest: str) -> web.Response:
    """Answer that this is Jenkins, unless there is no port: no header names one, as agents connect only by WebSocket here."""
    if call.controller.home.agent_port == -1:
        raise Refused(404, "Not Found")
    return answer_text("\n\n  Jenkins\n")


@register_route("root:git/notifyCommit", methods=("GET", "POST"))
async def refuse_notice(call: Call, folder: Folder, rest: str) -> web.Response:
    """Refuse every notice of a commit: there are no access tokens here."""
    words = (
        "An access token is required. Please refer to Git plugin documentation "
        "(https://plugins.jenkins.io/git/#plugin-content-push-notification-from-repository) for details."
    )
    raise Refused(401, words, is_bare=True)


@register_route("root:log", "root:log/all")
async def show_log(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the last messages of the log."""
    call.require("Overall/Administer")
    listed = [
        f"{moment} {level} {message}\n{exception}".rstrip() for moment, level, message, exception in journal.RECENT
    ]
    return _show(call, "All Jenkins Logs\n" + "\n".join(reversed(listed)))


@register_route("root:systemInfo")
async def show_system(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the version and the plugins; the emulator is no Java program, so there are no properties of one."""
    call.require_any(*MANAGERS)
    options = call.controller.home.options
    listed = "\n".join(f"{name} {version}" for name, version in sorted(options.plugins.items()))
    return _show(call, f"System Information\nJenkins {options.version}\n{listed}")


@register_route("root:about", is_object=True)
async def show_about(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the version."""
    call.require_any(*MANAGERS)
    return _show(call, f"Jenkins\nVersion {call.controller.home.options.version}, as the emulator stands in for it")


@register_route("root:threadDump")
async def show_threads(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the stacks of the threads of this process."""
    call.require("Overall/Administer")
    stacks = ["".join(traceback.format_stack(frame)) for frame in sys._current_frames().values()]
    return _show(call, "Thread Dump\n" + "\n".join(stacks))


@register_route("root:builds", "view:builds", "folder:builds", "job:changes", "job:buildHistory/ajax")
async def list_builds(call: Call, thing: Any, rest: str) -> web.Response:
    """Show the last builds of a job, a folder or a view."""
    holder: Any = thing[0] if isinstance(thing, tuple) else thing
    jobs = [holder] if isinstance(holder, Job) else [job for job in holder.walk() if isinstance(job, Job)]
    builds = sorted((build for job in jobs for build in job.history.list_builds()), key=lambda build: -build.timestamp)
    listed = [f"{build.job.full_name} {build.shown_name}: {build.result or 'running'}" for build in builds[:50]]
    return _show(call, "Build History\n" + "\n".join(listed))


@register_route("root:newJob", "view:newJob", "folder:newJob")
async def show_types(call: Call, thing: Any, rest: str) -> web.Response:
    """Show how an item is created here."""
    call.require("Job/Create")
    return _show(call, "New Item\nThe emulator has no form: send a POST to createItem.")


@register_route("job:delete", "folder:delete")
async def show_delete(call: Call, item: Item, rest: str) -> web.Response:
    """Show how an item is deleted here."""
    call.require("Job/Delete")
    return _show(call, f"Delete ‘{item.display_name}’?\nThe emulator has no form: send a POST to doDelete.")


@register_route("store:")
async def show_store(call: Call, place: Any, rest: str) -> web.Response:
    """Show the domains of a store."""
    return _show(call, "\n".join(name or "Global" for name in place.store.domains))


@register_route("root:plugin", takes_rest=True)
async def refuse_plugin_file(call: Call, folder: Folder, rest: str) -> web.Response:
    """Refuse files of plugins: the emulator has none. The directory itself is a bad request, in Jenkins too."""
    if rest.rstrip("/").count("/"):
        raise Refused(404, "Not Found")
    raise Refused(400, "Bad Request", is_bare=True)


@register_route("job:buildStatus")
async def redirect_to_icon(call: Call, job: Job, rest: str) -> web.Response:
    """Redirect to the icon of the last build."""
    color = {"notbuilt": "nobuilt"}.get(call.exports.read_color(job), call.exports.read_color(job))
    return web.Response(status=302, headers={"Location": f"/images/48x48/{color}.png"})


@register_route("label:")
async def show_label(call: Call, name: str, rest: str) -> web.Response:
    """Show the nodes of a label."""
    nodes = [node.shown_name for node in call.controller.home.configuration.nodes if name in node.labels]
    return _show(call, f"{name}\n" + "\n".join(nodes))


@register_route("queueitem:", "queuepart:")
async def show_queue_item(call: Call, item: Any, rest: str) -> web.Response:
    """Show an item of the queue."""
    return answer_text(f"Queue item {item.identifier}")


@register_route("job:cancelQueue", methods=("POST",))
async def cancel_queue(call: Call, job: Job, rest: str) -> web.Response:
    """Cancel what waits of a job."""
    call.require("Job/Cancel")
    if (waiting := call.controller.queue.find_of_job(job)) is not None:
        call.controller.queue.cancel(waiting)
    return web.Response(status=302, headers={"Location": f"/{job.path}"})
