"""Routes that create, change and delete agents, and mark nodes as offline."""

from __future__ import annotations

import html
from typing import Any

from aiohttp import web

from ..failures import NAME, Refused, make_failure
from ..model import xmlfile
from ..model.configuration import NodeSettings
from ..model.items import Folder, check_name, encode_name
from ..model.nodes import render_node
from . import pages
from .calls import Call, answer_text, redirect, register_route, respond_xml

PERMANENT = frozenset({"hudson.slaves.DumbSlave", "hudson.slaves.DumbSlave$DescriptorImpl"})
_LOG_READERS = ("Agent/Connect", "Agent/ExtendedRead")
INBOUND = frozenset({"", "hudson.slaves.JNLPLauncher", "hudson.slaves.JNLPLauncher$DescriptorImpl"})


def _make_path(node: NodeSettings) -> str:
    return f"/computer/{encode_name(node.name) if node.name else '(built-in)'}/"


@register_route("root:computer/doCreateItem", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create an agent from the form of the page: its name, its type, and a field `json` with its settings."""
    call.require("Agent/Create")
    form = await call.read_form()
    if not form.get("json"):
        raise Refused(400, "This page expects a form submission" if form else "Nothing is submitted", is_bare=True)
    name, settings = form.get("name", "").strip(), await call.read_json_field()
    check_name(name)
    if call.controller.home.configuration.find_node(name) is not None:
        raise make_failure(f"Agent called ‘{name}’ already exists")
    if form.get("mode") == "copy":
        raise Refused(501, f"{NAME} cannot copy an agent")
    if form.get("type") not in PERMANENT:
        raise Refused(500, f"java.lang.IllegalArgumentException: no type of agents {form.get('type')}")
    _check_parts(settings)
    call.controller.home.nodes.put(name, render_node(_read_settings(name, settings)))
    call.controller.executors.notify()
    return redirect("/computer/")


def _check_parts(settings: dict[str, Any]) -> None:
    launcher = settings.get("launcher") or {}
    kind = str(launcher.get("stapler-class") or launcher.get("$class") or "")
    if kind not in INBOUND:
        raise Refused(501, f"{NAME} has only agents that connect by themselves (inbound), and no launcher {kind}")


def _read_settings(name: str, settings: dict[str, Any]) -> NodeSettings:
    number = str(settings.get("numExecutors", "1"))
    if not number.lstrip("-").isdigit():
        raise Refused(500, f"java.lang.NumberFormatException: {number}")
    return NodeSettings(
        name,
        str(settings.get("nodeDescription") or ""),
        (name, *str(settings.get("labelString") or "").split()),
        int(number),
        str(settings.get("remoteFS") or ""),
        settings.get("mode") == "EXCLUSIVE",
    )


@register_route("computer:config.xml", methods=("GET", "POST"))
async def serve_config(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Send or replace the document of an agent; the built-in node has none."""
    nodes = call.controller.home.nodes
    if not node.name:
        return web.Response(status=400)
    if node.name in call.controller.clouds.computers:
        call.require("Agent/ExtendedRead" if call.request.method == "GET" else "Agent/Configure")
        raise Refused(501, f"{NAME} knows the nodes of a cloud only by the settings of the cloud: {node.name}")
    if call.request.method == "GET":
        call.require("Agent/ExtendedRead")
        root = nodes.find(node.name)
        return respond_xml(xmlfile.serialise_for_client(render_node(node) if root is None else root))
    call.require("Agent/Configure")
    if nodes.find(node.name) is None:
        raise Refused(501, f"{NAME} changes agents of the settings only by the settings: {node.name}")
    nodes.put(node.name, nodes.parse(await call.request.read(), node.name))
    call.controller.executors.notify()
    return web.Response(status=200)


@register_route("computer:doDelete", methods=("POST",))
async def delete(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Delete an agent; the built-in node cannot be deleted."""
    if not node.name:
        return web.Response(status=400)
    call.require("Agent/Delete")
    home, computer = call.controller.home, call.controller.clouds.computers.get(node.name)
    if computer is not None:
        await call.controller.clouds.delete(computer)
        return redirect("/computer/")
    home.nodes.remove(node.name)
    home.configuration.remove_node(node.name)
    call.controller.save()
    return redirect("/computer/")


@register_route("computer:toggleOffline", methods=("POST",))
async def toggle_offline(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Mark a node as temporarily offline, or take the mark from it."""
    nodes = call.controller.home.nodes
    is_marked = nodes.find_offline_cause(node.name) is not None
    call.require("Agent/Connect" if is_marked else "Agent/Disconnect")
    if is_marked:
        nodes.mark_online(node.name)
    else:
        nodes.mark_offline(node.name, call.identity.name, (await call.read_form()).get("offlineMessage", ""))
    call.controller.executors.notify()
    return redirect(_make_path(node))


@register_route("computer:changeOfflineCause", methods=("POST",))
async def change_cause(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Change the message of a node that is marked as offline."""
    call.require("Agent/Disconnect")
    message, nodes = (await call.read_form()).get("offlineMessage", ""), call.controller.home.nodes
    if nodes.find_offline_cause(node.name) is not None:
        nodes.mark_offline(node.name, call.identity.name, message)
    return redirect(_make_path(node))


@register_route("computer:doDisconnect", methods=("POST",))
async def disconnect(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Disconnect an agent; one that is not connected stays so."""
    call.require("Agent/Disconnect")
    computer = call.controller.clouds.computers.get(node.name)
    if computer is not None:
        call.controller.home.nodes.mark_offline(
            node.name, call.identity.name, (await call.read_form()).get("offlineMessage", "")
        )
        await computer.disconnect()
        return redirect(_make_path(node))
    if node.name and call.controller.executors.find_connected(node.name) is not None:
        raise Refused(501, f"{NAME} cannot disconnect an agent; end its program")
    return redirect(_make_path(node))


@register_route("computer:launchSlaveAgent", methods=("POST",))
async def launch(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Launch the agent of a cloud, and redirect to the log; an agent that connects by itself is not launched from here."""
    call.require("Agent/Connect")
    computer = call.controller.clouds.computers.get(node.name)
    if computer is not None:
        call.controller.home.nodes.mark_online(node.name)
        computer.connect()
    return redirect(f"{_make_path(node)}log")


@register_route("root:computer/updateNow", methods=("POST",))
async def update(call: Call, folder: Folder, rest: str) -> web.Response:
    """Measure the nodes again; the emulator measures at every request."""
    call.require("Overall/Administer")
    return redirect("/computer/")


@register_route("computer:")
async def show_node(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Show a node."""
    state = "online" if call.controller.executors.is_online(node.name) else "offline"
    computer = call.controller.clouds.computers.get(node.name)
    if computer is not None and state == "offline" and computer.cause is not None:
        state += f": {computer.cause.message}"
    shown = computer.shown_title if computer else node.name or "Built-In Node"
    words = f"{shown} ({state})\n{node.description}\nLabels: {' '.join(sorted(node.labels))}"
    return pages.respond(pages.render_notice(call.controller, 200, words))


@register_route("computer:systemInfo")
async def show_system(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Show that nothing is known of a node: the emulator asks agents for no properties."""
    call.require("Agent/ExtendedRead")
    if call.controller.executors.is_online(node.name):
        raise Refused(501, f"{NAME} has no system information of a node")
    words = "System Information is unavailable when agent is offline."
    return pages.respond(pages.render_notice(call.controller, 200, words))


@register_route("computer:logText/progressiveText", "computer:logText/progressiveHtml", methods=("GET", "POST"))
async def send_log(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Send the log of an agent from `start` on, an offset in it; a start beyond the end sends the whole log.

    Jenkins always says that more may come, and ends lines of the text with CRLF. The built-in node has an empty log.
    """
    call.require_any(*_LOG_READERS)
    start = (await call.read_form()).get("start", "0")
    content, end = _read_log(call, node, int(start) if start.isdigit() else 0)
    is_page = call.request.path.endswith("Html")
    shown = html.escape(content, quote=False) if is_page else content.replace("\n", "\r\n")
    response = answer_text(shown, kind="text/html" if is_page else "text/plain")
    response.headers.update({"X-Text-Size": str(end), "X-More-Data": "true"})
    return response


def _read_log(call: Call, node: NodeSettings, start: int) -> tuple[str, int]:
    """The log of a node from an offset on, and where it ends."""
    computer = call.controller.clouds.computers.get(node.name)
    if computer is not None:
        return computer.read_log(start)
    path = call.controller.agents.find_log(node.name)
    content = path.read_bytes() if node.name and path.exists() else b""
    return content[start if start <= len(content) else 0 :].decode("utf-8", "replace"), len(content)


@register_route("computer:log")
async def show_log(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Show the log of an agent; the built-in node has no such page."""
    if not node.name:
        raise Refused(404, "Not Found")
    call.require_any(*_LOG_READERS)
    return pages.respond(pages.render_notice(call.controller, 200, _read_log(call, node, 0)[0]))
