"""The endpoints of the configuration-as-code plugin, with its peculiar status codes."""

from __future__ import annotations

import hmac
import json

from aiohttp import web

from ..casc.export import export, json_schema
from ..failures import ConfigurationRefused, Issue, Refused
from ..model.items import Folder
from . import pages
from .calls import Call, redirect, route, text

ROOT = "root:configuration-as-code"


def _issues(refusal: ConfigurationRefused, status: int = 400) -> web.Response:
    body = json.dumps([{"line": issue.line, "message": issue.message} for issue in refusal.issues])
    return text(body, status, "application/json")


@route(f"{ROOT}/check", methods=("POST",))
async def check(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check the posted text alone: [] or what is wrong, with lines."""
    call.require("Overall/Administer")
    try:
        call.controller.check(await call.request.text())
    except ConfigurationRefused as refusal:
        return _issues(refusal)
    return text("[]", kind="application/json")


@route(f"{ROOT}/apply", methods=("POST",))
async def apply(call: Call, folder: Folder, rest: str) -> web.Response:
    """Apply the posted text after the standard sources; an error is a 500."""
    call.require("Overall/Administer")
    call.controller.reload(await call.request.text())
    return web.Response(status=200)


@route(f"{ROOT}/configure", methods=("POST",))
async def configure(call: Call, folder: Folder, rest: str) -> web.Response:
    """The same with proper status codes."""
    call.require("Overall/Administer")
    posted = await call.request.text()
    if not posted.strip():
        return _issues(ConfigurationRefused([Issue(-1, "the request has no body")]))
    try:
        call.controller.reload(posted)
    except ConfigurationRefused as refusal:
        return _issues(refusal)
    return text("Configuration applied")


@route(f"{ROOT}/reload", methods=("POST",))
async def reload(call: Call, folder: Folder, rest: str) -> web.Response:
    """Read the sources again. As in the plugin, success is 302 and failure is a page with status 200."""
    if not call.controller.home.authorization.allows(call.identity, "Overall/Manage"):
        call.require("Overall/Administer")
    try:
        call.controller.reload()
    except ConfigurationRefused as refusal:
        return pages.respond(pages.notice(call.controller, 200, f"Could not apply the configuration:\n{refusal}"))
    return redirect(call.base)


@route(f"{ROOT}/export", methods=("POST",))
async def export_yaml(call: Call, folder: Folder, rest: str) -> web.Response:
    """The whole configuration as YAML."""
    call.require("Overall/Administer")
    response = text(_exported(call), kind="application/x-yaml")
    response.headers["Content-Disposition"] = "attachment; filename=jenkins.yaml"
    return response


@route(f"{ROOT}/viewExport", methods=("POST",))
async def view_export(call: Call, folder: Folder, rest: str) -> web.Response:
    """The same on a page."""
    call.require("Overall/Administer")
    return pages.respond(pages.notice(call.controller, 200, _exported(call)))


def _exported(call: Call) -> str:
    controller = call.controller
    tree = dict(controller.home.configuration.tree)
    jenkins = {
        "mode": "NORMAL",
        "numExecutors": controller.home.configuration.executors,
        "quietPeriod": controller.home.configuration.quiet_period,
        "crumbIssuer": {"standard": {}},
        "markupFormatter": {"plainText": {}},
        "views": [{"all": {"name": "all"}}],
        "primaryView": {"all": {"name": controller.home.tree.root.primary_view}},
        **tree.get("jenkins", {}),
    }
    realm = jenkins.get("securityRealm", {}).get("local")
    if realm is not None:
        # Accounts are not exported, as the plugin does not export them.
        jenkins["securityRealm"] = {
            "local": {"allowsSignup": False, "enableCaptcha": False, **{k: v for k, v in realm.items() if k != "users"}}
        }
    location = {"adminAddress": controller.home.configuration.admin_address, "url": controller.home.url}
    tree["unclassified"] = {**tree.get("unclassified", {}), "location": location}
    return export({**tree, "jenkins": jenkins}, controller.home.vault.seal)


@route(f"{ROOT}/schema")
async def schema(call: Call, folder: Folder, rest: str) -> web.Response:
    """The JSON schema."""
    call.require("Overall/Administer")
    return text(json.dumps(json_schema()), kind="application/json")


@route(ROOT, f"{ROOT}/reference")
async def page(call: Call, folder: Folder, rest: str) -> web.Response:
    """A readable target."""
    call.require("Overall/Administer")
    return pages.respond(pages.notice(call.controller, 200, "Configuration as Code"))


@route("root:reload-configuration-as-code", methods=("POST",))
async def reload_by_token(call: Call, folder: Folder, rest: str) -> web.Response:
    """Reload by token: 404 when none is configured, 401 for a wrong one, else 200 whatever happens but a missing secret."""
    expected = call.controller.home.surroundings.variables.get("CASC_RELOAD_TOKEN", "")
    if not expected:
        raise Refused(404, "Not Found")
    given = call.request.query.get("casc-reload-token", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return text("Unauthorized", 401)
    try:
        call.controller.reload()
    except ConfigurationRefused as refusal:
        status = 500 if "strict secret resolution" in str(refusal) else 200
        return text(json.dumps({"status": "error", "message": str(refusal)}), status, "application/json")
    return web.Response(status=200)
