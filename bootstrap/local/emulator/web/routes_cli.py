"""The command line over HTTP, which the emulator lacks.

Jenkins answers 403 to a client that wants remoting, which it removed, and speaks the plain protocol with `remoting=false`
(hudson.cli.CLIAction). The emulator refuses the second one in its own name.
"""

from __future__ import annotations

from aiohttp import web

from ..failures import NAME, Refused
from ..model.items import Folder
from .calls import Call, route


@route("root:cli", methods=("GET", "POST"))
async def refuse_command_line(call: Call, folder: Folder, rest: str) -> web.Response:
    """Refuse remoting with 403, and everything else with 501."""
    if call.request.method == "POST" and call.request.query.get("remoting") != "false":
        raise Refused(403, "Forbidden")
    raise Refused(501, f"{NAME} does not model the command line over HTTP; Jenkins has it")
