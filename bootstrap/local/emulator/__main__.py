"""`python3 -m jenkins_emulator`: start, notify systemd, and serve requests until the process is stopped."""

from __future__ import annotations

import asyncio
import signal
import sys

from aiohttp import web

from . import journal
from .controller import Controller
from .execution.confinement import read_landlock_version
from .execution.java_graphics import CannotDraw, check_drawing
from .failures import ConfigurationRefused
from .options import Options, read_options
from .supervisor import notify
from .web.server import make_application

BOOT_FAILED = 5  # as Jenkins under its systemd lifecycle
EXIT_BEFORE_START = 1  # as the servlet container ends if Jenkins fails before its lifecycle begins


def main() -> int:
    """Run the emulator; returns the exit code."""
    try:
        options = read_options(words=sys.argv[1:])
        check_drawing(options.variables)
        return asyncio.run(serve(options))
    except ConfigurationRefused as refusal:
        place = "jenkins.InitReactorRunner$1#onTaskFailed"
        journal.write_message("SEVERE", place, "Failed ConfigurationAsCode.init", journal.render_refusal(refusal))
        return BOOT_FAILED
    except CannotDraw as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return EXIT_BEFORE_START


async def serve(options: Options) -> int:
    """Start the controller and answer requests; returns the exit code that was requested."""
    controller = Controller(options)
    controller.start()
    for warning in controller.warnings:
        print(f"WARNING: {warning}", file=sys.stderr)  # noqa: T201
    if not read_landlock_version():
        print("WARNING: no Landlock here: Groovy could read what this user can read", file=sys.stderr)  # noqa: T201
    runner = web.AppRunner(make_application(controller), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, options.address, options.port, shutdown_timeout=1.0).start()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, controller.leaving.set)
    ready = f"Jenkins is fully up and running (emulator for {options.version} at {controller.home.url})"
    print(ready, file=sys.stderr)  # noqa: T201
    notify("READY=1")
    await controller.leaving.wait()
    notify("STOPPING=1")
    await controller.stop()
    await runner.cleanup()
    return controller.exit_code or 0


if __name__ == "__main__":
    sys.exit(main())
