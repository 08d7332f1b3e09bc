"""The command line over HTTP (hudson.cli.CLIAction): two requests of one session, or a WebSocket, carry the frames of a caller.

Of the two requests the one with `Side: download` begins; what the server says is its answer. The other, with `Side: upload`,
has what the caller says as its body, and is answered when the command has ended. Remoting, which Jenkins removed, is 403.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from aiohttp import WSMsgType, web

from ..command_line.commands import COMMANDS, is_unmodelled
from ..command_line.connection import CONNECTION_SECONDS, Connection
from ..command_line.protocol import BrokenStream, FrameReader, add_length
from ..failures import NAME, Refused
from ..model.items import Folder
from . import pages
from .calls import ANONYMOUS_LIMIT, LIMIT, Call, register_route


class Duplex:
    """The two sides of one caller: the download side waits for `connected`, the upload side for `ended`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.connected, self.ended = asyncio.Event(), asyncio.Event()


DUPLEXES: web.AppKey[dict[uuid.UUID, Duplex]] = web.AppKey("duplexes")


@register_route("root:cli", is_object=True)
async def show_commands(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the commands; unlike the connection, the page needs the right to read."""
    call.require("Overall/Read")
    listed = "\n".join(f"{name}: {entry.description}" for name, entry in sorted(COMMANDS.items()))
    return pages.respond(pages.render_notice(call.controller, 200, f"Jenkins CLI\n{listed}"))


@register_route("root:cli/command", takes_rest=True)
async def show_command(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the usage of one command."""
    call.require("Overall/Read")
    name = rest.strip("/")
    if name in COMMANDS:
        return pages.respond(pages.render_notice(call.controller, 200, COMMANDS[name].render_usage()))
    if is_unmodelled(name, list(call.controller.home.options.plugins)):
        raise Refused(501, f"{NAME} does not model the command {name}; Jenkins has it")
    raise Refused(404, "No such command", is_bare=True)


def _limit(call: Call) -> int:
    return ANONYMOUS_LIMIT if call.identity.is_anonymous else LIMIT


@register_route("root:cli", methods=("POST",))
async def connect(call: Call, folder: Folder, rest: str) -> web.StreamResponse:
    """Serve one side of a caller."""
    if call.request.query.get("remoting") != "false":
        raise Refused(403, "Forbidden")
    try:
        session = uuid.UUID(call.request.headers.get("Session", ""))
    except ValueError as fault:
        raise Refused(500, f"java.lang.IllegalArgumentException: Invalid UUID string: {fault}") from fault
    duplexes = call.request.app[DUPLEXES]
    if call.request.headers.get("Side") == "download":
        return await _download(call, duplexes, session)
    duplex = duplexes.get(session)
    if duplex is None:
        raise Refused(500, f"java.io.IOException: No download side found for {session}")
    return await _upload(call, duplex)


async def _download(call: Call, duplexes: dict[uuid.UUID, Duplex], session: uuid.UUID) -> web.StreamResponse:
    """Run the command; its frames are the answer, after one zero byte that shows the caller that the answer has begun."""
    response = web.StreamResponse(headers={"Hudson-Duplex": "true"})
    response.content_type = "application/octet-stream"
    response.enable_chunked_encoding()

    async def send(frame: bytes) -> None:
        await response.write(add_length(frame))

    duplex = duplexes[session] = Duplex(Connection(call.controller, call.identity, send, _limit(call)))
    try:
        await response.prepare(call.request)
        await response.write(b"\0")
        await asyncio.wait_for(duplex.connected.wait(), CONNECTION_SECONDS)
        await duplex.connection.run()
    except (TimeoutError, ConnectionError):
        pass  # the answer has begun: all that can be said is that it ends
    finally:
        if duplexes.get(session) is duplex:  # another caller may have taken the session meanwhile
            del duplexes[session]
        duplex.ended.set()
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response


async def _upload(call: Call, duplex: Duplex) -> web.Response:
    """Take the frames of the caller; when he closes the body before the command ends, he has gone."""
    frames = FrameReader(_limit(call))
    duplex.connected.set()
    reading = asyncio.ensure_future(_read_frames(call, duplex, frames))
    try:
        await duplex.ended.wait()
    finally:
        reading.cancel()
    return web.Response(status=200, headers={"Hudson-Duplex": "true"})


async def _read_frames(call: Call, duplex: Duplex, frames: FrameReader) -> None:
    try:
        async for chunk in call.request.content.iter_any():
            for frame in frames.feed(chunk):
                duplex.connection.hear(frame)
    except (BrokenStream, ConnectionError, web.HTTPException, web.RequestPayloadError):
        pass  # as in Jenkins: a broken stream is a caller who has gone
    finally:
        duplex.connection.close()


@register_route("root:cli/ws")
async def connect_socket(call: Call, folder: Folder, rest: str) -> web.StreamResponse:
    """Serve a caller over a WebSocket; a page of another site may not open one, so the origin must be Jenkins itself."""
    origin, expected = call.request.headers.get("Origin"), call.controller.home.url.rstrip("/")
    if origin != expected:
        words = "Unexpected request origin (check your reverse proxy settings)"
        return web.Response(status=403, headers={"X-CLI-Error": words})
    socket = web.WebSocketResponse(max_msg_size=_limit(call))
    await socket.prepare(call.request)
    connection = Connection(call.controller, call.identity, socket.send_bytes, _limit(call))
    reading = asyncio.ensure_future(_read_messages(socket, connection))
    try:
        await connection.run()
    finally:
        await socket.close()
        reading.cancel()
    return socket


async def _read_messages(socket: web.WebSocketResponse, connection: Connection) -> None:
    try:
        async for message in socket:
            if message.type == WSMsgType.BINARY and message.data:
                connection.hear(message.data)
    except BrokenStream:
        pass  # as in Jenkins: a broken stream is a caller who has gone
    finally:
        connection.close()
