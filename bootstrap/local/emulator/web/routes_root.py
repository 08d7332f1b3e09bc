"""Routes directly below the root: the API of single objects, login, crumbs, restarts, scripts, health."""

from __future__ import annotations

import json
import struct
from typing import Any
from urllib.parse import quote

from aiohttp import web

from ..failures import Refused
from ..model.items import Folder
from . import pages
from .answers import respond_exported
from .api import Exported
from .calls import MANAGERS, Call, answer_text, redirect, register_route
from .rendering import FLAVOURS

# An image of one transparent pixel: the directory of the file, the head of the bitmap, the pixel and its mask.
_BITMAP = struct.pack("<IiiHHIIiiII", 40, 1, 2, 1, 32, 0, 8, 0, 0, 0, 0) + bytes(8)
_ICON = struct.pack("<HHHBBBBHHII", 0, 1, 1, 1, 1, 0, 0, 1, 32, len(_BITMAP), 22) + _BITMAP
RESTART, END = 5, 0  # Jenkins' systemd lifecycle ends with exit code 5 for a restart


@register_route("root:", "folder:")
async def show_front_page(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the jobs of the root or of a folder."""
    return pages.respond(pages.render_front(call, folder))


@register_route(
    "root:queue/api",
    "root:computer/api",
    "root:pluginManager/api",
    "root:whoAmI/api",
    "root:crumbIssuer/api",
    "root:updateCenter/api",
    methods=("GET", "POST"),
    takes_rest=True,
)
async def serve_part(call: Call, folder: Folder, rest: str) -> web.Response:
    """Serve the remote API of objects of which there is one: queue, nodes, plugins, caller, crumb, update centre."""
    part, flavour = call.request.path.strip("/").removeprefix("manage/").split("/")[0], rest.split("/")[0]
    if flavour not in FLAVOURS:
        raise Refused(404, "Not Found")
    if part == "pluginManager":
        call.require("Overall/Administer")
    if part == "crumbIssuer":
        return _serve_crumb(call, flavour)
    exports = call.exports
    parts = {
        "pluginManager": exports.export_plugins,
        "updateCenter": exports.export_update_center,
        "queue": exports.export_queue,
        "computer": exports.export_computers,
        "whoAmI": exports.export_caller,
    }
    return respond_exported(parts[part](), flavour, call)


def _serve_crumb(call: Call, flavour: str) -> web.Response:
    if call.session is None:
        call.session = call.controller.sessions.open(call.identity.name if call.identity.is_anonymous else "anonymous")
    crumb = call.controller.sessions.make_crumb(call.identity.name, call.session)
    exported = Exported(
        "hudson.security.csrf.DefaultCrumbIssuer", {"crumb": crumb, "crumbRequestField": "Jenkins-Crumb"}
    )
    return respond_exported(exported, flavour, call, is_open=True)


@register_route("root:whoAmI", is_object=True)
async def send_caller(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show who the caller is."""
    words = f"Name: {call.identity.name}\nAuthorities: {', '.join(call.identity.groups)}"
    return pages.respond(pages.render_notice(call.controller, 200, words))


@register_route("root:login", "root:loginError")
async def show_login(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the login form; 401 after a failed login. Its crumb belongs to a session, which begins here."""
    if call.session is None:
        call.session = call.controller.sessions.open("anonymous")
    is_wrong = call.request.path.endswith("loginError")
    return pages.respond(pages.render_login(call, is_wrong=is_wrong), status=401 if is_wrong else 200)


@register_route("root:j_spring_security_check", methods=("POST",))
async def check_login(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check the login form: opens a new session, or redirects to the form. It needs the crumb that the form has."""
    form = await call.read_form()
    crumb = call.request.headers.get("Jenkins-Crumb") or form.get("Jenkins-Crumb", "")
    if not call.controller.sessions.is_crumb(crumb, call.identity.name, call.session):
        return redirect("/loginError")
    user = await call.logins.check(form.get("j_username", ""), form.get("j_password", ""), call.sender)
    if user is None:
        return redirect("/loginError")
    if call.session is not None:
        call.controller.sessions.close(call.session)
    call.session = call.controller.sessions.open(user)
    target = form.get("from") or "/"
    # Only a path of this server, so that no link can lead to another server.
    is_own = target.startswith("/") and not target.startswith(("//", "/\\"))
    return redirect(quote(target, safe="/?&=%#:+@,;~") if is_own else "/")


@register_route("root:logout", methods=("GET", "POST"))
async def log_out(call: Call, folder: Folder, rest: str) -> web.Response:
    """End the session."""
    if call.session is not None:
        call.controller.sessions.close(call.session)
    response = redirect("/")
    response.del_cookie(call.controller.sessions.cookie, path="/")
    return response


@register_route("root:health", is_object=True)
async def send_health(call: Call, folder: Folder, rest: str) -> web.Response:
    """Answer monitors that Jenkins is ready."""
    return answer_text(json.dumps({"status": True}, separators=(",", ":")), kind="application/json")


@register_route("root:quietDown", methods=("POST",))
async def quiet_down(call: Call, folder: Folder, rest: str) -> web.Response:
    """Begin quiet mode. With `block`, answer when every running build could continue after a restart, or after `timeout` ms."""
    _require_manage(call)
    form = await call.read_form()
    seconds = int(form.get("timeout") or 0) / 1000 if form.get("block") == "true" else None
    await call.controller.quiet_down(form.get("message", ""), seconds)
    return redirect("/")


def _require_manage(call: Call) -> None:
    call.require("Overall/Manage")


@register_route("root:cancelQuietDown", methods=("POST",))
async def cancel_quiet_down(call: Call, folder: Folder, rest: str) -> web.Response:
    """End quiet mode."""
    _require_manage(call)
    call.controller.cancel_quiet_down()
    return redirect("/")


@register_route("root:prepareShutdown/prepare", methods=("POST",))
async def prepare_shutdown(call: Call, folder: Folder, rest: str) -> web.Response:
    """Begin quiet mode, from Jenkins' form."""
    _require_manage(call)
    call.controller.quiet_mode.reason = str((await call.read_json_field()).get("shutdownReason", ""))
    return redirect("../manage")


@register_route("root:prepareShutdown/cancel", methods=("POST",))
async def cancel_shutdown(call: Call, folder: Folder, rest: str) -> web.StreamResponse:
    """End quiet mode, from Jenkins' form."""
    return await cancel_quiet_down(call, folder, rest)


@register_route("root:restart", "root:safeRestart", methods=("POST",))
async def restart(call: Call, folder: Folder, rest: str) -> web.Response:
    """End with exit code 5: the supervisor starts the service again. safeRestart waits for running builds."""
    _require_manage(call)
    call.controller.leave(RESTART, waits=call.request.path.endswith("safeRestart"))
    return redirect("/")


@register_route("root:exit", "root:safeExit", methods=("POST",))
async def leave(call: Call, folder: Folder, rest: str) -> web.Response:
    """End with exit code 0: the service stays stopped. safeExit waits for running builds."""
    call.require("Overall/Administer")
    call.controller.leave(END, waits=call.request.path.endswith("safeExit"))
    return answer_text("Shutting down")


@register_route("root:reload", methods=("POST",))
async def reload(call: Call, folder: Folder, rest: str) -> web.Response:
    """Read the items of the home again."""
    _require_manage(call)
    call.controller.reload_home()
    return redirect("/")


@register_route("root:queue/cancelItem", methods=("POST",))
async def cancel_item(call: Call, folder: Folder, rest: str) -> web.Response:
    """Cancel a queue item: 204, 404 for an unknown one, 500 for one that has left, 422 without the permission."""
    number = (await call.read_form()).get("id", "")
    item = call.controller.queue.find(int(number)) if number.isdigit() else None
    part = call.controller.executors.find_waiting(int(number)) if number.isdigit() else None
    if (item is None and part is None) or not call.controller.home.authorization.allows(call.identity, "Job/Read"):
        raise Refused(404, "no such queue item")
    if part is None and item is not None and item.left is not None:
        raise Refused(500, f"Could not cancel run for id {number}")
    if not call.controller.home.authorization.allows(call.identity, "Job/Cancel"):
        raise Refused(422, "not allowed to cancel this item")
    if item is None:
        raise Refused(501, "the emulator cannot cancel a part of a Pipeline that waits for an executor; stop its build")
    call.controller.queue.cancel(item)
    return web.Response(status=204)


@register_route("root:userContent/readme.txt")
async def send_user_content(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send the file that Jenkins writes into a new home."""
    return answer_text("Files in this directory will be served under your http://jenkins/userContent/\n")


@register_route("root:robots.txt")
async def send_robots(call: Call, folder: Folder, rest: str) -> web.Response:
    """Forbid crawlers everything."""
    return answer_text('# we don\'t want robots to click "build" links\nUser-agent: *\nDisallow: /')


@register_route("root:favicon.ico")
async def send_icon(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send an icon: one blank pixel."""
    return web.Response(body=_ICON, content_type="image/vnd.microsoft.icon")


@register_route("root:manage", is_object=True)
async def show_management(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the page for administrators, to which redirects lead."""
    call.require_any(*MANAGERS)
    return pages.respond(pages.render_front(call, call.controller.home.tree.root))


@register_route("root:computer", "root:pluginManager", is_object=True)
async def show_overview(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the front page, to which redirects lead."""
    if "pluginManager" in call.request.path:
        call.require("Overall/Administer")
    return pages.respond(pages.render_front(call, call.controller.home.tree.root))


@register_route("root:pipeline-model-converter/validate", methods=("POST",))
async def validate_as_text(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check a declarative Jenkinsfile without running it; the answer is for people."""
    call.require("Overall/Read")
    script = (await call.read_form()).get("jenkinsfile", "")
    words, _ = await call.controller.validator.explain(call.controller.home, script)
    return answer_text(words)


@register_route("root:pipeline-model-converter/validateJenkinsfile", methods=("POST",))
async def validate_jenkinsfile(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check a declarative Jenkinsfile without running it (plugin pipeline-model-definition)."""
    call.require("Overall/Read")
    script = (await call.read_form()).get("jenkinsfile", "")
    result: dict[str, Any] = await call.controller.validator.validate(call.controller.home, script)
    return answer_text(json.dumps({"status": "ok", "data": result}), kind="application/json")
