"""Gives agents their program, their secret and their connection, at the paths where Jenkins has them."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from aiohttp import WSMsgType, web

from ..execution.agent.packing import pack_agent
from ..execution.agent.wire import LIMIT, NAME, SECRET, dump, load
from ..failures import Refused
from ..model.configuration import NodeSettings
from ..model.items import Folder
from .calls import Call, register_route

_HEARTBEAT = 10.0  # seconds


@register_route("root:jnlpJars/agent.jar")
async def send_program(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send the program of agents, to everybody. It is no Java archive: Python runs it, with the flags of Jenkins' program."""
    return web.Response(body=pack_agent(), content_type="application/java-archive")


@register_route("computer:jenkins-agent.jnlp", "computer:slave-agent.jnlp", methods=("GET", "POST"))
async def send_arguments(call: Call, node: NodeSettings, rest: str) -> web.Response:
    """Send the arguments with which an agent connects; the first is its secret."""
    call.require("Agent/Connect")
    if not node.name:
        raise Refused(404, "Not Found")
    arguments = (
        call.controller.agents.compute_secret(node.name),
        node.name,
        "-webSocket",
        "-url",
        call.controller.home.url,
    )
    listed = "".join(f"<argument>{escape(argument)}</argument>" for argument in (*arguments, "-workDir", node.folder))
    body = (
        f'<jnlp codebase="{escape(call.controller.home.url)}computer/{escape(node.name)}/" spec="1.0+">'
        f'<application-desc main-class="hudson.remoting.jnlp.Main">{listed}</application-desc></jnlp>'
    )
    return web.Response(text=body, content_type="application/x-java-jnlp-file", charset="utf-8")


@register_route("root:wsagents")
async def serve_connection(call: Call, folder: Folder, rest: str) -> web.StreamResponse:
    """Serve the connection of an agent until it ends."""
    headers, agents = call.request.headers, call.controller.agents
    name = headers.get(NAME, "")
    if not agents.may_connect(name, headers.get(SECRET, "")):
        raise Refused(403, f"the agent {name} or its secret is not known")
    if call.controller.executors.is_online(name):
        raise Refused(409, f"{name} is already connected to this controller. Rejecting this connection.")
    socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=LIMIT)
    await socket.prepare(call.request)

    async def send(message: dict[str, Any]) -> None:
        await socket.send_str(dump(message))

    first = await socket.receive()
    if first.type != WSMsgType.TEXT:
        return socket
    agent = agents.greet(name, call.sender, load(first.data), send)
    try:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                agent.hear(load(message.data))
    finally:
        agents.dismiss(name, agent)
    return socket
