"""Routes of the plugin configuration-as-code, with its own status codes."""

from __future__ import annotations

import hmac
import html
import json
from pathlib import Path

from aiohttp import web

from .. import journal
from ..casc.export import Exporter
from ..casc.json_schema import make_json_schema
from ..casc.present import collect_settings
from ..failures import ConfigurationRefused, Refused
from ..model.items import Folder
from . import pages
from .calls import Call, answer_text, redirect, register_route

ROOT_PATH = "configuration-as-code"
ROOT = f"root:{ROOT_PATH}"
LOGGER = "i.j.p.casc.ConfigurationAsCode"


def _answer_issue(message: str) -> web.Response:
    """Answer with one fault, as Jenkins does: the line is always -1, and the text has the position."""
    return answer_text(json.dumps([{"line": -1, "message": message}]), 400, "application/json")


async def _reload(call: Call, extra: str = "", source: str = "") -> None:
    """Read all sources and a posted text, and write the warnings into the log: also what is taken without being judged."""
    await call.controller.reload(extra, source)
    for warning in call.controller.warnings:
        journal.write_message("WARNING", LOGGER, warning)


async def _read_body(call: Call) -> str:
    """The posted text; bytes that are no UTF-8 are replaced, as Java does."""
    return (await call.request.read()).decode("utf-8", "replace")


def _require(call: Call, *permissions: str) -> None:
    if not any(
        call.controller.home.authorization.allows(call.identity, each) for each in (*permissions, "Overall/Administer")
    ):
        raise Refused(403, "Forbidden", is_bare=True)


@register_route(f"{ROOT}/check", methods=("POST",))
async def check(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check only the posted text; answers [] or the first fault."""
    _require(call)
    try:
        warned = await call.controller.check(await _read_body(call), f"/{ROOT_PATH}/check")
    except ConfigurationRefused as refusal:
        return _answer_issue(refusal.issues[0].said)
    listed = [{"line": each.line, "message": each.message} for each in warned]
    return answer_text(json.dumps(listed), kind="application/json")


@register_route(f"{ROOT}/apply", methods=("POST",))
async def apply(call: Call, folder: Folder, rest: str) -> web.Response:
    """Apply the posted text after the standard sources; every fault is a 500 with a logging ID."""
    _require(call)
    await _reload(call, await _read_body(call), f"/{ROOT_PATH}/apply")
    return web.Response(status=200)


@register_route(f"{ROOT}/configure", methods=("POST",))
async def configure(call: Call, folder: Folder, rest: str) -> web.Response:
    """Apply the posted text after the standard sources; a fault is a 400 with its text."""
    _require(call)
    posted = await _read_body(call)
    if not posted:
        return _answer_issue("Request body cannot be empty.")
    try:
        await _reload(call, posted, f"/{ROOT_PATH}/configure")
    except ConfigurationRefused as refusal:
        message = "Failed to apply configuration from POST payload"
        journal.write_message("SEVERE", f"{LOGGER}#doConfigure", message, journal.render_refusal(refusal))
        return _answer_issue(refusal.issues[0].said)
    return answer_text("Configuration successfully applied.")


@register_route(f"{ROOT}/reload", methods=("POST",))
async def reload(call: Call, folder: Folder, rest: str) -> web.Response:
    """Read the sources again: 302, or after a fault a page with status 200; the journal has the position and the cause.

    A file that is no YAML is a 500.
    """
    _require(call, "Overall/Manage")
    try:
        await _reload(call)
    except ConfigurationRefused as refusal:
        if refusal.is_syntax:
            raise
        journal.write_message(
            "SEVERE", f"{LOGGER}#doReload", "Failed to reload configuration", journal.render_refusal(refusal)
        )
        return pages.respond(pages.render_casc_error(call.controller, refusal.issues[0]))
    return redirect(f"/{ROOT_PATH}/")


@register_route(f"{ROOT}/export", methods=("POST",))
async def export_yaml(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send the whole configuration as YAML."""
    call.require("Overall/Administer")
    response = answer_text(_export_all(call), kind="application/x-yaml")
    response.headers["Content-Disposition"] = "attachment; filename=jenkins.yaml"
    return response


@register_route(f"{ROOT}/viewExport", methods=("POST",))
async def show_export(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the whole configuration on a page."""
    call.require("Overall/Administer")
    return pages.respond(pages.render_notice(call.controller, 200, _export_all(call)))


def _export_all(call: Call) -> str:
    home = call.controller.home
    return Exporter(home.options.plugins, home.vault.seal).export(collect_settings(home))


@register_route(f"{ROOT}/checkNewSource", methods=("POST",))
async def check_new_source(call: Call, folder: Folder, rest: str) -> web.Response:
    """Check the files of another source as a whole, with the effects of a check; the answer is a part of a page."""
    call.require("Overall/Administer")
    source = (await call.read_form()).get("newSource", "").strip()
    kind, words = await _judge_source(call, source) if source else ("", "")
    page = f'<div class="{kind}">{_escape(words)}</div>' if kind else "<div/>"
    return web.Response(text=page, content_type="text/html", charset="utf-8")


def _escape(words: str) -> str:
    """Escape a text as Jenkins does for a part of a page: lines and double blanks stay visible."""
    return html.escape(words).replace("&#x27;", "&#039;").replace("\n", "<br>").replace("  ", "&nbsp; ")


async def _judge_source(call: Call, source: str) -> tuple[str, str]:
    """The class and the words of the answer about a source."""
    if not all(Path(part.strip()).exists() for part in source.split(",") if part.strip()):
        return "error", "Configuration cannot be applied. File or URL cannot be parsed or do not exist."
    try:
        warned = await call.controller.check_files(source)
    except ConfigurationRefused as refusal:
        return "error", f"Invalid configuration: {refusal.issues[0].said}"
    if warned:
        return "error", json.dumps([{"line": each.line, "error": each.message} for each in warned])
    return "ok", "The configuration can be applied"


@register_route(f"{ROOT}/schema", methods=("GET", "POST"))
async def send_schema(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send the JSON schema of the configuration."""
    _require(call)
    return answer_text(json.dumps(make_json_schema(call.controller.home.options.plugins)), kind="application/json")


@register_route(ROOT, f"{ROOT}/reference")
async def show_page(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show a page, to which redirects lead."""
    call.require("Overall/Administer")
    return pages.respond(pages.render_notice(call.controller, 200, "Configuration as Code"))


@register_route("root:reload-configuration-as-code", methods=("POST",))
async def reload_by_token(call: Call, folder: Folder, rest: str) -> web.Response:
    """Reload by a token: 404 if no token is configured, 401 for a wrong one, else 200, also after a fault.

    A file that is no YAML is a 500.
    """
    expected = call.controller.home.options.variables.get("CASC_RELOAD_TOKEN", "")
    if not expected:
        raise Refused(404, "Not Found")
    given = call.request.query.get("casc-reload-token", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return answer_text("Unauthorized", 401)
    try:
        await _reload(call)
    except ConfigurationRefused as refusal:
        if refusal.is_syntax:
            raise
        journal.write_message(
            "SEVERE",
            "i.j.p.casc.TokenReloadAction#doIndex",
            "Failed to reload by token",
            journal.render_refusal(refusal),
        )
        message = f"Failed to reload configuration: {refusal.issues[0].said}"
        return answer_text(json.dumps({"status": "error", "message": message}), kind="application/json")
    return web.Response(status=200)
