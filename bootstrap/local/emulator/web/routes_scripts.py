"""Routes of the script console: scripts run as Groovy in a process of their own."""

from __future__ import annotations

import asyncio
import html
import os
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import web

from ..execution import process
from ..execution.confinement import scrub_environment
from ..execution.java import make_groovy_command
from ..failures import NAME, Refused
from . import monitors, pages
from .calls import Call, answer_text, register_route

CONSOLE = Path(__file__).parents[1] / "console_classes"  # the few classes of Jenkins that scripts can use here


@register_route("root:scriptText", "computer:scriptText", methods=("GET", "POST"))
async def send_script_output(call: Call, thing: Any, rest: str) -> web.Response:
    """Run a script and send its output; without a script there is none."""
    return answer_text(await _run_script(call))


@register_route("root:script", "computer:script", methods=("GET", "POST"))
async def show_script_page(call: Call, thing: Any, rest: str) -> web.Response:
    """Show the form of the script console, with the output of the posted script."""
    return pages.respond(_render_console(call, await _run_script(call)))


async def _run_script(call: Call) -> str:
    """Run a Groovy script; of Jenkins' objects it can use only the active monitors. Groovy refuses other class names."""
    call.require("Overall/Administer")
    script = (await call.read_form()).get("script")
    if script is None or call.request.method != "POST":
        return ""
    call.controller.audit.log_script(call.identity.name, script)
    # The classes in console_classes read this variable.
    variables = {"EMULATED_MONITORS": " ".join(monitors.find_active(call.controller.home))}
    output: list[str] = []
    with tempfile.TemporaryDirectory(prefix="jenkins-script-") as directory:
        path = Path(directory) / "Script1.groovy"
        path.write_text(script)
        command = [
            *make_groovy_command(call.controller.home.options.variables, CONSOLE),
            "groovy.ui.GroovyMain",
            str(path),
        ]
        try:
            code, _ = await asyncio.wait_for(
                process.run(command, Path(directory), {**scrub_environment(os.environ), **variables}, output.append),
                120,
            )
        except TimeoutError:
            raise Refused(500, "the script ran longer than two minutes") from None
    if code and ("jenkins.model" in script or "hudson.model" in script or "Jenkins" in script):
        raise Refused(501, f"{NAME} runs Groovy, but has few Jenkins objects for a script:\n" + "".join(output))
    return "".join(output)


def _render_console(call: Call, output: str) -> str:
    """Render the form of the script console, with the output of a script."""
    crumb = call.controller.sessions.make_crumb(call.identity.name, call.session) if call.session else ""
    form = (
        f'<form method="post"><input type="hidden" name="Jenkins-Crumb" value="{crumb}">'
        '<textarea name="script" rows="12" cols="80"></textarea><button>Run</button></form>'
    )
    shown = f"<h2>Result</h2><pre>{html.escape(output)}</pre>" if output else ""
    return pages.render_frame(call, "Script Console", f"<h1>Script Console</h1>{form}{shown}")
